import type { Location } from "./model/location.ts";
import {
  ARRIVAL_NUMBERS,
  type Arrivals,
  type Arrived,
  arrivedOf,
  type PackedArrivals,
  type PoolArrivals,
} from "./pricing/ledger.ts";

/** What a thread hands over at the cost of one array. */
export function unpackArrivals(packed: PackedArrivals): Arrivals {
  const pools: Map<Location, Map<number, Arrived>>[] = [];
  const number = (at: number): number => packed[at] as number;
  for (let at = 0; at < packed.length; at += ARRIVAL_NUMBERS) {
    const pool = number(at);
    while (pools.length <= pool) pools.push(new Map());
    const byEdge = new Map<number, Arrived>();
    byEdge.set(number(at + 3), arrivedOf(number(at + 4), number(at + 5), number(at + 6)));
    pools[pool]?.set({ layer: "none", latitude: number(at + 1), longitude: number(at + 2) }, byEdge);
  }
  return pools;
}

/** Of the same pools; the places stay apart, also where they are the same. */
export function joinArrivals(parts: readonly Arrivals[]): Arrivals {
  const pools = Math.max(0, ...parts.map((part) => part.length));
  return Array.from({ length: pools }, (_, pool) => {
    const some = parts.flatMap((part) => part[pool] ?? []).filter(({ size }) => size > 0);
    // With viewers from everywhere there are thousands of places, mostly of one thread.
    return some.length === 1 ? (some[0] as PoolArrivals) : new Map(some.flatMap((one) => [...one]));
  });
}
