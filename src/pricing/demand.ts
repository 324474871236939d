import type { Arrivals } from "./ledger.ts";
import { squareKey } from "./squares.ts";

/**
 * Where viewers are and come from, by our own decisions. A region is a cell of one degree in one pool; its point
 * is the mean of its viewers.
 */
export interface Demand {
  /** Takes the decisions of the last `seconds`. */
  add(arrivals: Arrivals, seconds: number, viewersPerAnswer: ViewersPerAnswer, departureRate: number): void;
  /** Viewers of an edge who are about to ask again: `viewers` of them, or as many as we sent, where nobody knows. */
  lose(edge: number, viewers: number): void;
  /** Viewers that we sent there and who have not left, by the departure rate. */
  presentAt(edge: number): number;
  /** The regions that expect most viewers within the horizon, in no order. */
  forecast(horizonSeconds: number, departureRate: number): readonly Region[];
}

/** What an answer for a place brings. */
export type ViewersPerAnswer = (pool: number, latitude: number, longitude: number) => number;

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
/** A growth is taken to last as long as it has lasted, times this: a minute says little of an hour. */
const GROWTH_LASTS = 2;
/** In standard deviations. */
const CHANCE = 2;
/** Viewers who lost their edge come back within about this long. */
const RETURN_SECONDS = 8;
/** For so long after a loss, who comes is no measure of who usually comes. */
const UNSETTLED_SECONDS = 30;
const COARSE_DEGREES = 30;
const REGIONS_MAX = 2000;
const NEGLIGIBLE_VIEWERS = 0.01;

export function createDemand(): Demand {
  const cells = new Map<number, Cell>();
  const trends = new Map<number, Trend>();
  /** Forward decay: present viewers are kept in units of what one viewer of now will count when he came earlier. */
  let left = 1;
  let sinceLossSeconds = Number.POSITIVE_INFINITY;

  const cellAt = (pool: number, latitude: number, longitude: number): Cell => {
    const key = squareKey(pool, latitude, longitude);
    const known = cells.get(key);
    if (known !== undefined) return known;
    const coarse = squareKey(pool, latitude, longitude, COARSE_DEGREES);
    const trend = trends.get(coarse) ?? { fast: 0, slow: 0, growingSeconds: 0 };
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
    sinceLossSeconds += seconds;
    const back = Math.exp(-seconds / RETURN_SECONDS);
    for (const cell of cells.values()) cell.returning *= back;
    if (sinceLossSeconds < UNSETTLED_SECONDS) return;
    const slow = Math.exp(-seconds / SLOW_SECONDS);
    const fast = Math.exp(-seconds / FAST_SECONDS);
    for (const trend of trends.values()) {
      trend.fast *= fast;
      trend.slow *= slow;
      trend.growingSeconds = growthOf(trend) > 0 ? trend.growingSeconds + seconds : 0;
    }
    for (const cell of cells.values()) {
      cell.slow *= slow;
      cell.weight *= slow;
    }
  };

  return {
    add(arrivals, seconds, viewersPerAnswer, departureRate) {
      decay(seconds, departureRate);
      for (const [pool, byPlace] of arrivals.entries()) {
        for (const [{ latitude = 0, longitude = 0 }, byEdge] of byPlace) {
          const cell = cellAt(pool, latitude, longitude);
          const perAnswer = viewersPerAnswer(pool, latitude, longitude);
          let viewers = 0;
          for (const [edge, { http, dns }] of byEdge) {
            const sent = http + dns * perAnswer;
            viewers += sent;
            cell.byEdge.set(edge, (cell.byEdge.get(edge) ?? 0) + sent / left);
          }
          cell.weight += viewers;
          cell.latitude += ((latitude - cell.latitude) * viewers) / cell.weight;
          cell.longitude += ((longitude - cell.longitude) * viewers) / cell.weight;
          if (sinceLossSeconds < UNSETTLED_SECONDS) {
            cell.returning = Math.max(0, cell.returning - viewers);
            continue;
          }
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
      sinceLossSeconds = 0;
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
        const growth = growthOf(trend);
        // What has ended has ended; what has begun may end.
        const lasts = growth > 0 ? trend.growingSeconds * GROWTH_LASTS : horizonSeconds;
        const excess = slow * growth * stay(Math.min(lasts, horizonSeconds));
        const viewers = Math.max(0, slow * stay(horizonSeconds) + excess) + returning;
        if (viewers > 0) regions.push({ pool, latitude, longitude, viewers });
      }
      if (regions.length <= REGIONS_MAX) return regions;
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
  /** How long it has been growing. */
  growingSeconds: number;
}

/** How much more comes than did, as a share: as far as it is more than chance. */
function growthOf({ fast, slow }: Trend): number {
  if (slow <= 0) return 0;
  const chance = CHANCE * Math.sqrt(slow / (2 * FAST_SECONDS));
  const more = fast - slow;
  return (Math.sign(more) * Math.max(0, Math.abs(more) - chance)) / slow;
}

function presentAt(cells: ReadonlyMap<number, Cell>, left: number, edge: number): number {
  let viewers = 0;
  for (const { byEdge } of cells.values()) viewers += byEdge.get(edge) ?? 0;
  return viewers * left;
}
