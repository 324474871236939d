import type { Location } from "./model/location.ts";
import type { Arrivals, Arrived } from "./pricing/ledger.ts";

/** Six numbers for each place and edge: what a thread hands over at the cost of one array. */
export type PackedArrivals = Float64Array;

const NUMBERS = 6;

export function packArrivals(arrivals: Arrivals): PackedArrivals {
  const numbers: number[] = [];
  for (const [pool, byPlace] of arrivals.entries())
    for (const [{ latitude, longitude }, byEdge] of byPlace)
      for (const [edge, { http, dns }] of byEdge)
        numbers.push(pool, latitude ?? Number.NaN, longitude ?? Number.NaN, edge, http, dns);
  return Float64Array.from(numbers);
}

export function unpackArrivals(packed: PackedArrivals): Arrivals {
  const pools: Map<Location, Map<number, Arrived>>[] = [];
  for (let at = 0; at < packed.length; at += NUMBERS) {
    const [pool = 0, latitude = 0, longitude = 0, edge = 0, http = 0, dns = 0] = packed.subarray(
      at,
      at + NUMBERS,
    );
    while (pools.length <= pool) pools.push(new Map());
    pools[pool]?.set({ layer: "none", latitude, longitude }, new Map([[edge, { http, dns }]]));
  }
  return pools;
}

/** Of the same pools; the places stay apart, also where they are the same. */
export function joinArrivals(parts: readonly Arrivals[]): Arrivals {
  const pools = Math.max(0, ...parts.map((part) => part.length));
  return Array.from(
    { length: pools },
    (_, pool) => new Map(parts.flatMap((part) => [...(part[pool] ?? [])])),
  );
}
