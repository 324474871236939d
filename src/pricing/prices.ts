import type { Edge } from "../model/edge.ts";
import type { Growth, Region } from "./demand.ts";
import type { Look, Outcome } from "./look-ahead.ts";
import type { Solver } from "./solver.ts";
import type { Pool } from "./transport.ts";

/**
 * The prices in force. They look ahead in steps: first as far as a viewer stays, so that who can go elsewhere at least
 * cost does so before it is full; then ever less far, with the prices found as the least, so that what is scarce now
 * costs more now.
 *
 * How long a crowd gathers nobody knows: a price is the mean of what it would be if that went on for long, and if it
 * ended now.
 */
export interface Prices {
  /** Other edges, other pools: `from` is each edge's index before, or -1. */
  take(edges: readonly Edge[], pools: readonly Pool[], from: readonly number[]): void;
  /**
   * Finds new prices: now or soon, as the solver does.
   * @param isSudden something has come or gone: the prices follow as far as they are found
   */
  solve(outlook: Outlook, isSudden: boolean, nowMs: number): void;
  /** In force until others are found. */
  remember(km: Float64Array): void;
  /** By `Edge.index`. */
  readonly km: Float64Array;
}

/** What is expected. */
export interface Outlook {
  /** Regions with the viewers who come within so many seconds and are still there at their end. */
  readonly regions: (seconds: number, growth: Growth) => readonly Region[];
  readonly edges: readonly EdgeOutlook[];
  /** Viewers who come to an edge within so many seconds whatever it costs, and are still there at their end. */
  readonly unpriced: (edge: number, seconds: number) => number;
  /** Departures per viewer and second. */
  readonly departureRate: number;
}

export interface EdgeOutlook {
  /** Viewers that it can carry; Infinity: no limit, or none known. */
  readonly capacity: number;
  /** Share of that which all services leave free, 0..0.5. */
  readonly margin: number;
  /** Viewers there now. */
  readonly viewers: number;
}

/** How far ahead the prices look. */
const HORIZONS_SECONDS = [3000, 600, 120] as const;
/** Share of a new solution that is taken where it is higher, */
const RISE_SHARE = 0.3;
/**
 * and where it is lower. A city at the point where two edges cost the same goes to the one or to the other as a
 * whole, so that a price which falls as fast as it rises swings for ever, and the city with it.
 */
const FALL_SHARE = 0.01;
/** A growth that brings less than this share of all who are expected is not worth another solution. */
const GROWTH_SHARE = 0.01;
/** Changes smaller than this are not worth moving anybody for. */
const STEADY_KM = 5;
/** Share of an edge that is free while it has a price, in the long run, beside what services leave free, */
const FREE_SHARE = 0.006;
/** or so many viewers, where that is more: chance moves by them. */
const FREE_VIEWERS = 6;
/** How fast the furthest look is corrected where that share is missed. */
const TRIM_SECONDS = 150;
const TRIM_MIN = -0.5;
const TRIM_MAX = 0.2;

/** @param onSudden prices have followed something that has come or gone */
export function createPrices(solver: Solver, onSudden: () => void): Prices {
  let smooth = new Float64Array(0);
  let km = new Float64Array(0);
  /** How much more room than there is the furthest look is told of, as a share. */
  let trim = new Float64Array(0);
  let solvedAtMs = Number.NaN;
  /** Something has come or gone, and no prices were found since. */
  let isUnsettled = false;
  /** Of the last look at them. */
  let edgesSeen: readonly EdgeOutlook[] = [];

  const correct = (outlook: Outlook, seconds: number): void => {
    trim = trim.map((before, edge) => {
      const { capacity, margin, viewers } = outlook.edges[edge] as EdgeOutlook;
      const missing = 1 - Math.max(margin + FREE_SHARE, FREE_VIEWERS / capacity) - viewers / capacity;
      const isPriced = (km[edge] as number) > 0 && Number.isFinite(missing);
      const next = isPriced
        ? before + (missing * seconds) / TRIM_SECONDS
        : before * Math.exp(-seconds / TRIM_SECONDS);
      return Math.min(TRIM_MAX, Math.max(TRIM_MIN, next));
    });
  };

  const roomFor = (outlook: Outlook, seconds: number, isFurthest: boolean): Float64Array => {
    const left = Math.exp(-outlook.departureRate * seconds);
    return Float64Array.from(outlook.edges, ({ capacity, margin, viewers }, edge) => {
      if (!Number.isFinite(capacity)) return capacity;
      const wanted = capacity * (1 - margin) * (isFurthest ? 1 + (trim[edge] as number) : 1);
      return Math.max(0, wanted - viewers * left - outlook.unpriced(edge, seconds));
    });
  };

  const outcomesOf = (outlook: Outlook): Outcome[] => {
    const rooms = HORIZONS_SECONDS.map((ahead, i) => roomFor(outlook, ahead, i === 0));
    const look = (growth: Growth, i: number): Look => ({
      regions: outlook.regions(HORIZONS_SECONDS[i] as number, growth),
      room: rooms[i] as Float64Array,
    });
    const furthest = { ends: look("ends", 0), lasts: look("lasts", 0) };
    const isOne = viewersIn(furthest.lasts) <= viewersIn(furthest.ends) * (1 + GROWTH_SHARE);
    const growths: Growth[] = isOne ? ["lasts"] : ["ends", "lasts"];
    return growths.map((growth) => rooms.map((_, i) => (i === 0 ? furthest[growth] : look(growth, i))));
  };

  const move = (found: Float64Array, isWhole: boolean): void => {
    smooth = smooth.map((price, edge) => {
      if (!hasRoomToSell(edgesSeen[edge])) return 0;
      const change = (found[edge] as number) - price;
      const share = isWhole ? 1 : change > 0 ? RISE_SHARE : FALL_SHARE;
      const next = price + change * share;
      return next < 1 ? 0 : next;
    });
    km = km.map((price, edge) => {
      const next = smooth[edge] as number;
      return Math.abs(next - price) < STEADY_KM && next > STEADY_KM ? price : next;
    });
  };

  /** @param isSudden it is known of what has come or gone: an answer to what was asked before knows nothing of it */
  const follow = (found: Float64Array, isSudden: boolean): void => {
    move(found, isSudden);
    if (!isSudden) return;
    isUnsettled = false;
    onSudden();
  };

  return {
    get km() {
      return km;
    },
    take(edges, pools, from) {
      const moved = (values: Float64Array) => Float64Array.from(from, (i) => values[i] ?? 0);
      [smooth, km, trim] = [moved(smooth), moved(km), moved(trim)];
      edgesSeen = [];
      solver.take(
        edges.map(({ location }) => location),
        pools,
        from,
      );
    },
    remember(before) {
      [smooth, km] = [before.slice(), before.slice()];
    },
    solve(outlook, isSudden, nowMs) {
      const seconds = (nowMs - solvedAtMs) / 1000;
      solvedAtMs = nowMs;
      if (seconds > 0) correct(outlook, Math.min(10, seconds));
      isUnsettled ||= isSudden;
      edgesSeen = outlook.edges;
      if (outlook.edges.every(({ capacity }) => capacity === Number.POSITIVE_INFINITY)) {
        // Nobody's room is wanted: what would be found is known, and the world that is being made has it.
        move(new Float64Array(km.length), isUnsettled);
        isUnsettled = false;
        return;
      }
      const isAnswerSudden = isUnsettled;
      solver.solve(outcomesOf(outlook), isAnswerSudden, (found) => follow(found, isAnswerSudden));
    },
  };
}

function viewersIn({ regions }: Look): number {
  return regions.reduce((sum, { viewers }) => sum + viewers, 0);
}

/** Who takes nobody, or everybody, has no price. */
function hasRoomToSell(edge: EdgeOutlook | undefined): boolean {
  return edge !== undefined && edge.capacity > 0 && Number.isFinite(edge.capacity);
}
