import { Histogram } from "../base/histogram.ts";
import { Tally } from "../base/tally.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { ProbeResult } from "./result.ts";
import type { Target } from "./target.ts";

/** How probes went. */
export interface ProbeCounts {
  count(target: Target, result: ProbeResult): void;
  /** A result that says nothing of the edge. */
  discard(): void;
  readonly metrics: MetricSource;
}

export function createCounts(): ProbeCounts {
  const durations = new Map<string, Histogram>();
  const failures = new Tally("edge", "reason");
  let discarded = 0;
  const count = (target: Target, result: ProbeResult): void => {
    const { type } = target.probe;
    const histogram = durations.get(type) ?? new Histogram(DURATION_BOUNDS_SECONDS);
    durations.set(type, histogram);
    histogram.observe(result.durationMs / 1000);
    if (!result.ok) failures.add(target.edgeId, result.reason);
  };
  const metrics: MetricSource = () => [
    {
      kind: "histogram",
      name: "probe_duration_seconds",
      help: "Duration of probes by type.",
      bounds: DURATION_BOUNDS_SECONDS,
      samples: [...durations].map(([type, histogram]) => histogram.sample({ type })),
    },
    failures.family("probe_failures_total", "Failed probes by edge and reason."),
    {
      kind: "counter",
      name: "probe_discarded_total",
      help: "Probe results not counted because this process or machine was the cause.",
      samples: [{ labels: {}, value: discarded }],
    },
  ];
  return { count, discard: () => void discarded++, metrics };
}

const DURATION_BOUNDS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
