import type { LoadReport } from "../model/condition.ts";
import type { Capacity } from "../model/edge.ts";

/** The newest report of one source. */
export interface Received {
  readonly report: LoadReport;
  /** Monotonic. */
  readonly atMs: number;
  readonly staleAfterMs: number;
}

/** Field by field, the first source in the list that knows it and is fresh; so are the capacities they state. */
export function mergeReports(sources: readonly (Received | undefined)[], nowMs: number): LoadReport {
  const fresh = sources.flatMap((source) =>
    source !== undefined && isFresh(source, nowMs) ? [source.report] : [],
  );
  const stated = fresh.flatMap(({ capacity }) => (capacity === undefined ? [] : [capacity]));
  const merged = firstKnown(fresh);
  return stated.length === 0 ? merged : { ...merged, capacity: firstKnown(stated) };
}

/** Monotonic, of the report that `mergeReports` has that quantity from; undefined where none is fresh and knows it. */
export function measuredAtMs(
  quantity: Quantity,
  sources: readonly (Received | undefined)[],
  nowMs: number,
): number | undefined {
  return sources[sourceIndexOf(quantity, sources, nowMs)]?.atMs;
}

/** Of the source that `mergeReports` has that quantity from; -1 where none is fresh and knows it. */
export function sourceIndexOf(
  quantity: Quantity,
  sources: readonly (Received | undefined)[],
  nowMs: number,
): number {
  return sources.findIndex((source) => source?.report[quantity] !== undefined && isFresh(source, nowMs));
}

function firstKnown<T extends object>(parts: readonly T[]): T {
  return Object.assign({}, ...parts.toReversed()) as T;
}

/** A report of exactly `staleAfterMs` is stale. */
export function isFresh({ atMs, staleAfterMs }: Received, nowMs: number): boolean {
  return nowMs - atMs < staleAfterMs;
}

/** What fills an edge. */
export type Quantity = "viewers" | "bandwidth" | "cpu" | "memory";

/** What binds, if anything that is limited is known. */
export interface Binding {
  /** Share of the capacity in use: 0 empty, 1 full, more is overload; NaN unknown or unlimited. */
  readonly ratio: number;
  readonly quantity?: Quantity;
}

/**
 * Whichever of viewers, bandwidth, cpu and memory fills the edge most. A capacity of 0 is full whatever is known.
 * @param configured what the operator gave; where that is silent, what the server states of itself counts
 */
export function bindingOf(load: LoadReport, configured: Capacity): Binding {
  const capacity = { ...load.capacity, ...configured };
  const shares: readonly Required<Binding>[] = [
    { quantity: "viewers", ratio: shareOf(load.viewers, capacity.viewers) },
    { quantity: "bandwidth", ratio: shareOf(load.bandwidth, capacity.bandwidth) },
    { quantity: "cpu", ratio: strainOf(load.cpu, capacity.cpu ?? CPU_FULL) },
    { quantity: "memory", ratio: strainOf(load.memory, capacity.memory ?? MEMORY_FULL) },
  ];
  return shares.reduce<Binding>(
    (most, share) => (most.ratio >= share.ratio || Number.isNaN(share.ratio) ? most : share),
    {
      ratio: Number.NaN,
    },
  );
}

/** Shares of processors and memory in use at which an edge is full, where the operator gave none. */
const CPU_FULL = 0.95;
const MEMORY_FULL = 0.98;
/** Below this part of that, processors and memory say nothing of how many more viewers there is room for. */
const STRAINED_FROM = 0.8;

/** NaN where nothing strains: a machine that does nothing has much of its memory in use, too. */
function strainOf(used: number | undefined, full: number): number {
  const strain = used === undefined ? Number.NaN : used / full;
  return strain >= STRAINED_FROM ? strain : Number.NaN;
}

/** Fewer viewers than this say little of what one takes. */
const VIEWERS_TO_JUDGE_BY = 20;
/** What a viewer takes where no report has shown it: a usual video bit rate. */
const USUAL_BITS_PER_VIEWER = 4_000_000;

/**
 * How much of the capacity one more viewer takes, by whichever limit he brings nearest: measured where enough
 * viewers are there, else by the capacity. 0 where nothing is limited.
 */
export function perViewerOf(load: LoadReport, configured: Capacity, loadRatio: number): number {
  const capacity = { ...load.capacity, ...configured };
  const { viewers = 0 } = load;
  const measured = viewers >= VIEWERS_TO_JUDGE_BY && loadRatio > 0 ? loadRatio / viewers : 0;
  const byViewers = capacity.viewers === undefined ? 0 : 1 / capacity.viewers;
  const byBandwidth = capacity.bandwidth === undefined ? 0 : USUAL_BITS_PER_VIEWER / capacity.bandwidth;
  const share = Math.max(byViewers, measured > 0 ? measured : byBandwidth);
  return Number.isFinite(share) ? share : 1;
}

function shareOf(used: number | undefined, limit: number | undefined): number {
  if (limit === 0) return 1;
  return used === undefined || limit === undefined ? Number.NaN : used / limit;
}
