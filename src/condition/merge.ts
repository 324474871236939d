import type { LoadReport } from "../model/condition.ts";
import type { Capacity } from "../model/edge.ts";

/** The newest report of one source. */
export interface Received {
  readonly report: LoadReport;
  /** Monotonic. */
  readonly atMs: number;
  readonly staleAfterMs: number;
}

/** Field by field, the first source in the list that knows it and is fresh. */
export function mergeReports(sources: readonly (Received | undefined)[], nowMs: number): LoadReport {
  const fresh = sources.filter((source) => source !== undefined && isFresh(source, nowMs));
  const merged: { [field: string]: unknown } = {};
  for (const source of fresh) {
    for (const [field, value] of Object.entries(source?.report ?? {})) merged[field] ??= value;
  }
  return merged;
}

/** A report of exactly `staleAfterMs` is stale. */
export function isFresh({ atMs, staleAfterMs }: Received, nowMs: number): boolean {
  return nowMs - atMs < staleAfterMs;
}

/**
 * Share of the capacity in use by whichever of viewers and bandwidth binds: 0 empty, 1 full, more is
 * overload; NaN when nothing that is limited is known. A capacity of 0 is full whatever is known.
 */
export function loadRatioOf(load: LoadReport, capacity: Capacity): number {
  const ratios = [
    shareOf(load.viewers, capacity.viewers),
    shareOf(load.bandwidth, capacity.bandwidth),
  ].filter((ratio) => !Number.isNaN(ratio));
  return ratios.length === 0 ? Number.NaN : Math.max(...ratios);
}

function shareOf(used: number | undefined, limit: number | undefined): number {
  if (limit === 0) return 1;
  return used === undefined || limit === undefined ? Number.NaN : used / limit;
}
