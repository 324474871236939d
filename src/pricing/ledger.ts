import type { DoorName } from "../model/decision.ts";
import type { Location } from "../model/location.ts";

/**
 * What the doors have decided and no report shows yet. The running counts by edge lie in shared memory, so that
 * every serving thread sees a burst at once; where viewers come from is handed over about once a second.
 */
export interface Ledger {
  /** One more decision for an edge. `pool`: which group of services it was made in. */
  count(door: DoorName, pool: number, edge: number, location: Location): void;
  /** What was counted since the last call, by place and edge; the caller owns it. */
  takeArrivals(): Arrivals;
}

export type Arrivals = readonly PoolArrivals[];

/** Of one pool, in the pools' order. */
export type PoolArrivals = ReadonlyMap<Location, ReadonlyMap<number, Arrived>>;

/** Decisions for one place and one edge. */
export interface Arrived {
  http: number;
  dns: number;
}

/** Running counts modulo 2^32: HTTP decisions at `edge`, DNS answers at `edges + edge`. */
export type SentCounts = Int32Array;

export function newSentCounts(edges: number): SentCounts {
  return new Int32Array(new SharedArrayBuffer(edges * 2 * Int32Array.BYTES_PER_ELEMENT));
}

/** @param pools how many groups of services with the same edges there are */
export function createLedger(sent: SentCounts, pools: number): Ledger {
  const edges = sent.length / 2;
  let byPlace = newTallies(pools);
  return {
    count(door, pool, edge, location) {
      Atomics.add(sent, door === "dns" ? edges + edge : edge, 1);
      if (location.latitude === undefined) return;
      const tally = byPlace[pool] as Map<Location, Map<number, Arrived>>;
      let byEdge = tally.get(location);
      if (byEdge === undefined) tally.set(location, (byEdge = new Map()));
      const arrived = byEdge.get(edge);
      if (arrived === undefined) byEdge.set(edge, { http: 0, dns: 0, [door]: 1 });
      else arrived[door]++;
    },
    takeArrivals() {
      const taken = byPlace;
      byPlace = newTallies(pools);
      return taken;
    },
  };
}

function newTallies(pools: number): Map<Location, Map<number, Arrived>>[] {
  return Array.from({ length: pools }, () => new Map<Location, Map<number, Arrived>>());
}
