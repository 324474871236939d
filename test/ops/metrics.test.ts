import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Histogram } from "../../src/base/histogram.ts";
import type { MetricFamily } from "../../src/model/metrics.ts";
import { ask, counterFamily, type FakeDoor, openDoor, parseMetrics, type Scrape } from "./fake.ts";

let door: FakeDoor;
beforeEach(async () => {
  door = await openDoor();
});
afterEach(() => door.stop());

async function scrape(): Promise<Scrape> {
  return parseMetrics((await ask(door, "/metrics")).text);
}

describe("metrics", () => {
  it("are in the Prometheus text format, with the build and the runtime", async () => {
    const reply = await ask(door, "/metrics");
    expect(reply.headers["content-type"]).toBe("text/plain; version=0.0.4; charset=utf-8");
    const { types, samples } = parseMetrics(reply.text);
    expect(samples.get(`edgeward_build_info{version="1.2.3",node="${process.version}"}`)).toBe(1);
    expect(types.get("process_cpu_seconds_total")).toBe("counter");
    expect(types.get("nodejs_eventloop_lag_seconds")).toBe("gauge");
    expect(types.get("nodejs_gc_duration_seconds")).toBe("histogram");
  });

  it("have names by which counters, and nothing else, are told", async () => {
    const { types } = await scrape();
    const misnamed = [...types].filter(([name, type]) => name.endsWith("_total") !== (type === "counter"));
    expect(misnamed).toEqual([]);
    expect(types.get("nodejs_active_handles")).toBe("gauge");
  });

  it("render counters and gauges with their labels, escaped", async () => {
    const gauge: MetricFamily = {
      kind: "gauge",
      name: "edge_load_ratio",
      help: 'a "ratio"\nof \\ two',
      samples: [
        { labels: { edge: "ams1" }, value: 0.5 },
        { labels: { edge: 'a"b\\c\nd' }, value: Number.POSITIVE_INFINITY },
      ],
    };
    door.api.metrics.push(() => [
      gauge,
      counterFamily("dns_requests_total", 7, { proto: "udp", family: "4" }),
    ]);
    const { text } = await ask(door, "/metrics");
    expect(text).toContain('# HELP edgeward_edge_load_ratio a "ratio"\\nof \\\\ two\n');
    const { types, samples } = parseMetrics(text);
    expect(types.get("edgeward_edge_load_ratio")).toBe("gauge");
    expect(types.get("edgeward_dns_requests_total")).toBe("counter");
    expect(samples.get('edgeward_edge_load_ratio{edge="ams1"}')).toBe(0.5);
    expect(samples.get('edgeward_edge_load_ratio{edge="a\\"b\\\\c\\nd"}')).toBe(Infinity);
    expect(samples.get('edgeward_dns_requests_total{proto="udp",family="4"}')).toBe(7);
  });

  it("render histograms with cumulative buckets, a sum and a count", async () => {
    const histogram = new Histogram([0.001, 0.01, 1]);
    for (const value of [0.0005, 0.001, 0.005, 0.5, 3, 4]) histogram.observe(value);
    door.api.metrics.push(() => [
      {
        kind: "histogram",
        name: "dns_request_duration_seconds",
        help: "time",
        bounds: histogram.bounds,
        samples: [histogram.sample({ proto: "udp" })],
      },
    ]);
    const { types, samples } = await scrape();
    const name = "edgeward_dns_request_duration_seconds";
    expect(types.get(name)).toBe("histogram");
    const bucket = (le: string) => samples.get(`${name}_bucket{le="${le}",proto="udp"}`);
    expect(["0.001", "0.01", "1", "+Inf"].map(bucket)).toEqual([2, 3, 4, 6]);
    expect(samples.get(`${name}_count{proto="udp"}`)).toBe(6);
    expect(samples.get(`${name}_sum{proto="udp"}`)).toBeCloseTo(7.5065);
  });

  it("are read anew at each scrape, so that counters grow", async () => {
    let count = 0;
    door.api.metrics.push(() => [counterFamily("decisions_total", ++count)]);
    const first = await scrape();
    const second = await scrape();
    expect(first.samples.get("edgeward_decisions_total")).toBe(1);
    expect(second.samples.get("edgeward_decisions_total")).toBe(2);
    for (const [name, type] of first.types) {
      if (type !== "counter") continue;
      const before = first.samples.get(name) ?? 0;
      expect(second.samples.get(name) ?? 0).toBeGreaterThanOrEqual(before);
    }
  });

  it("join a family that several rooms offer, and read a source once though it is listed twice", async () => {
    door.api.metrics.push(
      () => [counterFamily("decisions_total", 1, { door: "dns" })],
      () => [counterFamily("decisions_total", 2, { door: "http" })],
      door.metrics,
    );
    const { samples } = await scrape();
    expect(samples.get('edgeward_decisions_total{door="dns"}')).toBe(1);
    expect(samples.get('edgeward_decisions_total{door="http"}')).toBe(2);
    expect((await scrape()).samples.get('edgeward_ops_requests_total{operation="metrics",code="200"}')).toBe(
      1,
    );
  });

  it("go on without a room that throws, and say so", async () => {
    door.api.metrics.push(
      () => {
        throw new Error("a bug");
      },
      () => [counterFamily("decisions_total", 1)],
    );
    const { samples } = await scrape();
    expect(samples.get("edgeward_decisions_total")).toBe(1);
    expect(samples.get("edgeward_metrics_source_failures_total")).toBe(1);
    expect(door.log.lines).toMatchObject([{ level: "error" }]);
  });

  it("are OpenMetrics where Accept asks for it, and the text format afterwards", async () => {
    door.api.metrics.push(() => [counterFamily("decisions_total", 1)]);
    const accept = "application/openmetrics-text;version=1.0.0,text/plain;q=0.5";
    const reply = await ask(door, "/metrics", { headers: { accept } });
    expect(reply.headers["content-type"]).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
    expect(reply.text).toContain("# TYPE edgeward_decisions counter\nedgeward_decisions_total 1\n");
    expect(reply.text).toContain("\nprocess_cpu_seconds_total ");
    expect(reply.text).not.toMatch(/_total_total|\n\n/);
    expect(reply.text.endsWith("\n# EOF\n")).toBe(true);
    const { samples } = await scrape();
    expect(samples.get("edgeward_decisions_total")).toBe(1);
    expect(samples.has("process_cpu_seconds_total")).toBe(true);
  });

  it("count requests by operation, never by path or address", async () => {
    await ask(door, "/v1/edges/ams1");
    await ask(door, "/v1/edges/mars1");
    await ask(door, "/some/path");
    const { samples } = await scrape();
    expect(samples.get('edgeward_ops_requests_total{operation="edge",code="200"}')).toBe(1);
    expect(samples.get('edgeward_ops_requests_total{operation="edge",code="404"}')).toBe(1);
    expect(samples.get('edgeward_ops_requests_total{operation="none",code="404"}')).toBe(1);
  });
});
