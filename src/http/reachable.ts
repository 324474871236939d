import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import type { Locations } from "./location.ts";

/**
 * Whether a redirect can go to each of the service's edges, as far as it is known by now: then the best one is
 * enough.
 */
export type AreAllReachable = (service: Service) => boolean;

/**
 * Looks at a few edges with each call, until it has seen all: the first viewer after a reload does not wait for 500.
 */
export function createReachable(edges: readonly Edge[], locations: Pick<Locations, "of">): AreAllReachable {
  const seen = new Map<Service, Seen>();
  return (service) => {
    let its = seen.get(service);
    if (its === undefined) seen.set(service, (its = { count: 0, isOneUnreachable: false }));
    for (let i = 0; i < EDGES_PER_CALL && its.count < service.edges.length; i++) {
      const edge = edges[service.edges[its.count++] as number];
      const isUnreachable = (scheme: "http" | "https"): boolean =>
        edge === undefined || locations.of(service, edge, scheme) === undefined;
      if (isUnreachable("http") || isUnreachable("https")) its.isOneUnreachable = true;
    }
    return its.count === service.edges.length && !its.isOneUnreachable;
  };
}

interface Seen {
  /** How many of the service's edges. */
  count: number;
  isOneUnreachable: boolean;
}

const EDGES_PER_CALL = 4;
