import { type Facts, STATE_ACTIVE } from "../model/world.ts";
import type { Sizes } from "./answers.ts";
import type { Estimates } from "./estimates.ts";
import { isFull } from "./margins.ts";
import type { EdgeOutlook } from "./prices.ts";
import type { Reports } from "./reports.ts";
import type { Setting } from "./settings.ts";

/** How much of an edge may be taken, and is. */
export interface Room {
  /** By `Edge.index`. */
  outlooks(facts: Facts, nowMs: number): EdgeOutlook[];
}

/** So many viewers more or less than are known of may be there, */
const RESERVE_VIEWERS = 2;
/** or one more, which an edge notices that is smaller than this. */
const SMALL_EDGE_VIEWERS = 500;
/** At most this share of an edge is kept free for what one more answer may bring. */
const RESERVE_MAX = 0.05;

/**
 * Share of an edge that is kept free, beside what services leave free: in a rush one answer more may be many viewers
 * too many.
 */
export function reserveOf({ greatest, rush }: Sizes, perViewer: number): number {
  const reserve = greatest * perViewer * (1 - 1 / rush);
  const unknown = perViewer * SMALL_EDGE_VIEWERS > 1 ? RESERVE_VIEWERS + 1 : RESERVE_VIEWERS;
  return Math.min(RESERVE_MAX, Math.max(reserve, unknown * perViewer));
}

export function createRoom(setting: () => Setting, reports: Reports, estimates: Estimates): Room {
  const outlookOf = (
    { up, state, perViewer, loadRatio }: Facts,
    edge: number,
    margin: number,
    nowMs: number,
  ): EdgeOutlook => {
    if (up[edge] === 0 || state[edge] !== STATE_ACTIVE) return { capacity: 0, margin, viewers: 0 };
    const each = perViewer[edge] as number;
    if (each !== 0 && reports.hasReported(edge))
      return { capacity: 1 / each, margin, viewers: estimates.viewersOrSent(edge, nowMs) };
    // Who has never reported may be empty whatever we decided: unknown is not full. But who is full takes nobody,
    // whatever fills it.
    const capacity = isFull(loadRatio[edge] as number, margin) ? 0 : Number.POSITIVE_INFINITY;
    return { capacity, margin, viewers: 0 };
  };
  return {
    outlooks: (facts, nowMs) =>
      Array.from(setting().margins, (margin, edge) => outlookOf(facts, edge, margin, nowMs)),
  };
}
