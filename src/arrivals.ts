import type { Location } from "./model/location.ts";
import { ARRIVAL_NUMBERS, type Arrivals, type Arrived, type PackedArrivals } from "./pricing/ledger.ts";

/** What a thread hands over at the cost of one array. */
export function unpackArrivals(packed: PackedArrivals): Arrivals {
  const pools: Map<Location, Map<number, Arrived>>[] = [];
  for (let at = 0; at < packed.length; at += ARRIVAL_NUMBERS) {
    const [pool = 0, latitude = 0, longitude = 0, edge = 0, http = 0, dns = 0] = packed.subarray(
      at,
      at + ARRIVAL_NUMBERS,
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
