import type { Service } from "../model/service.ts";
import type { Pool } from "./transport.ts";

/** Services grouped by who serves them: their viewers compete for the same room. */
export interface Pools {
  readonly pools: readonly Pool[];
  /** Position in `pools` by `Service.index`. */
  readonly ofService: readonly number[];
}

/** The same services give the same pools in the same order, in every thread. */
export function poolsOf(services: readonly Pick<Service, "edges" | "maxDistanceKm">[]): Pools {
  const byKey = new Map<string, number>();
  const pools: Pool[] = [];
  const ofService = services.map(({ edges, maxDistanceKm }) => {
    const key = `${maxDistanceKm} ${edges.toSorted((a, b) => a - b).join(" ")}`;
    const known = byKey.get(key);
    if (known !== undefined) return known;
    byKey.set(key, pools.length);
    return pools.push({ edges, maxDistanceKm }) - 1;
  });
  return { pools, ofService };
}
