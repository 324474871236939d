import type { Socket } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { formatAddress } from "../../src/base/address.ts";
import type { Clock } from "../../src/base/clock.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Log } from "../../src/model/log.ts";
import { type Prober, type ProberOptions, startProbes } from "../../src/probe/prober.ts";
import type { RunProbe } from "../../src/probe/registry.ts";
import type { FailureReason, ProbeResult } from "../../src/probe/result.ts";
import { createFakeClock } from "../base/fake-clock.ts";
import { edge, httpProbe, inventoryOf, tcpProbe } from "./inventory.ts";
import { answering, closedPort, HTTP_OK, serveTcp, silent } from "./servers.ts";

const SILENT_LOG: Log = { info() {}, warn() {}, error() {} };

interface Probed {
  readonly prober: Prober;
  /** The last word on each edge and family, as `ams1/4`. */
  readonly health: Map<string, string>;
  /** Every change of health, as `ams1/4 up`. */
  readonly news: string[];
}

function probing(
  edges: readonly Edge[],
  options: Partial<ProberOptions> = {},
  allowed: string[] = [],
): Probed {
  const health = new Map<string, string>();
  const news: string[] = [];
  const prober = startProbes({
    log: SILENT_LOG,
    onHealth(edgeId, { family, health: is, reason }) {
      const key = `${edgeId}/${family}`;
      if (health.get(key)?.split(" ")[0] !== is && is !== "unknown") news.push(`${key} ${is}`);
      health.set(key, reason === undefined ? is : `${is} (${reason})`);
    },
    ...options,
  });
  onTestFinished(() => prober.stop());
  prober.take(inventoryOf(edges, { allowed }));
  return { prober, health, news };
}

const OK: ProbeResult = { ok: true, durationMs: 1, steps: [] };
const failed = (reason: FailureReason): ProbeResult => ({ ok: false, reason, durationMs: 1, steps: [] });

/** Half of every spread. */
const random = () => 0.5;

describe("probing real servers", () => {
  it("completes the first round with the health of every edge", async () => {
    const up = await serveTcp(answering(HTTP_OK));
    const { prober, health } = probing([
      edge("up", { probe: httpProbe(`http://127.0.0.1:${up.port}/`) }),
      edge("down", { probe: tcpProbe(await closedPort()) }),
      edge("unprobed"),
    ]);
    await prober.firstRound;
    expect(Object.fromEntries(health)).toEqual({
      "up/4": "up",
      "down/4": "down (refused)",
      "unprobed/4": "up",
    });
  });

  it("tells what the reason does not say: a status, not that a refusal is one", async () => {
    const broken = await serveTcp(answering("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"));
    const details = new Map<string, unknown[]>();
    const { prober } = probing(
      [
        edge("broken", { probe: httpProbe(`http://127.0.0.1:${broken.port}/`) }),
        edge("refusing", { probe: tcpProbe(await closedPort()) }),
      ],
      {
        onHealth: (edgeId, { reason, detail }) => void details.set(edgeId, [reason, detail]),
      },
    );
    await prober.firstRound;
    expect(details.get("broken")).toEqual(["status", "502"]);
    expect(details.get("refusing")).toEqual(["refused", undefined]);
  });

  it("judges IPv4 and IPv6 of an edge apart", async () => {
    const { port } = await serveTcp(silent, "::1");
    const { prober, health } = probing([
      edge("dual", { addresses: ["127.0.0.1", "::1"], probe: tcpProbe(port) }),
    ]);
    await prober.firstRound;
    expect(Object.fromEntries(health)).toEqual({ "dual/4": "down (refused)", "dual/6": "up" });
  });

  it("calls a family up while any of its addresses is", async () => {
    const { port } = await serveTcp(silent);
    const { prober, health } = probing([
      edge("pair", { addresses: ["127.0.0.77", "127.0.0.1"], probe: tcpProbe(port) }),
    ]);
    await prober.firstRound;
    expect(health.get("pair/4")).toBe("up");
  });

  it("tells of an address that goes down while its family is up, and counts those that are", async () => {
    const clock = createFakeClock();
    const told: object[] = [];
    const take = (fields: object, message: string): void => void told.push({ ...fields, message });
    const log: Log = { info: take, warn: take, error: take };
    const dead = new Set<string>();
    const run: RunProbe = async (address) => (dead.has(formatAddress(address)) ? failed("refused") : OK);
    const edges = [
      edge("pair", { addresses: ["192.0.2.1", "192.0.2.2", "2001:db8::1"], probe: tcpProbe(1) }),
      edge("single", { addresses: ["192.0.2.3"], probe: tcpProbe(1) }),
    ];
    const bits: unknown[] = [];
    const onDownAddresses = (edgeId: string, down: number): void => void bits.push([edgeId, down]);
    const { prober, health } = probing(edges, { clock, random, run, log, onDownAddresses });
    const down = () =>
      prober
        .metrics()
        .find(({ name }) => name === "edge_addresses_down")
        ?.samples.map((sample) => [sample.labels["edge"], "value" in sample ? sample.value : undefined]);
    await clock.advance(2000);
    expect(told).toEqual([]);
    for (const text of ["192.0.2.2", "2001:db8::1", "192.0.2.3"]) dead.add(text);
    await clock.advance(5000);
    expect(health.get("pair/4")).toBe("up");
    expect(down()).toEqual([
      ["pair", 2],
      ["single", 1],
    ]);
    dead.clear();
    await clock.advance(5000);
    // Not the only one of a family: without it, all are as good.
    expect(bits).toEqual([
      ["pair", 0],
      ["single", 0],
      ["pair", 0b010],
      ["pair", 0],
    ]);
    const message = "edge address health changed";
    expect(told).toEqual([
      { edge: "pair", address: "192.0.2.2", from: "up", to: "down", reason: "refused", message },
      { edge: "pair", address: "192.0.2.2", from: "down", to: "up", message },
    ]);
    expect(down()).toEqual([
      ["pair", 0],
      ["single", 0],
    ]);
  });

  it("refuses forbidden addresses, unless the operator allows them", async () => {
    const edges = [edge("metadata", { addresses: ["169.254.169.254"], probe: tcpProbe(80) })];
    const reached: unknown[] = [];
    const run: RunProbe = async (address) => {
      reached.push(address);
      return OK;
    };
    const refused = probing(edges, { run });
    await refused.prober.firstRound;
    expect(refused.health.get("metadata/4")).toBe("down (forbidden-address)");
    expect(reached).toEqual([]);
    const allowed = probing(edges, { run }, ["169.254.169.254"]);
    await allowed.prober.firstRound;
    expect(allowed.health.get("metadata/4")).toBe("up");
  });

  it("resolves the url's host of an edge without addresses, and refuses our inside", async () => {
    const { port, stats } = await serveTcp(answering(HTTP_OK));
    const named = edge("named", { addresses: [], probe: httpProbe(`http://edge.test:${port}/`) });
    const lookup = async () => ["127.0.0.1"];
    const refused = probing([named], { lookup });
    await refused.prober.firstRound;
    expect(refused.health.get("named/4")).toBe("down (forbidden-address)");
    expect(stats.connections).toBe(0);
    const allowed = probing([named], { lookup }, ["127.0.0.0/8"]);
    await allowed.prober.firstRound;
    expect(allowed.health.get("named/4")).toBe("up");
  });

  it("calls an edge without addresses up while any address of its name is", async () => {
    const asked: string[] = [];
    const alive = new Set(["192.0.2.2"]);
    const run: RunProbe = async (address) => {
      asked.push(formatAddress(address));
      return alive.has(formatAddress(address)) ? OK : failed("timeout");
    };
    const named = edge("named", { addresses: [], probe: httpProbe("http://edge.test/") });
    let found = ["192.0.2.3", "192.0.2.1", "192.0.2.2"];
    const clock = createFakeClock();
    const { health } = probing([named], { clock, random, run, lookup: async () => found });
    await clock.advance(200);
    expect(health.get("named/4")).toBe("up");
    expect(asked.splice(0)).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
    alive.clear();
    found = found.toReversed();
    await clock.advance(5000);
    expect(health.get("named/4")).toBe("down (timeout)");
    expect(asked.slice(0, 3)).toEqual(["192.0.2.1", "192.0.2.2", "192.0.2.3"]);
  });

  it("asks no other address of a name while the first answers", async () => {
    const asked = new Set<string>();
    const run: RunProbe = async (address) => {
      asked.add(formatAddress(address));
      return OK;
    };
    const named = edge("named", { addresses: [], probe: httpProbe("http://edge.test/") });
    const clock = createFakeClock();
    probing([named], { clock, random, run, lookup: async () => ["2001:db8::1", "192.0.2.1"] });
    await clock.advance(5000);
    expect([...asked]).toEqual(["2001:db8::1"]);
  });

  it("judges a name by the addresses that can be asked from here", async () => {
    const run: RunProbe = async ({ family }) => failed(family === 6 ? "local" : "refused");
    const named = edge("named", { addresses: [], probe: httpProbe("http://edge.test/") });
    const clock = createFakeClock();
    const lookup = async () => ["2001:db8::1", "192.0.2.1"];
    const { health } = probing([named], { clock, random, run, lookup });
    await clock.advance(1000);
    expect(health.get("named/4")).toBe("down (refused)");
  });

  it("follows a name that changes its address", async () => {
    let found = ["192.0.2.1"];
    const run: RunProbe = async (address) =>
      formatAddress(address) === "192.0.2.2" ? OK : failed("refused");
    const named = edge("named", { addresses: [], probe: httpProbe("http://edge.test/") });
    const clock = createFakeClock();
    const { prober, health } = probing([named], { run, clock, random, lookup: async () => found });
    await clock.advance(1000);
    await prober.firstRound;
    expect(health.get("named/4")).toBe("down (refused)");
    found = ["192.0.2.2"];
    await clock.advance(10_000);
    expect(health.get("named/4")).toBe("up");
  });

  it("keeps 2,000 silent targets within its bound of sockets", async () => {
    const { port, stats, open } = await serveTcp(silent);
    const probe = httpProbe(`http://127.0.0.1:${port}/`, { timeoutMs: 150, intervalMs: 60_000 });
    const edges = Array.from({ length: 2000 }, (_, i) => edge(`edge${i}`, { probe }));
    const { prober, health } = probing(edges);
    await prober.firstRound;
    expect(new Set(health.values())).toEqual(new Set(["down (timeout)"]));
    // The server may still be closing what the probes have left.
    expect(stats.mostAtOnce).toBeLessThanOrEqual(2 * 256);
    prober.stop();
    await expect.poll(() => open.size).toBe(0);
  }, 120_000);

  it("counts durations by type, and failures by edge and reason", async () => {
    const { prober } = probing([edge("down", { probe: tcpProbe(await closedPort()) })]);
    await prober.firstRound;
    const families = new Map(prober.metrics().map((family) => [family.name, family.samples]));
    expect(families.get("probe_duration_seconds")).toMatchObject([{ labels: { type: "tcp" } }]);
    expect(families.get("probe_failures_total")).toEqual([
      { labels: { edge: "down", reason: "refused" }, value: 1 },
    ]);
  });

  it("leaves nothing open when stopped", async () => {
    const { port, open } = await serveTcp(silent);
    const { prober } = probing([edge("slow", { probe: httpProbe(`http://127.0.0.1:${port}/`) })]);
    await expect.poll(() => open.size).toBe(1);
    prober.stop();
    await expect.poll(() => open.size).toBe(0);
  });
});

describe("rise and fall over time", () => {
  it("does not follow an edge that flaps every second", async () => {
    const clock = createFakeClock();
    const flapping: RunProbe = async () =>
      Math.floor(clock.monotonicMs() / 1000) % 2 === 0 ? OK : failed("timeout");
    const { news } = probing([edge("flapping", { probe: tcpProbe(1) })], { clock, random, run: flapping });
    await clock.advance(600_000);
    expect(news).toEqual(["flapping/4 up"]);
  });

  it("tells when results begin to speak against the health, and when they no longer do", async () => {
    const clock = createFakeClock();
    const results = [OK, failed("timeout"), OK, failed("refused"), failed("refused")];
    const told: string[] = [];
    const prober = startProbes({
      log: SILENT_LOG,
      clock,
      random,
      run: async () => results.shift() ?? OK,
      onHealth: (_edge, { health, inDoubt }) => void told.push(inDoubt === true ? `${health}?` : health),
    });
    onTestFinished(() => prober.stop());
    prober.take(
      inventoryOf([edge("shaky", { probe: { ...tcpProbe(1), intervalMs: 1000, rise: 2, fall: 2 } })]),
    );
    await clock.advance(6500);
    expect(told).toEqual(["unknown", "up", "up?", "up", "up?", "down", "down?", "up"]);
  });

  it("spreads the starts over the interval", async () => {
    const clock = createFakeClock();
    const starts: number[] = [];
    const run: RunProbe = async () => {
      starts.push(clock.monotonicMs());
      return OK;
    };
    const edges = Array.from({ length: 100 }, (_, i) =>
      edge(`edge${i}`, { probe: tcpProbe(1, { intervalMs: 10_000 }) }),
    );
    probing(edges, { clock, run, random: lots() });
    await clock.advance(200);
    expect(starts.length).toBeGreaterThanOrEqual(100);
    await clock.advance(60_000);
    const perSecond = starts.filter((at) => at >= 20_000 && at < 21_000).length;
    expect(perSecond).toBeGreaterThan(3);
    expect(perSecond).toBeLessThan(25);
  });

  it("runs one probe of an address at a time", async () => {
    const clock = createFakeClock();
    let running = 0;
    let most = 0;
    const run: RunProbe = async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => clock.after(5000, resolve));
      running--;
      return OK;
    };
    probing([edge("slow", { probe: tcpProbe(1) })], { clock, random, run });
    await clock.advance(60_000);
    expect(most).toBe(1);
  });
});

describe("a reload", () => {
  const answers = (healthy: Set<string>, seen: string[], clock: Clock): RunProbe => {
    return async (_, probe) => {
      const port = String(probe.type === "tcp" ? probe.port : 0);
      seen.push(`${port}@${clock.monotonicMs()}`);
      return healthy.has(port) ? OK : failed("refused");
    };
  };

  it("keeps health and schedule of what is unchanged, and probes what is new at once", async () => {
    const clock = createFakeClock();
    const seen: string[] = [];
    const old = edge("old", { probe: tcpProbe(1, { intervalMs: 10_000 }) });
    const { prober, health } = probing([old], {
      clock,
      random,
      run: answers(new Set(["1", "2"]), seen, clock),
    });
    await clock.advance(1000);
    prober.take(inventoryOf([edge("new", { probe: tcpProbe(2, { intervalMs: 10_000 }) }), old]));
    expect(health.get("old/4")).toBe("up");
    await clock.advance(200);
    expect(seen).toEqual(["1@100", "2@1100"]);
    await clock.advance(5000);
    expect(seen.slice(2)).toEqual(["1@5100", "2@6100"]);
  });

  it("starts a changed probe from the health so far", async () => {
    const clock = createFakeClock();
    const { prober, health } = probing([edge("ams1", { probe: tcpProbe(1) })], {
      clock,
      random,
      run: answers(new Set(["1"]), [], clock),
    });
    await clock.advance(3000);
    prober.take(inventoryOf([edge("ams1", { probe: tcpProbe(2) })]));
    await clock.advance(150);
    expect(health.get("ams1/4")).toBe("up (refused)");
    await clock.advance(2000);
    expect(health.get("ams1/4")).toBe("down (refused)");
  });

  it("ignores a probe in flight of what was removed", async () => {
    const clock = createFakeClock();
    const run: RunProbe = (_, __, { signal }) =>
      new Promise((resolve) => signal?.addEventListener("abort", () => resolve(failed("cancelled"))));
    const { prober, news } = probing([edge("gone", { probe: tcpProbe(1) })], { clock, random, run });
    await clock.advance(150);
    prober.take(inventoryOf([]));
    await clock.advance(5000);
    await prober.firstRound;
    expect(news).toEqual([]);
  });
});

describe("a standstill of this process", () => {
  it("brings no edge down and lets no burst of probes go", async () => {
    const clock = createFakeClock();
    const starts: number[] = [];
    const run: RunProbe = async (_, probe, context) => {
      starts.push(clock.monotonicMs());
      const stalledBeforeMs = context.stalledMs?.() ?? 0;
      await new Promise<void>((resolve) => clock.after(50, resolve));
      const stalledMs = (context.stalledMs?.() ?? 0) - stalledBeforeMs;
      return stalledMs > 1000 ? failed("reset") : probe.type === "tcp" ? OK : failed("protocol");
    };
    const edges = Array.from({ length: 100 }, (_, i) =>
      edge(`edge${i}`, { probe: tcpProbe(1, { fall: 1 }) }),
    );
    const { news, prober } = probing(edges, { clock, run, random: lots() });
    await clock.advance(5000);
    expect(news.length).toBe(100);
    await clock.standStill(20_000);
    const resumedMs = clock.monotonicMs();
    expect(starts.filter((at) => at === resumedMs)).toEqual([]);
    await clock.advance(5000);
    expect(news.length).toBe(100);
    const burst = starts.filter((at) => at >= resumedMs && at < resumedMs + 100).length;
    expect(burst).toBeLessThan(30);
    const discarded = prober.metrics().find(({ name }) => name === "probe_discarded_total")?.samples[0];
    expect((discarded as { value: number }).value).toBeGreaterThan(0);
  });

  it("gives a real probe the time back that the event loop was blocked", async () => {
    const { port } = await serveTcp((socket: Socket) => {
      socket.once("data", () => setTimeout(() => socket.write(HTTP_OK), 150));
    });
    const probe = httpProbe(`http://127.0.0.1:${port}/`, { timeoutMs: 400, fall: 1, intervalMs: 60_000 });
    const { prober, health } = probing([edge("ams1", { probe })], { random: () => 0 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    const untilMs = performance.now() + 800;
    while (performance.now() < untilMs);
    await prober.firstRound;
    expect(health.get("ams1/4")).toBe("up");
  });

  it("says nothing of an edge when this machine cannot start a probe", async () => {
    const clock = createFakeClock();
    let reason: FailureReason | undefined;
    const run: RunProbe = async () => (reason === undefined ? OK : failed(reason));
    const warnings: string[] = [];
    const log = { ...SILENT_LOG, warn: (_: object, message: string) => void warnings.push(message) };
    const ams1 = edge("ams1", { probe: tcpProbe(1, { fall: 1 }) });
    const { health } = probing([ams1], { clock, random, run, log });
    await clock.advance(2000);
    reason = "local";
    await clock.advance(60_000);
    expect(health.get("ams1/4")).toBe("up");
    expect(warnings).toEqual(["this machine cannot start a probe"]);
    reason = "refused";
    await clock.advance(2000);
    expect(health.get("ams1/4")).toBe("down (refused)");
    reason = "local";
    await clock.advance(60_000);
    expect(warnings).toHaveLength(2);
  });
});

/** Even lots, the same in every run. */
function lots(): () => number {
  let last = 0;
  return () => {
    last = (last + 0.6180339887) % 1;
    return last;
  };
}
