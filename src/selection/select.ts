import { familiesOf } from "../base/address.ts";
import type { Client } from "../model/client.ts";
import type { Choice, Decision, Outcome, RejectionReason, Trace } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Located } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import { UP_IPV4, UP_IPV6, type World } from "../model/world.ts";
import type { DistancesKm } from "./distance.ts";
import { type Standing, standing } from "./eligible.ts";
import { barrierKm, liveRatio, usedShare } from "./live.ts";
import { drawsByNetwork, rankingOf, SAME_PLACE_KM } from "./rank.ts";
import { admit } from "./rules.ts";
import { hashText, networkKey, rendezvousDraw } from "./spread.ts";

/** Who asks, and what is known of him. */
export interface Viewer {
  readonly client: Client;
  readonly located: Located;
  /** The stream's name, where a path names one. */
  readonly stream?: string;
}

/** The edges of one inventory, and how far each is. */
export interface Field {
  readonly edges: readonly Edge[];
  readonly distanceKm: DistancesKm;
}

/**
 * The choice of edge: eligible → rank → spread → Decision. Pure: the same service, viewer and world give
 * the same Decision, and the trace, where one is given, is told of every edge that was left out.
 *
 * ```
 * allow/deny ─ no ─► refused
 *     │ standing of each edge: off, drain, down, full │ eligible
 *     ├ some eligible ─► edges           (nearest with whenFull: refuse does not go past a full place)
 *     ├ some full ─────► overload        or refused
 *     ├ some down ─────► fail-open       or fallback, or refused
 *     └ none in service ► fallback       or refused
 * ```
 */
export function select(
  service: Service,
  viewer: Viewer,
  field: Field,
  world: World,
  trace?: Trace,
): Decision {
  const { client, located } = viewer;
  const admission = admit(service, client, located);
  const isLocated = located.location.latitude !== undefined;
  const byNetwork = drawsByNetwork(service.rank, isLocated);
  const scopePrefixLength = scope(client, admission.prefixLength, byNetwork);
  const decide = (outcome: Outcome, edges: readonly Choice[]): Decision => ({
    service,
    outcome,
    edges,
    location: located.location,
    ...(located.asn === undefined ? {} : { asn: located.asn }),
    scopePrefixLength,
    ttlSeconds: service.dns.ttlSeconds,
  });

  const standings = sort(service, viewer, field, world);
  if (!admission.allowed) {
    for (const choices of Object.values(standings))
      for (const choice of choices) trace?.reject(choice.edge, "not-allowed", choice.distanceKm);
    return decide({ kind: "refused", reason: "not-allowed" }, []);
  }
  const outcome = outcomeOf(service, standings);
  const taken = takenBy(outcome);
  if (trace) tellRejected(standings, taken, trace);
  if (taken === undefined) return decide(outcome, []);

  const keyLength = Math.min(scopePrefixLength, client.prefixLength);
  const key =
    service.affinity === "stream" && viewer.stream !== undefined
      ? hashText(viewer.stream)
      : networkKey(client.address, keyLength);
  const draw = (choice: Choice, weight: number): number => rendezvousDraw(key, choice.edge.id, weight);
  const choices = standings[taken];
  const candidates = outcome.kind === "fail-open" ? choices.map(asIfUp) : choices;
  return decide(outcome, rankingOf(service.rank, isLocated)(candidates, draw));
}

/** Networks that share a lot when edges are drawn by network: what resolvers send as client subnet. */
const DRAW_PREFIX_IPV4 = 24;
const DRAW_PREFIX_IPV6 = 48;

/** A client who tells nothing of himself (source prefix 0) gets the answer that all such clients get. */
function scope(client: Client, prefixLength: number, byNetwork: boolean): number {
  if (client.prefixLength === 0) return 0;
  const draws = byNetwork ? (client.address.family === 4 ? DRAW_PREFIX_IPV4 : DRAW_PREFIX_IPV6) : 0;
  return Math.max(prefixLength, draws);
}

/** stale: fit, but for the stream asked for; far: further than the service sends anybody. */
type Standings = Record<Standing | "stale" | "far", Choice[]>;

function sort(service: Service, viewer: Viewer, field: Field, world: World): Standings {
  const standings: Standings = { eligible: [], stale: [], far: [], full: [], down: [], drain: [], off: [] };
  for (const index of service.edges) {
    const edge = field.edges[index] as Edge;
    const distanceKm = field.distanceKm(viewer.located.location, edge);
    const reason = distanceKm > service.maxDistanceKm ? "far" : standingFor(viewer, edge, world, service);
    standings[reason].push({
      edge,
      distanceKm,
      priceKm: (world.priceKm[index] as number) + barrierKm(usedShare(world, index, service.margin)),
      loadRatio: liveRatio(world, index),
      up: world.up[index] as number,
    });
  }
  // Where it stands still everywhere, its origin does: that is no edge's fault.
  if (standings.eligible.length + standings.full.length === 0)
    standings.eligible.push(...standings.stale.splice(0));
  return standings;
}

function standingFor({ stream }: Viewer, edge: Edge, world: World, { margin }: Service): keyof Standings {
  const reason = standing(edge, world, margin);
  const isStale = stream !== undefined && world.staleStreams.get(edge.index)?.has(stream) === true;
  return reason === "eligible" && isStale ? "stale" : reason;
}

function outcomeOf(service: Service, { eligible, full, down }: Standings): Outcome {
  const holdsBack = service.whenFull === "refuse" && service.rank === "nearest";
  if (eligible.length > 0 && !(holdsBack && nearestKm(full) + SAME_PLACE_KM < nearestKm(eligible)))
    return { kind: "edges" };
  if (full.length > 0)
    return service.whenFull === "spill" ? { kind: "overload" } : { kind: "refused", reason: "full" };
  if (down.length > 0 && service.whenDown === "fail-open") return { kind: "fail-open" };
  if (service.fallback && (down.length === 0 || service.whenDown === "fallback"))
    return { kind: "fallback", fallback: service.fallback };
  return { kind: "refused", reason: down.length > 0 ? "down" : "no-edges" };
}

/** Infinite for none; NaN, so that no comparison holds, when the viewer cannot be located. */
function nearestKm(choices: readonly Choice[]): number {
  return Math.min(...choices.map((choice) => choice.distanceKm));
}

/** Which standing the answer is taken from. */
function takenBy(outcome: Outcome): "eligible" | "full" | "down" | undefined {
  switch (outcome.kind) {
    case "edges":
      return "eligible";
    case "overload":
      return "full";
    case "fail-open":
      return "down";
    case "fallback":
    case "refused":
      return undefined;
  }
}

const REASONS: Record<keyof Standings, RejectionReason> = {
  eligible: "too-far",
  stale: "stale-stream",
  far: "too-far",
  full: "full",
  down: "down",
  drain: "drain",
  off: "off",
};

function tellRejected(standings: Standings, taken: Standing | undefined, trace: Trace): void {
  for (const [standing, choices] of Object.entries(standings)) {
    if (standing === taken) continue;
    const reason = REASONS[standing as keyof Standings];
    for (const choice of choices) trace.reject(choice.edge, reason, choice.distanceKm);
  }
}

function asIfUp(choice: Choice): Choice {
  const up = familiesOf(choice.edge.addresses).reduce(
    (bits, family) => bits | (family === 4 ? UP_IPV4 : UP_IPV6),
    0,
  );
  return { ...choice, up };
}
