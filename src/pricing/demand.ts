import type { Arrivals } from "./ledger.ts";

/**
 * Where viewers are and come from, by our own decisions. A region is a cell of one degree in one pool; its point
 * is the mean of its viewers.
 */
export interface Demand {
  /** Takes the decisions of the last `seconds`. */
  add(arrivals: Arrivals, seconds: number, viewersPerAnswer: number, departureRate: number): void;
  /** Viewers of an edge who are about to ask again: `viewers` of them, or as many as we sent, where nobody knows. */
  lose(edge: number, viewers: number): void;
  /** Viewers that we sent there and who have not left, by the departure rate. */
  presentAt(edge: number): number;
  /** The regions that expect most viewers within the horizon. */
  forecast(horizonSeconds: number, departureRate: number): readonly Region[];
}

export interface Region {
  readonly pool: number;
  readonly latitude: number;
  readonly longitude: number;
  /** Viewers to be placed within the horizon and still there at its end. */
  readonly viewers: number;
}

/** Arrivals per second are averaged over this long by cell, */
const SLOW_SECONDS = 900;
/** and over this long by part of the world, to see a crowd gather. */
const FAST_SECONDS = 45;
/** A growth is taken to last this long. */
const GROWTH_SECONDS = 240;
/** Viewers who lost their edge come back within about this long. */
const RETURN_SECONDS = 8;
const COARSE_DEGREES = 30;
const REGIONS_MAX = 2000;
const NEGLIGIBLE_VIEWERS = 0.01;

export function createDemand(): Demand {
  const cells = new Map<number, Cell>();
  const trends = new Map<number, Trend>();
  /** Forward decay: present viewers are kept in units of what one viewer of now will count when he came earlier. */
  let left = 1;

  const cellAt = (pool: number, latitude: number, longitude: number): Cell => {
    const key = keyOf(pool, latitude, longitude, 1);
    const known = cells.get(key);
    if (known !== undefined) return known;
    const coarse = keyOf(pool, latitude, longitude, COARSE_DEGREES);
    const trend = trends.get(coarse) ?? { fast: 0, slow: 0 };
    trends.set(coarse, trend);
    const cell = { pool, trend, latitude, longitude, slow: 0, returning: 0, weight: 0, byEdge: new Map() };
    cells.set(key, cell);
    return cell;
  };

  const renormalise = (): void => {
    for (const [key, cell] of cells) {
      for (const [edge, viewers] of cell.byEdge) {
        if (viewers * left < NEGLIGIBLE_VIEWERS) cell.byEdge.delete(edge);
        else cell.byEdge.set(edge, viewers * left);
      }
      if (cell.byEdge.size === 0) cells.delete(key);
    }
    left = 1;
  };

  const decay = (seconds: number, departureRate: number): void => {
    left *= Math.exp(-departureRate * seconds);
    if (left < 0.5) renormalise();
    const slow = Math.exp(-seconds / SLOW_SECONDS);
    const fast = Math.exp(-seconds / FAST_SECONDS);
    const back = Math.exp(-seconds / RETURN_SECONDS);
    for (const trend of trends.values()) {
      trend.fast *= fast;
      trend.slow *= slow;
    }
    for (const cell of cells.values()) {
      cell.slow *= slow;
      cell.returning *= back;
      cell.weight *= slow;
    }
  };

  return {
    add(arrivals, seconds, viewersPerAnswer, departureRate) {
      decay(seconds, departureRate);
      for (const [pool, byPlace] of arrivals.entries()) {
        for (const [{ latitude = 0, longitude = 0 }, byEdge] of byPlace) {
          const cell = cellAt(pool, latitude, longitude);
          let viewers = 0;
          for (const [edge, { http, dns }] of byEdge) {
            const sent = http + dns * viewersPerAnswer;
            viewers += sent;
            cell.byEdge.set(edge, (cell.byEdge.get(edge) ?? 0) + sent / left);
          }
          cell.weight += viewers;
          cell.latitude += ((latitude - cell.latitude) * viewers) / cell.weight;
          cell.longitude += ((longitude - cell.longitude) * viewers) / cell.weight;
          // Who comes back after a loss is no growth.
          const came = Math.max(0, viewers - cell.returning);
          cell.returning = Math.max(0, cell.returning - viewers);
          cell.slow += came / SLOW_SECONDS;
          cell.trend.slow += came / SLOW_SECONDS;
          cell.trend.fast += came / FAST_SECONDS;
        }
      }
    },
    lose(edge, viewers) {
      const sent = presentAt(cells, left, edge);
      const scale = Number.isNaN(viewers) || sent === 0 ? 1 : viewers / sent;
      for (const cell of cells.values()) {
        const lost = cell.byEdge.get(edge);
        if (lost === undefined) continue;
        cell.byEdge.delete(edge);
        cell.returning += lost * left * scale;
      }
    },
    presentAt: (edge) => presentAt(cells, left, edge),
    forecast(horizonSeconds, departureRate) {
      // One who comes evenly within the horizon is still there at its end with this probability, times the horizon.
      const stay = (seconds: number): number => (1 - Math.exp(-departureRate * seconds)) / departureRate;
      const regions: Region[] = [];
      for (const { pool, trend, latitude, longitude, slow, returning } of cells.values()) {
        const growth = trend.slow > 0 ? trend.fast / trend.slow - 1 : 0;
        const excess = slow * growth * stay(Math.min(GROWTH_SECONDS, horizonSeconds));
        const viewers = Math.max(0, slow * stay(horizonSeconds) + excess) + returning;
        if (viewers > 0) regions.push({ pool, latitude, longitude, viewers });
      }
      return regions.sort((a, b) => b.viewers - a.viewers).slice(0, REGIONS_MAX);
    },
  };
}

interface Cell {
  readonly pool: number;
  readonly trend: Trend;
  latitude: number;
  longitude: number;
  /** Arrivals per second over the last quarter of an hour. */
  slow: number;
  /** Viewers who lost their edge and have not asked again. */
  returning: number;
  /** Of the mean point. */
  weight: number;
  /** Viewers present, before decay. */
  readonly byEdge: Map<number, number>;
}

/** Arrivals per second in a part of the world. */
interface Trend {
  fast: number;
  slow: number;
}

function presentAt(cells: ReadonlyMap<number, Cell>, left: number, edge: number): number {
  let viewers = 0;
  for (const { byEdge } of cells.values()) viewers += byEdge.get(edge) ?? 0;
  return viewers * left;
}

function keyOf(pool: number, latitude: number, longitude: number, degrees: number): number {
  const row = Math.floor((latitude + 90) / degrees);
  const column = Math.floor((longitude + 180) / degrees);
  return (pool * 181 + row) * 361 + column;
}
