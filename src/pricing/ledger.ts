import type { ClientOrigin } from "../model/client.ts";
import type { DoorName } from "../model/decision.ts";
import type { Location } from "../model/location.ts";

/**
 * For each square degree and edge: pool, latitude, longitude (NaN unknown), edge, decisions for HTTP and for DNS, of
 * these for client subnets, and the seconds that these are short by.
 */
export type PackedArrivals = Float64Array;
export const ARRIVAL_NUMBERS = 8;

export type Arrivals = readonly PoolArrivals[];

/**
 * Of one pool, in the pools' order; each place stands for its square degree, at the mean of its decisions, one
 * without coordinates for nowhere.
 */
export type PoolArrivals = ReadonlyMap<Location, ReadonlyMap<number, Arrived>>;

/** Decisions for one place and one edge. */
export interface Arrived {
  /** Also by steering: each stands for one viewer. */
  http: number;
  dns: number;
  /** Of the answers those for a client's subnet (RFC 7871); left out: none. */
  subnets?: number;
  /** Seconds by which all the answers together are kept shorter than usual; left out: none. */
  shortSeconds?: number;
}

/**
 * Running counts modulo 2^32: viewers who come at once, as by HTTP decisions, at `edge`, DNS answers at `edges +
 * edge`.
 */
export type SentCounts = Int32Array;

export function newSentCounts(edges: number): SentCounts {
  return new Int32Array(new SharedArrayBuffer(edges * 2 * Int32Array.BYTES_PER_ELEMENT));
}

/**
 * What the doors have decided and no report shows yet. The running counts by edge lie in shared memory, so that
 * every serving thread sees a burst at once; where viewers come from is handed over about once a second.
 */
export class Ledger {
  readonly #sent: SentCounts;
  readonly #edges: number;
  readonly #grids: readonly Grid[];

  /** @param pools how many groups of services with the same edges there are */
  constructor(sent: SentCounts, pools: number) {
    this.#sent = sent;
    this.#edges = sent.length / 2;
    this.#grids = Array.from({ length: pools }, () => new Grid());
  }

  /**
   * One more decision for an edge. `pool`: which group of services it was made in.
   * @param shortSeconds by which an answer is kept shorter than usual
   */
  count(
    door: DoorName,
    pool: number,
    edge: number,
    { latitude = Number.NaN, longitude = Number.NaN }: Location,
    from?: ClientOrigin,
    shortSeconds = 0,
  ): void {
    this.#send(door, edge);
    this.#grids[pool]?.count(kindOf(door, from), edge, latitude, longitude, shortSeconds);
  }

  /** The same for latitude and longitude at `place[at]` and behind it, NaN for unknown. */
  countAt(
    door: DoorName,
    pool: number,
    edge: number,
    place: Float32Array,
    at: number,
    from?: ClientOrigin,
    shortSeconds = 0,
  ): void {
    this.#send(door, edge);
    const [latitude, longitude] = [place[at] as number, place[at + 1] as number];
    this.#grids[pool]?.count(kindOf(door, from), edge, latitude, longitude, shortSeconds);
  }

  /** Viewers who come with a decision that is counted, beside whom it usually brings. */
  add(edge: number, viewers: number): void {
    Atomics.add(this.#sent, edge, Math.round(viewers));
  }

  /** What was counted since the last call, by square degree and edge; the caller owns it. */
  takeArrivals(): Arrivals {
    return this.#grids.map((grid) => grid.take());
  }

  /** The same as numbers alone, without an object for each place. */
  takePacked(): PackedArrivals {
    const rows = this.#grids.reduce((sum, grid) => sum + grid.rows, 0);
    const packed = new Float64Array(ARRIVAL_NUMBERS * rows);
    this.#grids.reduce((at, grid, pool) => grid.takeTo(packed, at, pool), 0);
    return packed;
  }

  #send(door: DoorName, edge: number): void {
    Atomics.add(this.#sent, door === "dns" ? this.#edges + edge : edge, 1);
  }
}

/** Fields of a row: the square's number, 0 for an empty row; edge, decisions by door, and their places added up. */
const SQUARE = 0;
const EDGE = 1;
const HTTP = 2;
const DNS = 3;
/** Of those for DNS, as `Arrived`. */
const SUBNETS = 4;
const LATITUDES = 5;
const LONGITUDES = 6;
/** As `Arrived`. */
const SHORT_SECONDS = 7;
/** Rows as long as a line of the processor's cache. */
const FIELDS = 8;
const FIRST_ROWS = 1 << 6;

/**
 * Decisions of one pool by square degree: places by the tens of thousands would keep a serving thread from serving. A
 * table in one array, with a row for each square and edge.
 */
class Grid {
  #rows = new Float64Array(FIELDS * FIRST_ROWS);
  /** Where the rows in use begin, in the order in which they came up. */
  #used: number[] = [];

  count(kind: Kind, edge: number, latitude: number, longitude: number, shortSeconds: number): void {
    const row = this.#rowOf(squareOf(latitude, longitude), edge);
    const rows = this.#rows;
    const counted = row + (kind === HTTP ? HTTP : DNS);
    rows[counted] = (rows[counted] as number) + 1;
    if (kind === SUBNETS) rows[row + SUBNETS] = (rows[row + SUBNETS] as number) + 1;
    rows[row + LATITUDES] = (rows[row + LATITUDES] as number) + latitude;
    rows[row + LONGITUDES] = (rows[row + LONGITUDES] as number) + longitude;
    rows[row + SHORT_SECONDS] = (rows[row + SHORT_SECONDS] as number) + shortSeconds;
  }

  get rows(): number {
    return this.#used.length;
  }

  /** As `take`, but into an array. @returns where the next may begin */
  takeTo(packed: PackedArrivals, start: number, pool: number): number {
    const rows = this.#rows;
    let at = start;
    for (const row of this.#used) {
      const [http, dns] = [rows[row + HTTP] as number, rows[row + DNS] as number];
      packed[at] = pool;
      packed[at + 1] = (rows[row + LATITUDES] as number) / (http + dns);
      packed[at + 2] = (rows[row + LONGITUDES] as number) / (http + dns);
      packed[at + 3] = rows[row + EDGE] as number;
      packed[at + 4] = http;
      packed[at + 5] = dns;
      packed[at + 6] = rows[row + SUBNETS] as number;
      packed[at + 7] = rows[row + SHORT_SECONDS] as number;
      at += ARRIVAL_NUMBERS;
      rows.fill(0, row, row + FIELDS);
    }
    this.#used = [];
    return at;
  }

  take(): PoolArrivals {
    const rows = this.#rows;
    const squares = new Map<number, Square>();
    for (const row of this.#used) {
      const square = squares.get(rows[row] as number) ?? emptySquare();
      squares.set(rows[row] as number, square);
      square.decisions += (rows[row + HTTP] as number) + (rows[row + DNS] as number);
      square.latitudes += rows[row + LATITUDES] as number;
      square.longitudes += rows[row + LONGITUDES] as number;
      square.byEdge.set(
        rows[row + EDGE] as number,
        arrivedOf(
          rows[row + HTTP] as number,
          rows[row + DNS] as number,
          rows[row + SUBNETS] as number,
          rows[row + SHORT_SECONDS] as number,
        ),
      );
      rows.fill(0, row, row + FIELDS);
    }
    this.#used = [];
    return new Map([...squares.values()].map((square) => [meanPlace(square), square.byEdge]));
  }

  #rowOf(square: number, edge: number): number {
    const known = this.#seek(square, edge);
    if (this.#rows[known] === square) return known;
    if (this.#used.length * FIELDS * 2 >= this.#rows.length) {
      this.#grow();
      return this.#rowOf(square, edge);
    }
    this.#rows[known + SQUARE] = square;
    this.#rows[known + EDGE] = edge;
    this.#used.push(known);
    return known;
  }

  /** Where it is, or would be. */
  #seek(square: number, edge: number): number {
    const rows = this.#rows;
    const mask = rows.length / FIELDS - 1;
    const hash = Math.imul(square ^ Math.imul(edge, 0xc2b2ae35), 0x9e3779b1);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const row = slot * FIELDS;
      if (rows[row] === 0 || (rows[row] === square && rows[row + EDGE] === edge)) return row;
    }
  }

  #grow(): void {
    const before = this.#rows;
    this.#rows = new Float64Array(2 * before.length);
    this.#used = this.#used.map((row) => {
      const to = this.#seek(before[row] as number, before[row + EDGE] as number);
      this.#rows.set(before.subarray(row, row + FIELDS), to);
      return to;
    });
  }
}

/** More than 0. */
function squareOf(latitude: number, longitude: number): number {
  if (Number.isNaN(latitude)) return NOWHERE;
  return (Math.floor(latitude) + 90) * 1000 + Math.floor(longitude) + 181;
}

/** More than any square degree. */
const NOWHERE = 200_000;

export function arrivedOf(http: number, dns: number, subnets: number, shortSeconds: number): Arrived {
  const arrived: Arrived = { http, dns };
  if (subnets > 0) arrived.subnets = subnets;
  if (shortSeconds > 0) arrived.shortSeconds = shortSeconds;
  return arrived;
}

/** The field that a decision is counted in. */
type Kind = typeof HTTP | typeof DNS | typeof SUBNETS;

function kindOf(door: DoorName, from: ClientOrigin | undefined): Kind {
  if (door !== "dns") return HTTP;
  return from === "client-subnet" ? SUBNETS : DNS;
}

interface Square {
  decisions: number;
  /** Added up over decisions. */
  latitudes: number;
  longitudes: number;
  readonly byEdge: Map<number, Arrived>;
}

function emptySquare(): Square {
  return { decisions: 0, latitudes: 0, longitudes: 0, byEdge: new Map() };
}

function meanPlace({ decisions, latitudes, longitudes }: Square): Location {
  return locationAt(latitudes / decisions, longitudes / decisions);
}

/** NaN: unknown. */
export function locationAt(latitude: number, longitude: number): Location {
  return Number.isNaN(latitude) ? { layer: "none" } : { layer: "none", latitude, longitude };
}
