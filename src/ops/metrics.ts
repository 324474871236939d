import { collectDefaultMetrics, type Metric, Registry } from "prom-client";
import { Tally } from "../base/tally.ts";
import type { Log } from "../model/log.ts";
import type { HistogramFamily, Labels, MetricFamily, MetricSource, SimpleFamily } from "../model/metrics.ts";

export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

/** Renders one scrape; OpenMetrics where the Accept header names it, the Prometheus text format otherwise. */
export type RenderMetrics = (accept?: string) => Promise<Exposition>;

export interface MetricsOptions {
  /** Read at every scrape. */
  readonly sources: () => Iterable<MetricSource>;
  readonly version: string;
  readonly log: Log;
}

/**
 * The families of all sources under `edgeward_`, the runtime's `process_` and `nodejs_`, and
 * `edgeward_build_info`. A family that several sources offer is one family with all their samples;
 * a source that throws is left out, counted and logged.
 */
export function createMetrics({ sources, version, log }: MetricsOptions): RenderMetrics {
  const failures = new Tally();
  const own = (): readonly MetricFamily[] => [
    buildInfo(version),
    failures.family("metrics_source_failures_total", "Scrapes that a room's metrics were missing from"),
  ];
  return async (accept = "") => {
    const families = [...sources()].flatMap((source) => collect(source, failures, log));
    return render([...families, ...own()], accept.includes("application/openmetrics-text"));
  };
}

const PREFIX = "edgeward_";

function collect(source: MetricSource, failures: Tally, log: Log): readonly MetricFamily[] {
  try {
    return source();
  } catch (error) {
    failures.add();
    log.error({ error }, "metrics of a room left out");
    return [];
  }
}

function buildInfo(version: string): SimpleFamily {
  const labels = { version, node: process.version };
  return { kind: "gauge", name: "build_info", help: "What runs here", samples: [{ labels, value: 1 }] };
}

async function render(families: readonly MetricFamily[], openMetrics: boolean): Promise<Exposition> {
  const registry: Registry = new Registry();
  if (openMetrics) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  const snapshots = [...merge(families), ...(await runtimeSnapshots())];
  for (const snapshot of snapshots) registry.registerMetric(asMetric(snapshot, openMetrics));
  return { contentType: registry.contentType, text: await registry.metrics() };
}

/** What a metric of prom-client answers when it is collected. */
interface Snapshot {
  readonly name: string;
  readonly help: string;
  readonly type: unknown;
  readonly values: Value[];
}

interface Value {
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number | undefined>>;
  /** Beside `labels`; formatted once for all values that share the object. */
  readonly sharedLabels?: Labels;
  readonly value: number;
}

function merge(families: readonly MetricFamily[]): Snapshot[] {
  const byName = new Map<string, Snapshot>();
  for (const family of families) {
    const known = byName.get(family.name);
    if (known === undefined) byName.set(family.name, snapshotOf(family));
    else for (const value of valuesOf(family)) known.values.push(value);
  }
  return [...byName.values()];
}

function snapshotOf(family: MetricFamily): Snapshot {
  return { name: PREFIX + family.name, help: family.help, type: family.kind, values: valuesOf(family) };
}

function valuesOf(family: MetricFamily): Value[] {
  return family.kind === "histogram"
    ? histogramValues(family)
    : family.samples.map(({ labels, value }) => ({ labels, value }));
}

/** Buckets count everything up to their bound; `+Inf` equals `_count`. */
function histogramValues({ name, bounds, samples }: HistogramFamily): Value[] {
  const full = PREFIX + name;
  const limits = [...bounds.map(String), "+Inf"];
  return samples.flatMap(({ labels, counts, sum }) => {
    let count = 0;
    const buckets = limits.map((le, i) => {
      count += counts[i] ?? 0;
      return { metricName: `${full}_bucket`, labels: { le }, sharedLabels: labels, value: count };
    });
    return [
      ...buckets,
      { metricName: `${full}_sum`, labels: {}, sharedLabels: labels, value: sum },
      { metricName: `${full}_count`, labels: {}, sharedLabels: labels, value: count },
    ];
  });
}

/** One per process: prom-client's collectors for it cannot be taken down again. */
let runtime: Registry | undefined;

/**
 * Without those gauges that are named as counters are (`nodejs_active_handles_total` and its like): each is the sum
 * of another.
 */
async function runtimeSnapshots(): Promise<Snapshot[]> {
  if (runtime === undefined) {
    runtime = new Registry();
    collectDefaultMetrics({ register: runtime });
  }
  const all: Snapshot[] = await runtime.getMetricsAsJSON();
  return all.filter(({ name, type }) => type === "counter" || !name.endsWith("_total"));
}

/** The registry adds `_total` to a counter's samples itself in OpenMetrics. */
function asMetric({ name, help, type, values }: Snapshot, openMetrics: boolean): Metric {
  const shown = openMetrics && type === "counter" ? name.replace(/_total$/, "") : name;
  const snapshot = { name: shown, help, type, values };
  return { ...snapshot, get: () => Promise.resolve(snapshot) } as unknown as Metric;
}
