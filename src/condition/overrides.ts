import type { Clock } from "../base/clock.ts";
import type { Edge } from "../model/edge.ts";
import { carriedOver, endsAtMs, type Override } from "./override.ts";

/** Overrides by edge. */
export interface Overrides {
  set(override: Override): void;
  get(edgeId: string): Override | undefined;
  /** False: there was none. */
  remove(edgeId: string): boolean;
  all(): Override[];
  /** True: one has lapsed, or its edge has gone or come back. */
  take(edges: readonly Edge[]): boolean;
  /** Removes what has ended and names its edges. */
  expire(): string[];
}

/**
 * They end by the monotonic clock, so that a wall clock that jumps ends none; and one that is behind the time when
 * they were set, as that of a machine that has just started can be, lets none last longer than it was meant to.
 */
export function createOverrides(clock: Clock, kept: readonly Override[]): Overrides {
  const byEdge = new Map<string, { readonly override: Override; readonly endsAtMs: number }>();
  const set = (override: Override): void => {
    const leftMs = endsAtMs(override) - Math.max(clock.wallMs(), override.atMs);
    byEdge.set(override.edgeId, { override, endsAtMs: clock.monotonicMs() + leftMs });
  };
  kept.forEach(set);
  return {
    set,
    get: (edgeId) => byEdge.get(edgeId)?.override,
    remove: (edgeId) => byEdge.delete(edgeId),
    all: () => [...byEdge.values()].map(({ override }) => override),
    take(edges) {
      const states = new Map(edges.map(({ id, state }) => [id, state]));
      let isChanged = false;
      for (const [edgeId, { override }] of byEdge) {
        const carried = carriedOver(override, states.get(edgeId), clock.wallMs());
        if (carried === override) continue;
        isChanged = true;
        if (carried === undefined) byEdge.delete(edgeId);
        else set(carried);
      }
      return isChanged;
    },
    expire() {
      const nowMs = clock.monotonicMs();
      const ended = [...byEdge].filter(([, { endsAtMs }]) => endsAtMs <= nowMs).map(([edgeId]) => edgeId);
      for (const edgeId of ended) byEdge.delete(edgeId);
      return ended;
    },
  };
}
