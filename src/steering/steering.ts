import type { Client } from "../model/client.ts";
import type { PlayerReport } from "../model/corrections.ts";
import type { Decide, Playing } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import type { Service } from "../model/service.ts";
import type { Steer, SteeringCall } from "../model/steering.ts";
import { manifestText, type Pathway } from "./manifest.ts";
import { type Order, orderOf, orderWithout } from "./order.ts";
import { pathwayOf } from "./pathways.ts";
import { reloadUri, type Told, toldBy } from "./session.ts";
import { ttlSeconds } from "./ttl.ts";

export interface SteeringOptions {
  readonly decide: Decide;
  /** All that are configured, by `Edge.index`. */
  readonly edges: () => readonly Edge[];
  readonly log: Log;
  readonly draining: Draining;
  /** Told of every throughput that a player of a service with `experience` reports. */
  readonly onReport?: (report: PlayerReport, client: Client) => void;
  /** Share of the time that the door is busy, 0..1. */
  readonly busy?: () => number;
  /** 0..1 */
  readonly random?: () => number;
}

/** What steering tells of those who play, and asks about edges that drain. */
export interface Draining {
  /** A player has asked; and from where he plays, if that is known. */
  seen(edgeId: string | undefined, lot: number): void;
  /** Whether a viewer is among those who are to leave by now. */
  isToLeave(edgeId: string, lot: number): boolean;
  /** Whether any of these drains in a way that players there should ask again soon. */
  isHasty(edgeIds: Iterable<string>): boolean;
}

/** More alternatives help no player. */
const PATHWAYS_MAX = 8;

/**
 * Answers players who ask where to play from: with the decision that the doors make, which keeps a viewer where he is
 * as long as he is well there.
 *
 * ```
 * query ─► told: pathway in use, session ─┐
 * decide ─► edges, rejected ──────────────┴─► order ─► pathways, TTL ─► manifest
 * ```
 */
export function createSteering(options: SteeringOptions): Steer {
  const { decide, edges, log, draining, busy = () => 0, random = Math.random } = options;

  const orderFor = (call: SteeringCall, current: Edge | undefined, lot: number): Order => {
    try {
      const decision = decide(questionOf(call, current && playingAt(current, lot)), "steering");
      if (decision !== undefined) return orderOf(decision, current, lot);
    } catch (error) {
      log.error({ err: error, service: call.service.id }, "a steering decision failed");
    }
    return orderWithout(current);
  };

  const playingAt = (edge: Edge, lot: number): Playing => ({
    edge,
    mayStay: !draining.isToLeave(edge.id, lot),
  });

  return (call) => {
    const { service, query, address } = call;
    const { isEnabled, ttlSeconds: baseSeconds } = service.steering;
    if (!isEnabled) return undefined;
    const named = namedBy(service, edges());
    const told = toldBy(query);
    const lot = told.session?.lot ?? random();
    const current = currentOf(told, named);
    draining.seen(current?.id, lot);
    if (service.experience !== undefined && options.onReport !== undefined)
      for (const report of reportsIn(told, service, named)) options.onReport(report, call.client);
    const order = orderFor(call, current, lot);
    const pathways = pathwaysOf(order, named);
    const ids = current === undefined ? [...named.keys()].map(({ id }) => id) : [current.id];
    const isMoving = order.isMoving || draining.isHasty(ids);
    return manifestText({
      ttlSeconds: ttlSeconds({ ...order, isMoving, baseSeconds, busy: busy(), draw: random() }),
      reloadUri: reloadUri(address, told, { lot, first: (pathways[0] as Pathway).id }),
      pathways,
    });
  };
}

function questionOf({ hostname, client, path }: SteeringCall, playing: Playing | undefined) {
  return {
    hostname,
    client,
    needsIpv4: client.address.family === 4,
    most: PATHWAYS_MAX,
    ...(path === undefined ? {} : { path }),
    ...(playing === undefined ? {} : { playing }),
  };
}

/** A service's edges and their pathways, in its order; those that no player can be told of are left out. */
type Named = ReadonlyMap<Edge, Pathway>;

const namedByService = new WeakMap<Service, Named>();

function namedBy(service: Service, edges: readonly Edge[]): Named {
  const known = namedByService.get(service);
  if (known !== undefined) return known;
  const pairs = service.edges.flatMap((index) => {
    const edge = edges[index];
    const pathway = edge && pathwayOf(service, edge);
    return edge && pathway ? [[edge, pathway] as const] : [];
  });
  const named = new Map(pairs);
  namedByService.set(service, named);
  return named;
}

/**
 * The edge that the viewer plays from. Of several pathways that a player names (DASH: all in use since its last call,
 * in no order of time) the one that it was told to prefer.
 */
function currentOf({ pathways, session }: Told, named: Named): Edge | undefined {
  const preferred = session?.first;
  const inUse = pathways.length === 0 && preferred !== undefined ? [preferred] : pathways;
  const known = [...named].filter(([, { id }]) => inUse.includes(id));
  const [edge] = known.find(([, { id }]) => id === preferred) ?? known[0] ?? [];
  return edge;
}

/** A player's first call tells what it was told to assume; from then on it has measured. */
function reportsIn({ pathways, throughputs, session }: Told, { id }: Service, named: Named): PlayerReport[] {
  if (session === undefined) return [];
  // One estimate for all that it has played from counts where it was sent to, and is by now.
  if (pathways.length === 1 && pathways[0] !== session.first) return [];
  return throughputs.flatMap((bitsPerSecond, i) => {
    const edge = [...named].find(([, pathway]) => pathway.id === pathways[i])?.[0];
    return edge === undefined ? [] : [{ service: id, edge: edge.id, bitsPerSecond }];
  });
}

/** Never none: whatever the service has, where nobody knows better. */
function pathwaysOf({ edges, isUnsure }: Order, named: Named): Pathway[] {
  const ordered = edges.flatMap((edge) => named.get(edge) ?? []);
  const pathways = isUnsure || ordered.length === 0 ? [...new Set([...ordered, ...named.values()])] : ordered;
  return pathways.slice(0, PATHWAYS_MAX);
}
