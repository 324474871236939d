import type { DrainView } from "../model/drain.ts";
import type { MetricFamily } from "../model/metrics.ts";

/** Gauges of the edges that drain; what is unknown has no sample. @param wallMs milliseconds since 1970 */
export function drainMetrics(drains: ReadonlyMap<string, DrainView>, wallMs: number): MetricFamily[] {
  const perEdge = (
    name: string,
    help: string,
    valueOf: (view: DrainView) => number | undefined,
  ): MetricFamily => {
    const samples = [...drains].flatMap(([edge, view]) => {
      const value = valueOf(view);
      return value === undefined ? [] : [{ labels: { edge }, value }];
    });
    return { kind: "gauge", name, help, samples };
  };
  const secondsUntil = (atMs: number | undefined): number | undefined =>
    atMs === undefined ? undefined : (atMs - wallMs) / 1000;
  return [
    perEdge(
      "drain_viewers_left",
      "Viewers that are left on an edge that drains.",
      (view) => view.viewersLeft,
    ),
    perEdge(
      "drain_moved_ratio",
      "Share of those who can be moved that is told to leave by now.",
      (view) => view.movedShare,
    ),
    perEdge(
      "drain_empty_seconds",
      "Seconds until an edge that drains is expected to be empty; 0: it is.",
      (view) => (view.emptySinceMs === undefined ? secondsUntil(view.emptyAtMs) : 0),
    ),
    perEdge("drain_deadline_seconds", "Seconds until an edge is to be empty; below 0: it is late.", (view) =>
      secondsUntil(view.deadlineMs),
    ),
  ];
}
