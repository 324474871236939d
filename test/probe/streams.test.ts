import { describe, expect, it, onTestFinished } from "vitest";
import type { Edge, HlsProbe } from "../../src/model/edge.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { Log } from "../../src/model/log.ts";
import type { Service, StreamChecks } from "../../src/model/service.ts";
import type { RunProbe } from "../../src/probe/registry.ts";
import type { FailureReason, ProbeResult } from "../../src/probe/result.ts";
import { type StreamChecker, startStreamChecks } from "../../src/probe/streams.ts";
import { createFakeClock, type FakeClock } from "../base/fake-clock.ts";
import { edge, inventoryOf } from "./inventory.ts";

const CHECKS: StreamChecks = {
  probe: "hls",
  path: "/live/{stream}/index.m3u8",
  intervalMs: 10_000,
  timeoutMs: 1000,
  rise: 1,
  fall: 1,
  perSecond: 10,
  tls: { verify: true },
};

interface Checked {
  readonly checker: StreamChecker;
  readonly clock: FakeClock;
  /** `12000 http://…`: when, and what was asked. */
  readonly asked: string[];
  /** `ams1 cam1 stale`. */
  readonly news: string[];
  readonly warnings: string[];
  /** Reasons by url, for as long as they hold. */
  readonly failing: Map<string, FailureReason>;
}

function checking(inventory: Inventory): Checked {
  const clock = createFakeClock();
  const asked: string[] = [];
  const news: string[] = [];
  const warnings: string[] = [];
  const failing = new Map<string, FailureReason>();
  const run: RunProbe = async (_, probe): Promise<ProbeResult> => {
    const { url } = probe as HlsProbe;
    asked.push(`${clock.monotonicMs()} ${url}`);
    const reason = failing.get(url);
    const seen = { durationMs: 1, steps: [] };
    if (reason === undefined) return { ok: true, ...seen };
    const detail = url.includes("elsewhere") ? { detail: "other-host" } : {};
    return { ok: false, reason, ...detail, ...seen };
  };
  const log: Log = { info() {}, error() {}, warn: (_, message) => void warnings.push(message) };
  const checker = startStreamChecks({
    log,
    clock,
    run,
    onStale: (edgeId, stream, stale) => void news.push(`${edgeId} ${stream} ${stale ? "stale" : "fresh"}`),
  });
  onTestFinished(() => checker.stop());
  checker.take(inventory);
  return { checker, clock, asked, news, warnings, failing };
}

function inventoryWith(
  edges: readonly Edge[],
  streams: StreamChecks | undefined,
  ...ids: string[]
): Inventory {
  const services = (ids.length === 0 ? ["live"] : ids).map((id) => serviceOf(id, edges.length, streams));
  return { ...inventoryOf(edges), services };
}

/** What stream checks look at, and otherwise nothing. */
function serviceOf(id: string, edges: number, streams: StreamChecks | undefined): Service {
  const service = { id, edges: Array.from({ length: edges }, (_, i) => i), ...(streams && { streams }) };
  return service as unknown as Service;
}

const AMS = edge("ams1", { addresses: ["127.0.0.11"], url: "http://ams1.test:8081/hls" });
const SIN = edge("sin1", { addresses: ["127.0.0.12"] });

const urlAt = (stream: string): string => `http://ams1.test:8081/hls/live/${stream}/index.m3u8`;

describe("the checks of a service's streams", () => {
  it("ask each active stream at each edge, behind its url or at its address, once in an interval", async () => {
    const { checker, clock, asked } = checking(inventoryWith([AMS, SIN], CHECKS));
    await clock.advance(5000);
    expect(asked).toEqual([]);
    checker.active("live", ["cam1", "cam2"]);
    await clock.advance(9000);
    expect(asked.map((line) => line.split(" ")[1])).toEqual([
      urlAt("cam1"),
      urlAt("cam2"),
      "http://127.0.0.12/live/cam1/index.m3u8",
      "http://127.0.0.12/live/cam2/index.m3u8",
    ]);
    await clock.advance(10_000);
    expect(asked.length).toBe(8);
  });

  it("start at the pace that is set, and take longer than the interval rather than go faster", async () => {
    const { checker, clock, asked } = checking(inventoryWith([AMS, SIN], CHECKS));
    checker.active(
      "live",
      Array.from({ length: 100 }, (_, i) => `cam${i}`),
    );
    await clock.advance(20_000);
    const times = asked.map((line) => Number(line.split(" ")[0]));
    expect(times.length).toBeGreaterThan(190);
    expect(times.length).toBeLessThanOrEqual(201);
    for (const [i, at] of times.entries())
      if (i > 0) expect(at - (times[i - 1] as number)).toBeGreaterThanOrEqual(100);
    expect(new Set(asked.map((line) => line.split(" ")[1])).size).toBe(
      times.length > 200 ? 200 : times.length,
    );
  });

  it("tell what is stale at which edge, and when it is fresh again", async () => {
    const { checker, clock, failing, news } = checking(inventoryWith([AMS, SIN], CHECKS));
    failing.set(urlAt("cam1"), "stale");
    checker.active("live", ["cam1", "cam2"]);
    await clock.advance(10_000);
    expect(news).toEqual(["ams1 cam1 stale"]);
    expect(checker.staleStreams).toEqual(new Map([["ams1", new Set(["cam1"])]]));
    const gauge = checker.metrics().find(({ name }) => name === "edge_stale_streams");
    expect(gauge?.samples).toEqual([{ labels: { edge: "ams1" }, value: 1 }]);
    failing.clear();
    await clock.advance(10_000);
    expect(news).toEqual(["ams1 cam1 stale", "ams1 cam1 fresh"]);
    expect(checker.staleStreams.size).toBe(0);
  });

  it.each<[FailureReason, boolean]>([
    ["status", true],
    ["segment", true],
    ["playlist", true],
    ["refused", false],
    ["timeout", false],
    ["certificate", false],
  ])("take %s for a fault of the stream: %s", async (reason, isStale) => {
    const { checker, clock, failing, news } = checking(inventoryWith([AMS], CHECKS));
    failing.set(urlAt("cam1"), reason);
    checker.active("live", ["cam1"]);
    await clock.advance(30_000);
    expect(news).toEqual(isStale ? ["ams1 cam1 stale"] : []);
  });

  it("do not hold it against a stream that its variants are on another host", async () => {
    const { checker, clock, failing, news } = checking(inventoryWith([AMS], CHECKS));
    failing.set(urlAt("cam1"), "playlist").set(urlAt("elsewhere"), "playlist");
    checker.active("live", ["cam1", "elsewhere"]);
    await clock.advance(5000);
    expect(news).toEqual(["ams1 cam1 stale"]);
  });

  it("wait for so many bad checks in a row", async () => {
    const { checker, clock, failing, news } = checking(inventoryWith([AMS], { ...CHECKS, fall: 2 }));
    checker.active("live", ["cam1"]);
    await clock.advance(1000);
    failing.set(urlAt("cam1"), "stale");
    await clock.advance(10_000);
    expect(news).toEqual([]);
    await clock.advance(10_000);
    expect(news).toEqual(["ams1 cam1 stale"]);
  });

  it("forget what is no longer active, or no longer configured", async () => {
    const { checker, clock, failing, news, asked } = checking(inventoryWith([AMS], CHECKS));
    failing.set(urlAt("cam1"), "stale");
    checker.active("live", ["cam1"]);
    await clock.advance(1000);
    checker.active("live", ["cam2"]);
    expect(news).toEqual(["ams1 cam1 stale", "ams1 cam1 fresh"]);
    checker.active("live", ["cam1"]);
    await clock.advance(1000);
    checker.take(inventoryWith([AMS], undefined));
    expect(news.slice(2)).toEqual(["ams1 cam1 stale", "ams1 cam1 fresh"]);
    const before = asked.length;
    await clock.advance(60_000);
    expect(asked.length).toBe(before);
  });

  it("go on over a reload that does not concern them", async () => {
    const { checker, clock, failing, news, asked } = checking(inventoryWith([AMS, SIN], CHECKS));
    failing.set(urlAt("cam1"), "stale");
    checker.active("live", ["cam1"]);
    await clock.advance(1000);
    checker.take(inventoryWith([edge("nyc1"), AMS, SIN], CHECKS));
    await clock.advance(1000);
    expect(news).toEqual(["ams1 cam1 stale"]);
    expect(asked.length).toBe(3);
    checker.take(inventoryWith([SIN], CHECKS));
    expect(news).toEqual(["ams1 cam1 stale", "ams1 cam1 fresh"]);
  });

  it("hold a stream stale while the checks of any service say so", async () => {
    const { checker, clock, failing, news } = checking(inventoryWith([AMS], CHECKS, "live", "events"));
    failing.set(urlAt("cam1"), "stale");
    checker.active("live", ["cam1"]);
    checker.active("events", ["cam1"]);
    await clock.advance(1000);
    checker.active("live", []);
    expect(news).toEqual(["ams1 cam1 stale"]);
    checker.active("events", []);
    expect(news).toEqual(["ams1 cam1 stale", "ams1 cam1 fresh"]);
  });

  it("keep names inside the path, and leave out those that cannot be", async () => {
    const { checker, clock, asked } = checking(inventoryWith([AMS], CHECKS));
    checker.active("live", [
      "../x",
      "a/../b",
      "a//b",
      "",
      ".",
      "x".repeat(201),
      "\ud800",
      "app/cam 1?#$&%2f",
    ]);
    await clock.advance(5000);
    expect(asked.map((line) => line.split(" ")[1])).toEqual([urlAt("app/cam%201%3F%23%24%26%252f")]);
  });

  it("stop at a thousand streams, and say so", async () => {
    const { checker, clock, asked, warnings } = checking(
      inventoryWith([AMS], { ...CHECKS, perSecond: 1000 }),
    );
    const active = (count: number) =>
      checker.active(
        "live",
        Array.from({ length: count }, (_, i) => `cam${i}`),
      );
    active(1500);
    await clock.advance(5000);
    expect(asked.length).toBe(1000);
    active(1500);
    active(1400);
    expect(warnings).toEqual(["too many streams: the rest is not checked"]);
    active(1000);
    active(1500);
    expect(warnings).toHaveLength(2);
  });

  it("pass over edges that are off, and forbidden addresses", async () => {
    const metadata = edge("metadata", { addresses: ["169.254.169.254"] });
    const { checker, clock, asked } = checking(inventoryWith([{ ...AMS, state: "off" }, metadata], CHECKS));
    checker.active("live", ["cam1"]);
    await clock.advance(20_000);
    expect(asked).toEqual([]);
  });

  it("do nothing more when stopped", async () => {
    const { checker, clock, asked } = checking(inventoryWith([AMS], CHECKS));
    checker.active("live", ["cam1"]);
    checker.stop();
    await clock.advance(60_000);
    expect(asked).toEqual([]);
  });
});
