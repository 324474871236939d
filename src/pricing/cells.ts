import { areaOf, askersKey, type PoolOf, squareKey } from "./squares.ts";
import { SLOW_SECONDS, Trend } from "./trend.ts";

/** Viewers, by how they came. */
export interface Present {
  http: number;
  resolvers: number;
  subnets: number;
}

/** One square degree in one pool. */
export interface Cell {
  /** As from `askersKey`: resolvers, and those who name a subnet. */
  readonly askers: readonly [resolvers: number, subnets: number];
  readonly pool: number;
  readonly trend: Trend;
  /** The mean point of its viewers; NaN: of those who cannot be located. */
  latitude: number;
  longitude: number;
  /** Arrivals per second over `SLOW_SECONDS`. */
  slow: number;
  /** Redirects of late, over `RECENT_SECONDS`. */
  recent: number;
  /** Of the mean point. */
  weight: number;
  /** Who is there, in the units of `Cells`. */
  readonly byEdge: Map<number, Present>;
}

export const RECENT_SECONDS = 20;
const NEGLIGIBLE_VIEWERS = 0.01;

/**
 * Cells where viewers are, and those parts of the world that they come in. Forward decay: whoever is present is kept
 * in units of what one viewer of now will count when he came earlier.
 */
export class Cells {
  readonly #cells = new Map<number, Cell>();
  readonly #trends = new Map<number, Trend>();
  #left = 1;

  /** A new one where there is none. */
  at(pool: number, latitude: number, longitude: number): Cell {
    const key = squareKey(pool, latitude, longitude);
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const area = areaOf(pool, latitude, longitude);
    const trend = this.#trends.get(area) ?? new Trend();
    this.#trends.set(area, trend);
    const askers = [askersKey(key, false), askersKey(key, true)] as const;
    const cell: Cell = {
      askers,
      pool,
      trend,
      latitude,
      longitude,
      slow: 0,
      recent: 0,
      weight: 0,
      byEdge: new Map(),
    };
    this.#cells.set(key, cell);
    return cell;
  }

  /** By `squareKey`. */
  get(square: number): Cell | undefined {
    return this.#cells.get(square);
  }

  /** By `squareKey`. */
  entries(): Iterable<[number, Cell]> {
    return this.#cells;
  }

  /** So much time has passed, in which some have left. @param departureRate per viewer and second */
  leave(seconds: number, departureRate: number): void {
    this.#left *= Math.exp(-departureRate * seconds);
    const recent = Math.exp(-seconds / RECENT_SECONDS);
    for (const cell of this.#cells.values()) cell.recent *= recent;
    if (this.#left < 0.5) this.renormalise();
  }

  /** So much time has passed, whose arrivals are averaged next. */
  age(seconds: number): void {
    const slow = Math.exp(-seconds / SLOW_SECONDS);
    for (const trend of this.#trends.values()) trend.pass(seconds);
    for (const cell of this.#cells.values()) {
      cell.slow *= slow;
      cell.weight *= slow;
    }
  }

  /** Viewers of now are there. */
  put(cell: Cell, edge: number, { http, resolvers, subnets }: Readonly<Present>): void {
    const left = this.#left;
    addPresent(cell, edge, { http: http / left, resolvers: resolvers / left, subnets: subnets / left });
  }

  /** Viewers of an edge who have not left, by the departure rate. */
  presentAt(edge: number): number {
    let viewers = 0;
    for (const { byEdge } of this.#cells.values()) {
      const present = byEdge.get(edge);
      if (present !== undefined) viewers += viewersIn(present);
    }
    return viewers * this.#left;
  }

  /**
   * Nobody is at the edge any more.
   * @param viewers how many there were; NaN: as many as were put there and have not left
   * @returns who was there, by cell
   */
  take(edge: number, viewers: number): { readonly cell: Cell; readonly lost: Present }[] {
    const sent = this.presentAt(edge);
    const scale = this.#left * (Number.isNaN(viewers) || sent === 0 ? 1 : viewers / sent);
    return [...this.#cells.values()].flatMap((cell) => {
      const present = cell.byEdge.get(edge);
      cell.byEdge.delete(edge);
      if (present === undefined) return [];
      const { http, resolvers, subnets } = present;
      return [{ cell, lost: { http: http * scale, resolvers: resolvers * scale, subnets: subnets * scale } }];
    });
  }

  forget(edge: number): void {
    for (const { byEdge } of this.#cells.values()) byEdge.delete(edge);
  }

  /** Other pools. */
  renumber(poolOf: PoolOf): void {
    const before = [...this.#cells.values()];
    this.#cells.clear();
    this.#trends.clear();
    const moved = new Set<Trend>();
    for (const cell of before) {
      const pool = poolOf(cell.pool);
      if (pool === undefined) continue;
      const there = this.at(pool, cell.latitude, cell.longitude);
      addCell(there, cell);
      if (!moved.has(cell.trend)) there.trend.add(cell.trend);
      moved.add(cell.trend);
    }
  }

  /** From now on units are viewers of now; cells where hardly anybody is left are forgotten. */
  renormalise(): void {
    for (const [key, cell] of this.#cells) {
      for (const [edge, present] of cell.byEdge) {
        present.http *= this.#left;
        present.resolvers *= this.#left;
        present.subnets *= this.#left;
        if (viewersIn(present) < NEGLIGIBLE_VIEWERS) cell.byEdge.delete(edge);
      }
      if (cell.byEdge.size === 0) this.#cells.delete(key);
    }
    this.#left = 1;
  }
}

/** Of two pools that have become one. */
function addCell(cell: Cell, other: Cell): void {
  cell.slow += other.slow;
  cell.recent += other.recent;
  cell.weight += other.weight;
  if (cell.weight > 0) {
    cell.latitude += ((other.latitude - cell.latitude) * other.weight) / cell.weight;
    cell.longitude += ((other.longitude - cell.longitude) * other.weight) / cell.weight;
  }
  for (const [edge, present] of other.byEdge) addPresent(cell, edge, present);
}

function addPresent({ byEdge }: Cell, edge: number, more: Readonly<Present>): void {
  const present = byEdge.get(edge) ?? { http: 0, resolvers: 0, subnets: 0 };
  byEdge.set(edge, present);
  present.http += more.http;
  present.resolvers += more.resolvers;
  present.subnets += more.subnets;
}

function viewersIn({ http, resolvers, subnets }: Present): number {
  return http + resolvers + subnets;
}
