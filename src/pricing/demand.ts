import { type Cell, Cells, RECENT_SECONDS } from "./cells.ts";
import type { LearnedCell } from "./learned.ts";
import type { Arrivals, Arrived } from "./ledger.ts";
import type { Bound, Lost, Returned } from "./returns.ts";
import { type PoolOf, squareOf } from "./squares.ts";
import { SLOW_SECONDS } from "./trend.ts";

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
   * @param growth what becomes of the growth that there is
   * @param waitingAt viewers in a square degree who lost their edge and have not come back
   */
  forecast(
    horizonSeconds: number,
    departureRate: number,
    growth: Growth,
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

/** A growth lasts as long again as it has, or it ends now. */
export type Growth = "lasts" | "ends";

/** If it lasts, then at least so long. */
const GROWTH_MIN_SECONDS = 90;
/** For so long after a loss, who comes is no measure of who usually comes. */
const UNSETTLED_SECONDS = 30;
const REGIONS_MAX = 2000;

/** @param isPriced whether the viewers of a pool go where distance and price are least */
export function createDemand(isPriced: (pool: number) => boolean = () => true): Demand {
  const cells = new Cells();
  /** Arrivals per second by edge, over `SLOW_SECONDS`. */
  const unpriced = new Map<number, number>();
  let sinceLossSeconds = Number.POSITIVE_INFINITY;

  const addAt = (
    cell: Cell,
    where: { readonly latitude: number; readonly longitude: number },
    byEdge: ReadonlyMap<number, Arrived>,
    returned: Returned,
    { viewers, keptShare }: Brought,
  ): void => {
    const { pool } = cell;
    const { latitude, longitude } = where;
    const [resolvers, subnets] = cell.askers.map((askers) => returned.get(askers));
    const goesByPrice = isPriced(pool);
    let [sent, came] = [0, 0];
    for (const [edge, arrived] of byEdge) {
      const { http, subnets: ofSubnets = 0 } = arrived;
      const ofResolvers = arrived.dns - ofSubnets;
      const share = keptShare(pool, arrived);
      const brought = (answers: number, nameSubnets: boolean): number =>
        answers > 0 ? answers * viewers(pool, latitude, longitude, nameSubnets, share) : 0;
      const newByResolvers = brought(ofResolvers, false);
      const newBySubnets = brought(ofSubnets, true);
      const byResolvers = newByResolvers + ofResolvers * (resolvers?.perAnswer ?? 0);
      const bySubnets = newBySubnets + ofSubnets * (subnets?.perAnswer ?? 0);
      cells.put(cell, edge, { http, resolvers: byResolvers, subnets: bySubnets });
      sent += http + byResolvers + bySubnets;
      const newByHttp = http * (1 - (resolvers?.httpShare ?? 0));
      const cameHere = newByHttp + newByResolvers + newBySubnets;
      came += cameHere;
      cell.recent += newByHttp;
      if (!goesByPrice) unpriced.set(edge, (unpriced.get(edge) ?? 0) + cameHere / SLOW_SECONDS);
    }
    cell.weight += sent;
    cell.latitude += ((latitude - cell.latitude) * sent) / cell.weight;
    cell.longitude += ((longitude - cell.longitude) * sent) / cell.weight;
    // Who comes back after a loss is no growth.
    if (sinceLossSeconds < UNSETTLED_SECONDS) return;
    cell.slow += came / SLOW_SECONDS;
    cell.trend.came(came);
  };

  return {
    pass(seconds, departureRate) {
      cells.leave(seconds, departureRate);
      sinceLossSeconds += seconds;
      if (sinceLossSeconds < UNSETTLED_SECONDS) return;
      cells.age(seconds);
      for (const [edge, rate] of unpriced) unpriced.set(edge, rate * Math.exp(-seconds / SLOW_SECONDS));
    },
    add(arrivals, returned, brought) {
      for (const [pool, byPlace] of arrivals.entries())
        for (const [{ latitude = Number.NaN, longitude = Number.NaN }, byEdge] of byPlace)
          addAt(cells.at(pool, latitude, longitude), { latitude, longitude }, byEdge, returned, brought);
    },
    lose(edge, viewers) {
      sinceLossSeconds = 0;
      return cells.take(edge, viewers).flatMap(({ cell, lost }) => [
        { askers: cell.askers[0], http: lost.http - takeReturned(cell, lost.http), dns: lost.resolvers },
        { askers: cell.askers[1], http: 0, dns: lost.subnets },
      ]);
    },
    bind({ askers, edge, viewers }) {
      const cell = cells.get(squareOf(askers));
      if (cell === undefined) return;
      const isByResolvers = askers === cell.askers[0];
      cells.put(cell, edge, {
        http: 0,
        resolvers: isByResolvers ? viewers : 0,
        subnets: isByResolvers ? 0 : viewers,
      });
    },
    presentAt: (edge) => cells.presentAt(edge),
    renumber: (poolOf) => cells.renumber(poolOf),
    unpricedAt: (edge, horizonSeconds, departureRate) =>
      (unpriced.get(edge) ?? 0) * staySeconds(horizonSeconds, departureRate),
    forget(edge) {
      unpriced.delete(edge);
      cells.forget(edge);
    },
    memory(pool, idOf) {
      cells.renormalise();
      return [...cells.entries()].flatMap(([, cell]) =>
        cell.pool !== pool || Number.isNaN(cell.latitude) ? [] : [learnedOf(cell, idOf)],
      );
    },
    remember(pool, learned, slotOf) {
      for (const { latitude, longitude, perSecond, present } of learned) {
        const cell = cells.at(pool, latitude, longitude);
        cell.slow += perSecond;
        cell.trend.cameLong(perSecond);
        for (const [id, [http, resolvers, subnets]] of Object.entries(present)) {
          const slot = slotOf(id);
          if (slot !== undefined) cells.put(cell, slot, { http, resolvers, subnets });
        }
      }
    },
    forecast(horizonSeconds, departureRate, growth, waitingAt) {
      const stay = (seconds: number): number => staySeconds(seconds, departureRate);
      const stayed = Math.exp(-departureRate * horizonSeconds);
      const regions: Region[] = [];
      for (const [square, { pool, trend, latitude, longitude, slow }] of cells.entries()) {
        // Who cannot be located goes wherever there is room, whatever it costs.
        if (Number.isNaN(latitude) || !isPriced(pool)) continue;
        const { growth: share, growingSeconds, usualShare } = trend;
        // What has ended has ended; what has begun may end: a minute says little of an hour.
        const longest =
          growth === "lasts" || trend.isYoung ? Math.max(GROWTH_MIN_SECONDS, growingSeconds) : 0;
        const lasts = share > 0 ? longest : horizonSeconds;
        const usual = slow * usualShare;
        const excess = (slow * (1 + share) - usual) * stay(Math.min(lasts, horizonSeconds));
        const viewers = Math.max(0, usual * stay(horizonSeconds) + excess) + waitingAt(square) * stayed;
        if (viewers > 0) regions.push({ pool, latitude, longitude, viewers });
      }
      if (regions.length <= REGIONS_MAX) return regions;
      return regions.sort((a, b) => b.viewers - a.viewers).slice(0, REGIONS_MAX);
    },
  };
}

/**
 * Whoever lost his edge came back while nobody knew of it: he is no growth, and not awaited.
 * @param lost viewers by redirects
 * @returns how many of them
 */
function takeReturned(cell: Cell, lost: number): number {
  const returned = Math.min(lost, Math.max(0, cell.recent - cell.slow * RECENT_SECONDS));
  cell.recent -= returned;
  cell.slow -= returned / SLOW_SECONDS;
  cell.trend.came(-returned);
  return returned;
}

/** Right after `Cells.renormalise`. */
function learnedOf(cell: Cell, idOf: (slot: number) => string | undefined): LearnedCell {
  const present = [...cell.byEdge].flatMap(([slot, { http, resolvers, subnets }]) => {
    const id = idOf(slot);
    return id === undefined ? [] : [[id, [http, resolvers, subnets]] as const];
  });
  const { latitude, longitude, slow } = cell;
  return { latitude, longitude, perSecond: slow, present: Object.fromEntries(present) };
}

/** One who comes evenly within the horizon is still there at its end with a probability of this by the horizon. */
function staySeconds(horizonSeconds: number, departureRate: number): number {
  return (1 - Math.exp(-departureRate * horizonSeconds)) / departureRate;
}
