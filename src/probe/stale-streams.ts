import type { MetricFamily } from "../model/metrics.ts";

/** Which streams are stale at which edge, as long as any check says so. */
export interface StaleStreams {
  /** What one check thinks; `check` is anything that stands for it. */
  set(edgeId: string, stream: string, check: object, stale: boolean): void;
  readonly byEdge: ReadonlyMap<string, ReadonlySet<string>>;
  metric(): MetricFamily;
}

/** @param onStale is told of every change */
export function createStaleStreams(
  onStale: (edgeId: string, stream: string, stale: boolean) => void,
): StaleStreams {
  const accusers = new Map<string, Set<object>>();
  const byEdge = new Map<string, Set<string>>();

  const change = (edgeId: string, stream: string, stale: boolean): void => {
    const streams = byEdge.get(edgeId) ?? new Set();
    if (stale) streams.add(stream);
    else streams.delete(stream);
    if (streams.size === 0) byEdge.delete(edgeId);
    else byEdge.set(edgeId, streams);
    onStale(edgeId, stream, stale);
  };

  return {
    set(edgeId, stream, check, stale) {
      const key = `${edgeId} ${stream}`;
      const before = accusers.get(key) ?? new Set();
      const sizeBefore = before.size;
      if (stale) before.add(check);
      else before.delete(check);
      if (before.size === 0) accusers.delete(key);
      else accusers.set(key, before);
      if (sizeBefore > 0 !== before.size > 0) change(edgeId, stream, stale);
    },
    byEdge,
    metric: () => ({
      kind: "gauge",
      name: "edge_stale_streams",
      help: "Active streams that are stale at an edge.",
      samples: [...byEdge].map(([edge, streams]) => ({ labels: { edge }, value: streams.size })),
    }),
  };
}
