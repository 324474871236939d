import type { Facts } from "../model/world.ts";
import { isIncredible } from "./incredible.ts";

/** The last report of each edge's viewers, by `Edge.index`. */
export interface Reports {
  /** Other edges: `from` is each one's index before, or -1. */
  take(from: readonly number[]): void;
  /** Of an edge that is up. */
  receive(facts: Facts, edge: number): News;
  /** It is down: whoever it had is elsewhere. */
  forget(edge: number): void;
  last(edge: number): Known | undefined;
  /**
   * Whether it ever said how many viewers it has: one that is back says so soon, and is known to be empty till then.
   */
  hasReported(edge: number): boolean;
  /** Whether the newest report is one that nobody believes yet. */
  isDoubted(edge: number): boolean;
}

export interface Known {
  readonly viewers: number;
  readonly atMs: number;
  /** It is too old to be believed; kept to know that this edge does report. */
  readonly stale: boolean;
}

export type News =
  | { readonly kind: "none" | "silent" | "first" }
  | { readonly kind: "next"; readonly before: Known; readonly now: Known };

const NONE: News = { kind: "none" };

export function createReports(): Reports {
  let known: (Known | undefined)[] = [];
  let hasReported: (boolean | undefined)[] = [];
  /** What the last report said, where nobody believes it yet. */
  let doubted: (number | undefined)[] = [];
  let doubtedAtMs: number[] = [];

  const silence = (edge: number): News => {
    const before = known[edge];
    if (before?.stale !== false) return NONE;
    known[edge] = { ...before, stale: true };
    return { kind: "silent" };
  };

  return {
    take(from) {
      [known, hasReported] = [from.map((i) => known[i]), from.map((i) => hasReported[i])];
      [doubted, doubtedAtMs] = [[], []];
    },
    receive(facts, edge) {
      const viewers = viewersIn(facts, edge);
      const atMs = facts.viewersAtMs[edge] as number;
      if (Number.isNaN(viewers) || Number.isNaN(atMs)) return silence(edge);
      const before = known[edge];
      if ((before !== undefined && atMs <= before.atMs) || atMs === doubtedAtMs[edge]) return NONE;
      if (before?.stale === false && isIncredible(before.viewers, viewers, doubted[edge])) {
        doubted[edge] = viewers;
        doubtedAtMs[edge] = atMs;
        return NONE;
      }
      const now = { viewers, atMs, stale: false };
      known[edge] = now;
      doubted[edge] = undefined;
      hasReported[edge] = true;
      return before?.stale === false ? { kind: "next", before, now } : { kind: "first" };
    },
    forget(edge) {
      known[edge] = undefined;
    },
    last: (edge) => known[edge],
    hasReported: (edge) => hasReported[edge] === true,
    isDoubted: (edge) => doubted[edge] !== undefined,
  };
}

/** As reported, or by what they take; NaN where neither is known. */
function viewersIn({ viewers, loadRatio, perViewer }: Facts, edge: number): number {
  const reported = viewers[edge] as number;
  const each = perViewer[edge] as number;
  return Number.isNaN(reported) && each > 0 ? (loadRatio[edge] as number) / each : reported;
}
