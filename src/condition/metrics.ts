import type { Labels, MetricFamily } from "../model/metrics.ts";
import { type Entry, reportAgeMs } from "./entry.ts";
import { upBits } from "./facts.ts";

const STATES = ["active", "drain", "off"] as const;

/** The gauges of all edges; what is unknown has no sample. */
export function conditionMetrics(entries: readonly Entry[], nowMs: number): MetricFamily[] {
  const perEdge = (name: string, help: string, valueOf: (entry: Entry) => number | undefined) =>
    gauge(
      name,
      help,
      entries.map((entry) => ({ labels: { edge: entry.edge.id }, value: valueOf(entry) })),
    );
  return [
    gauge("edge_up", "Whether probes find the edge up, by address family.", entries.flatMap(upSamples)),
    gauge("edge_state", "1 for the administrative state that holds.", entries.flatMap(stateSamples)),
    perEdge("edge_load_ratio", "Share of the capacity in use; 1 is full.", ({ view }) => view.loadRatio),
    perEdge("edge_viewers", "Viewers, as reported.", ({ view }) => view.load.viewers),
    perEdge("edge_bandwidth_bits", "Bits per second out, as reported.", ({ view }) => view.load.bandwidth),
    perEdge("edge_report_age_seconds", "Age of the newest load report.", (entry) => {
      const ageMs = reportAgeMs(entry, nowMs);
      return ageMs === undefined ? undefined : ageMs / 1000;
    }),
  ];
}

interface MaybeSample {
  readonly labels: Labels;
  /** Undefined or NaN: unknown. */
  readonly value: number | undefined;
}

function gauge(name: string, help: string, maybe: readonly MaybeSample[]): MetricFamily {
  const samples = maybe.flatMap(({ labels, value }) =>
    value === undefined || Number.isNaN(value) ? [] : [{ labels, value }],
  );
  return { kind: "gauge", name, help, samples };
}

function upSamples(entry: Entry): MaybeSample[] {
  const bits = upBits(entry);
  return entry.health.map(({ family }) => ({
    labels: { edge: entry.edge.id, family: family === 4 ? "ipv4" : "ipv6" },
    value: (bits & (family === 4 ? 1 : 2)) === 0 ? 0 : 1,
  }));
}

function stateSamples({ edge, view }: Entry): MaybeSample[] {
  return STATES.map((state) => ({
    labels: { edge: edge.id, state },
    value: view.effective.state === state ? 1 : 0,
  }));
}
