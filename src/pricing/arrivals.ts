import type { Location } from "../model/location.ts";
import {
  ARRIVAL_NUMBERS,
  type Arrivals,
  type Arrived,
  arrivedOf,
  locationAt,
  type PackedArrivals,
  type PoolArrivals,
} from "./ledger.ts";

/** Squares and edges in a portion: well below a millisecond of work. */
const PORTION_ROWS = 500;

/**
 * What a thread hands over at the cost of one array, in portions: with viewers from everywhere there are thousands of
 * places.
 */
export function* unpackArrivals(packed: PackedArrivals): Generator<Arrivals, void> {
  const portionNumbers = PORTION_ROWS * ARRIVAL_NUMBERS;
  for (let start = 0; start < packed.length; start += portionNumbers)
    yield unpacked(packed, start, Math.min(packed.length, start + portionNumbers));
}

function unpacked(packed: PackedArrivals, start: number, end: number): Arrivals {
  const pools: Map<Location, Map<number, Arrived>>[] = [];
  const number = (at: number): number => packed[at] as number;
  for (let at = start; at < end; at += ARRIVAL_NUMBERS) {
    const pool = number(at);
    while (pools.length <= pool) pools.push(new Map());
    const byEdge = new Map<number, Arrived>();
    byEdge.set(number(at + 3), arrivedOf(number(at + 4), number(at + 5), number(at + 6), number(at + 7)));
    pools[pool]?.set(locationAt(number(at + 1), number(at + 2)), byEdge);
  }
  return pools;
}

/** Of the same pools; the places stay apart, also where they are the same. */
export function joinArrivals(parts: readonly Arrivals[]): Arrivals {
  const pools = Math.max(0, ...parts.map((part) => part.length));
  return Array.from({ length: pools }, (_, pool) => {
    const some = parts.flatMap((part) => part[pool] ?? []).filter(({ size }) => size > 0);
    return some.length === 1 ? (some[0] as PoolArrivals) : new Map(some.flatMap((one) => [...one]));
  });
}
