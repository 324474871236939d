import { Histogram } from "./base/histogram.ts";
import { Tally } from "./base/tally.ts";
import type { Decide, Decision, DoorName, Question, Trace } from "./model/decision.ts";
import type { Edge } from "./model/edge.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Locate } from "./model/location.ts";
import type { MetricSource } from "./model/metrics.ts";
import type { Service } from "./model/service.ts";
import type { World } from "./model/world.ts";
import { edgeDistances } from "./selection/distance.ts";
import { type Field, select } from "./selection/select.ts";

/**
 * hostname + client → Decision: the one engine behind both doors.
 *
 * ```
 * hostname ─► service ─┐
 * client ───► locate ──┼─► select ─► Decision ─► counted
 * inventory, world ────┘
 * ```
 *
 * Inventory and world are replaced whole between two decisions, so that none is made of a mixture.
 */
export interface Redirector {
  readonly decide: Decide;
  /** The same decision, neither counted nor logged. */
  readonly explain: (question: Question, trace: Trace) => Decision | undefined;
  take(inventory: Inventory, world: World): void;
  readonly metrics: MetricSource;
}

export function createRedirector(locate: Locate): Redirector {
  let inService: InService | undefined;
  const counts = createCounts();

  const choose = (question: Question, trace?: Trace): Decision | undefined => {
    if (inService === undefined) return undefined;
    const service = inService.serviceAt(question.hostname);
    if (service === undefined) return undefined;
    const stream = question.path === undefined ? undefined : streamOf(question.path);
    const viewer = {
      client: question.client,
      located: locate(question.client),
      ...(stream === undefined ? {} : { stream }),
    };
    return select(service, viewer, inService.field, inService.world, trace);
  };

  return {
    decide(question, door, trace) {
      const rejections: Rejection[] = [];
      const decision = choose(question, {
        reject(edge, reason, distanceKm) {
          rejections.push({ reason, distanceKm });
          trace?.reject(edge, reason, distanceKm);
        },
      });
      if (decision !== undefined) counts.count(decision, door, rejections);
      return decision;
    },
    explain: choose,
    take(inventory, world) {
      if (world.generation !== inventory.generation) throw new Error("world and inventory differ");
      inService =
        inService?.inventory === inventory
          ? { ...inService, world }
          : {
              inventory,
              world,
              field: fieldOf(inventory.edges),
              serviceAt: serviceFinder(inventory.services),
            };
    },
    metrics: counts.metrics,
  };
}

interface InService {
  readonly inventory: Inventory;
  readonly world: World;
  readonly field: Field;
  readonly serviceAt: (hostname: string) => Service | undefined;
}

function fieldOf(edges: readonly Edge[]): Field {
  return { edges, distanceKm: edgeDistances(edges) };
}

/** Exact names first, then the wildcard of the closest name above that exists (RFC 4592 3.3.1). */
export function serviceFinder(services: readonly Service[]): (hostname: string) => Service | undefined {
  const byName = new Map<string, Service>();
  for (const service of services) for (const hostname of service.hostnames) byName.set(hostname, service);
  const existing = new Set<string>();
  for (const hostname of byName.keys())
    for (let name: string | undefined = hostname; name !== undefined; name = parent(name)) existing.add(name);

  return (hostname) => {
    const exact = byName.get(hostname);
    if (exact !== undefined || existing.has(hostname)) return exact;
    let name = parent(hostname);
    while (name !== undefined && !existing.has(name)) name = parent(name);
    return name === undefined ? undefined : byName.get(`*.${name}`);
  };
}

function parent(name: string): string | undefined {
  const dot = name.indexOf(".");
  return dot < 0 ? undefined : name.slice(dot + 1);
}

/** The folder that a playlist or segment lies in names its stream. */
function streamOf(path: string): string | undefined {
  const end = path.search(/[?#]/);
  const plain = end < 0 ? path : path.slice(0, end);
  const slash = plain.lastIndexOf("/");
  return slash > 0 ? plain.slice(0, slash) : undefined;
}

interface Rejection {
  readonly reason: string;
  readonly distanceKm: number;
}

const DISTANCE_BOUNDS_KM = [50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000];

function createCounts(): {
  count: (decision: Decision, door: DoorName, rejections: readonly Rejection[]) => void;
  metrics: MetricSource;
} {
  const decisions = new Tally("service", "edge", "door");
  const rejected = new Tally("service", "reason");
  const distance = new Histogram(DISTANCE_BOUNDS_KM);
  const excess = new Histogram([0, ...DISTANCE_BOUNDS_KM]);
  return {
    count(decision, door, rejections) {
      const best = decision.edges[0];
      decisions.add(decision.service.id, best?.edge.id ?? "-", door);
      for (const rejection of rejections) rejected.add(decision.service.id, rejection.reason);
      if (best === undefined || Number.isNaN(best.distanceKm)) return;
      distance.observe(best.distanceKm);
      excess.observe(best.distanceKm - nearestInServiceKm(decision, rejections));
    },
    metrics: () => [
      decisions.family("decisions_total", "Decisions by service, first edge (`-` for none) and door"),
      rejected.family("decisions_rejected_total", "Edges left out of decisions, by service and reason"),
      {
        kind: "histogram",
        name: "decision_distance_km",
        help: "Great-circle distance from the viewer to the chosen edge in kilometres",
        bounds: distance.bounds,
        samples: [distance.sample({})],
      },
      {
        kind: "histogram",
        name: "decision_excess_km",
        help: "How much further the chosen edge is than the nearest edge in service, in kilometres",
        bounds: excess.bounds,
        samples: [excess.sample({})],
      },
    ],
  };
}

/** A full edge is in service; one that is down, draining or off is not. */
function nearestInServiceKm(decision: Decision, rejections: readonly Rejection[]): number {
  let nearest = Number.POSITIVE_INFINITY;
  for (const { distanceKm } of decision.edges) nearest = Math.min(nearest, distanceKm);
  for (const { reason, distanceKm } of rejections)
    if (reason === "full") nearest = Math.min(nearest, distanceKm);
  return nearest;
}
