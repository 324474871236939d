import type { LearnedCell } from "./learned.ts";
import type { Arrivals, Arrived } from "./ledger.ts";
import type { Bound, Lost, Returned } from "./returns.ts";
import { askersKey, type PoolOf, squareKey, squareOf } from "./squares.ts";

/**
 * Where viewers are and come from, by our own decisions. A region is a cell of one degree in one pool; its point
 * is the mean of its viewers. Those who cannot be located have a cell, but are no region.
 */
export interface Demand {
  /** So much time has passed, whose decisions are to be added next. */
  pass(seconds: number, departureRate: number): void;
  add(arrivals: Arrivals, returned: Returned, brought: Brought): void;
  /** Viewers of an edge that is lost: `viewers` of them, or as many as we sent, where nobody knows. */
  lose(edge: number, viewers: number): Omit<Lost, "heldUntilMs">[];
  /** Viewers come to an edge who are neither new nor sent by a decision of now. */
  bind(bound: Bound): void;
  /** Viewers of pools that are not priced who come to an edge within the horizon, and are still there at its end. */
  unpricedAt(edge: number, horizonSeconds: number, departureRate: number): number;
  /** Viewers that we sent there and who have not left, by the departure rate. */
  presentAt(edge: number): number;
  /** Other pools. */
  renumber(poolOf: PoolOf): void;
  /** An edge is not there any more: whoever has its slot next is another. */
  forget(edge: number): void;
  /** Of a pool. @param idOf of a slot; undefined: its edge is gone */
  memory(pool: number, idOf: (slot: number) => string | undefined): LearnedCell[];
  /** Adds what another process knew. @param slotOf undefined: the edge is not there */
  remember(pool: number, learned: readonly LearnedCell[], slotOf: (id: string) => number | undefined): void;
  /**
   * The regions that expect most viewers within the horizon, of those who go by prices; in no order.
   * @param waitingAt viewers in a square degree who lost their edge and have not come back
   */
  forecast(
    horizonSeconds: number,
    departureRate: number,
    waitingAt: (square: number) => number,
  ): readonly Region[];
}

/** What answers bring. */
export interface Brought {
  /** As `Answers.viewers`. */
  readonly viewers: (
    pool: number,
    latitude: number,
    longitude: number,
    nameSubnets: boolean,
    keptShare: number,
  ) => number;
  /** How long some are kept, as a share of the usual time. */
  readonly keptShare: (pool: number, arrived: Arrived) => number;
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
/** A growth is taken to last as long as it has lasted, times this: a minute says little of an hour. */
const GROWTH_LASTS = 2;
/** In standard deviations. */
const CHANCE = 2;
/** For so long after a loss, who comes is no measure of who usually comes. */
const UNSETTLED_SECONDS = 30;
const COARSE_DEGREES = 30;
const REGIONS_MAX = 2000;
const NEGLIGIBLE_VIEWERS = 0.01;

/** @param isPriced whether the viewers of a pool go where distance and price are least */
export function createDemand(isPriced: (pool: number) => boolean = () => true): Demand {
  /** Arrivals per second by edge, over the last quarter of an hour. */
  const unpriced = new Map<number, number>();
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
    const askers = [askersKey(key, false), askersKey(key, true)] as const;
    const cell = { askers, pool, trend, latitude, longitude, slow: 0, weight: 0, byEdge: new Map() };
    cells.set(key, cell);
    return cell;
  };

  const renormalise = (): void => {
    for (const [key, cell] of cells) {
      for (const [edge, present] of cell.byEdge) {
        present.http *= left;
        present.resolvers *= left;
        present.subnets *= left;
        if (viewersIn(present) < NEGLIGIBLE_VIEWERS) cell.byEdge.delete(edge);
      }
      if (cell.byEdge.size === 0) cells.delete(key);
    }
    left = 1;
  };

  const pass = (seconds: number, departureRate: number): void => {
    left *= Math.exp(-departureRate * seconds);
    if (left < 0.5) renormalise();
    sinceLossSeconds += seconds;
    if (sinceLossSeconds < UNSETTLED_SECONDS) return;
    const slow = Math.exp(-seconds / SLOW_SECONDS);
    const fast = Math.exp(-seconds / FAST_SECONDS);
    for (const [edge, rate] of unpriced) unpriced.set(edge, rate * slow);
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
    pass,
    add(arrivals, returned, { viewers, keptShare }) {
      for (const [pool, byPlace] of arrivals.entries()) {
        for (const [{ latitude = Number.NaN, longitude = Number.NaN }, byEdge] of byPlace) {
          const cell = cellAt(pool, latitude, longitude);
          const [resolvers, subnets] = cell.askers.map((askers) => returned.get(askers));
          const goesByPrice = isPriced(pool);
          let [sent, came] = [0, 0];
          for (const [edge, arrived] of byEdge) {
            const present = presentIn(cell, edge);
            const { http, subnets: ofSubnets = 0 } = arrived;
            const ofResolvers = arrived.dns - ofSubnets;
            const share = keptShare(pool, arrived);
            const brought = (answers: number, nameSubnets: boolean): number =>
              answers > 0 ? answers * viewers(pool, latitude, longitude, nameSubnets, share) : 0;
            const newByResolvers = brought(ofResolvers, false);
            const newBySubnets = brought(ofSubnets, true);
            const byResolvers = newByResolvers + ofResolvers * (resolvers?.perAnswer ?? 0);
            const bySubnets = newBySubnets + ofSubnets * (subnets?.perAnswer ?? 0);
            present.http += http / left;
            present.resolvers += byResolvers / left;
            present.subnets += bySubnets / left;
            sent += http + byResolvers + bySubnets;
            const cameHere = http * (1 - (resolvers?.httpShare ?? 0)) + newByResolvers + newBySubnets;
            came += cameHere;
            if (!goesByPrice) unpriced.set(edge, (unpriced.get(edge) ?? 0) + cameHere / SLOW_SECONDS);
          }
          cell.weight += sent;
          cell.latitude += ((latitude - cell.latitude) * sent) / cell.weight;
          cell.longitude += ((longitude - cell.longitude) * sent) / cell.weight;
          // Who comes back after a loss is no growth.
          if (sinceLossSeconds < UNSETTLED_SECONDS) continue;
          cell.slow += came / SLOW_SECONDS;
          cell.trend.slow += came / SLOW_SECONDS;
          cell.trend.fast += came / FAST_SECONDS;
        }
      }
    },
    lose(edge, viewers) {
      sinceLossSeconds = 0;
      const sent = presentAt(cells, left, edge);
      const scale = left * (Number.isNaN(viewers) || sent === 0 ? 1 : viewers / sent);
      return [...cells.values()].flatMap(({ askers, byEdge }) => {
        const present = byEdge.get(edge);
        byEdge.delete(edge);
        if (present === undefined) return [];
        const { http, resolvers, subnets } = present;
        return [
          { askers: askers[0], http: http * scale, dns: resolvers * scale },
          { askers: askers[1], http: 0, dns: subnets * scale },
        ];
      });
    },
    bind({ askers, edge, viewers }) {
      const cell = cells.get(squareOf(askers));
      if (cell === undefined) return;
      const present = presentIn(cell, edge);
      present[askers === cell.askers[0] ? "resolvers" : "subnets"] += viewers / left;
    },
    presentAt: (edge) => presentAt(cells, left, edge),
    renumber(poolOf) {
      const before = [...cells.values()];
      cells.clear();
      trends.clear();
      const movedTrends = new Set<Trend>();
      for (const cell of before) {
        const pool = poolOf(cell.pool);
        if (pool === undefined) continue;
        const moved = cellAt(pool, cell.latitude, cell.longitude);
        addCell(moved, cell);
        if (!movedTrends.has(cell.trend)) addTrend(moved.trend, cell.trend);
        movedTrends.add(cell.trend);
      }
    },
    unpricedAt: (edge, horizonSeconds, departureRate) =>
      (unpriced.get(edge) ?? 0) * staySeconds(horizonSeconds, departureRate),
    forget(edge) {
      unpriced.delete(edge);
      for (const { byEdge } of cells.values()) byEdge.delete(edge);
    },
    memory(pool, idOf) {
      renormalise();
      const learned: LearnedCell[] = [];
      for (const cell of cells.values()) {
        if (cell.pool !== pool || Number.isNaN(cell.latitude)) continue;
        const present = [...cell.byEdge].flatMap(([slot, { http, resolvers, subnets }]) => {
          const id = idOf(slot);
          return id === undefined ? [] : [[id, [http, resolvers, subnets]] as const];
        });
        const { latitude, longitude, slow } = cell;
        learned.push({ latitude, longitude, perSecond: slow, present: Object.fromEntries(present) });
      }
      return learned;
    },
    remember(pool, learned, slotOf) {
      for (const { latitude, longitude, perSecond, present } of learned) {
        const cell = cellAt(pool, latitude, longitude);
        cell.slow += perSecond;
        cell.trend.slow += perSecond;
        cell.trend.fast += perSecond;
        for (const [id, [http, resolvers, subnets]] of Object.entries(present)) {
          const slot = slotOf(id);
          if (slot === undefined) continue;
          const there = presentIn(cell, slot);
          there.http += http / left;
          there.resolvers += resolvers / left;
          there.subnets += subnets / left;
        }
      }
    },
    forecast(horizonSeconds, departureRate, waitingAt) {
      const stay = (seconds: number): number => staySeconds(seconds, departureRate);
      const stayed = Math.exp(-departureRate * horizonSeconds);
      const regions: Region[] = [];
      for (const [square, { pool, trend, latitude, longitude, slow }] of cells) {
        // Who cannot be located goes wherever there is room, whatever it costs.
        if (Number.isNaN(latitude) || !isPriced(pool)) continue;
        const growth = growthOf(trend);
        // What has ended has ended; what has begun may end.
        const lasts = growth > 0 ? trend.growingSeconds * GROWTH_LASTS : horizonSeconds;
        const excess = slow * growth * stay(Math.min(lasts, horizonSeconds));
        const viewers = Math.max(0, slow * stay(horizonSeconds) + excess) + waitingAt(square) * stayed;
        if (viewers > 0) regions.push({ pool, latitude, longitude, viewers });
      }
      if (regions.length <= REGIONS_MAX) return regions;
      return regions.sort((a, b) => b.viewers - a.viewers).slice(0, REGIONS_MAX);
    },
  };
}

/** One who comes evenly within the horizon is still there at its end with a probability of this by the horizon. */
function staySeconds(horizonSeconds: number, departureRate: number): number {
  return (1 - Math.exp(-departureRate * horizonSeconds)) / departureRate;
}

interface Cell {
  /** Resolvers, and those who name a subnet. */
  readonly askers: readonly [number, number];
  readonly pool: number;
  readonly trend: Trend;
  latitude: number;
  longitude: number;
  /** Arrivals per second over the last quarter of an hour. */
  slow: number;
  /** Of the mean point. */
  weight: number;
  readonly byEdge: Map<number, Present>;
}

/** Of two pools that have become one. */
function addCell(cell: Cell, other: Cell): void {
  cell.slow += other.slow;
  cell.weight += other.weight;
  if (cell.weight > 0) {
    cell.latitude += ((other.latitude - cell.latitude) * other.weight) / cell.weight;
    cell.longitude += ((other.longitude - cell.longitude) * other.weight) / cell.weight;
  }
  for (const [edge, { http, resolvers, subnets }] of other.byEdge) {
    const present = presentIn(cell, edge);
    present.http += http;
    present.resolvers += resolvers;
    present.subnets += subnets;
  }
}

/** Viewers there, before decay, by how they came. */
interface Present {
  http: number;
  resolvers: number;
  subnets: number;
}

function presentIn({ byEdge }: Cell, edge: number): Present {
  const known = byEdge.get(edge);
  if (known !== undefined) return known;
  const present = { http: 0, resolvers: 0, subnets: 0 };
  byEdge.set(edge, present);
  return present;
}

function viewersIn({ http, resolvers, subnets }: Present): number {
  return http + resolvers + subnets;
}

/** Arrivals per second in a part of the world. */
interface Trend {
  fast: number;
  slow: number;
  /** How long it has been growing. */
  growingSeconds: number;
}

function addTrend(trend: Trend, other: Trend): void {
  trend.fast += other.fast;
  trend.slow += other.slow;
  trend.growingSeconds = Math.max(trend.growingSeconds, other.growingSeconds);
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
  for (const { byEdge } of cells.values()) {
    const present = byEdge.get(edge);
    if (present !== undefined) viewers += viewersIn(present);
  }
  return viewers * left;
}
