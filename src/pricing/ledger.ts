import type { DoorName } from "../model/decision.ts";
import type { Location } from "../model/location.ts";

/**
 * What the doors have decided and no report shows yet. The running counts by edge lie in shared memory, so that
 * every serving thread sees a burst at once; where viewers come from is handed over about once a second.
 */
export interface Ledger {
  /** One more decision for an edge. `pool`: which group of services it was made in. */
  count(door: DoorName, pool: number, edge: number, location: Location): void;
  /** What was counted since the last call, by square degree and edge; the caller owns it. */
  takeArrivals(): Arrivals;
}

export type Arrivals = readonly PoolArrivals[];

/** Of one pool, in the pools' order; each place stands for its square degree, at the mean of its decisions. */
export type PoolArrivals = ReadonlyMap<Location, ReadonlyMap<number, Arrived>>;

/** Decisions for one place and one edge. */
export interface Arrived {
  /** Also by steering: each stands for one viewer. */
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
  const grids = Array.from({ length: pools }, () => new Grid());
  return {
    count(door, pool, edge, location) {
      Atomics.add(sent, door === "dns" ? edges + edge : edge, 1);
      if (location.latitude !== undefined) grids[pool]?.count(door, edge, location);
    },
    takeArrivals: () => grids.map((grid) => grid.take()),
  };
}

/** Decisions of one pool by square degree: places by the tens of thousands would keep a serving thread from serving. */
class Grid {
  readonly #squares = new Map<number, Square>();
  #counted: Square[] = [];

  count(door: DoorName, edge: number, location: Location): void {
    const { latitude = 0, longitude = 0 } = location;
    const square = this.#squareAt(latitude, longitude);
    if (square.decisions === 0) this.#counted.push(square);
    square.decisions++;
    square.latitudes += latitude;
    square.longitudes += longitude;
    let arrived = square.byEdge.get(edge);
    if (arrived === undefined) square.byEdge.set(edge, (arrived = { http: 0, dns: 0 }));
    if (door === "dns") arrived.dns++;
    else arrived.http++;
  }

  take(): PoolArrivals {
    const taken = new Map(this.#counted.map((square) => [meanPlace(square), square.byEdge]));
    for (const square of this.#counted) Object.assign(square, emptySquare());
    this.#counted = [];
    return taken;
  }

  #squareAt(latitude: number, longitude: number): Square {
    const key = Math.floor(latitude) * 1000 + Math.floor(longitude);
    const known = this.#squares.get(key);
    if (known !== undefined) return known;
    const square = emptySquare();
    this.#squares.set(key, square);
    return square;
  }
}

interface Square {
  decisions: number;
  /** Added up over decisions. */
  latitudes: number;
  longitudes: number;
  byEdge: Map<number, Arrived>;
}

function emptySquare(): Square {
  return { decisions: 0, latitudes: 0, longitudes: 0, byEdge: new Map() };
}

function meanPlace({ decisions, latitudes, longitudes }: Square): Location {
  return { layer: "none", latitude: latitudes / decisions, longitude: longitudes / decisions };
}
