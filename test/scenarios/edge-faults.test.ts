/** What edges and their network do to a running service; prints the figures of docs/robustness.md. */
import type { RequestListener } from "node:http";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { writeMmdb } from "../geo/mmdb-writer.ts";
import { type FakeEdge, startEdge } from "./fake-edge.ts";
import { LIVE, LONDON, referenceConfig, TOKYO } from "./reference.ts";
import { sleep, waitFor } from "./wait.ts";
import { takeFolder, takeNetwork } from "./network.ts";
import { firstEdges, type Service, startService } from "./harness.ts";
import { startStream } from "./stream.ts";

const INTERVAL_MS = 300;
const HOLD_MS = 6000;
/** Nothing here depends on how fast the machine is. */
const LONG_MS = 15_000;

/** How an edge takes a probe. */
type Mood = "well" | "failing" | "silent";

class MoodyEdge {
  mood: Mood = "well";
  readonly probedAtMs: number[] = [];
  readonly edge: Promise<FakeEdge>;

  constructor(host: string) {
    const answer: RequestListener = (_, response) => {
      this.probedAtMs.push(performance.now());
      if (this.mood === "well") response.end("ok\n");
      if (this.mood === "failing") response.writeHead(503).end();
    };
    this.edge = startEdge(host, answer);
  }
}

const network = takeNetwork();
const { folder, remove } = takeFolder();
const hosts = [1, 2, 3].map((n) => network.edge(n)) as [string, string, string];
const moody = hosts.map((host) => new MoodyEdge(host)) as [MoodyEdge, MoodyEdge, MoodyEdge];
let edges: FakeEdge[];
let service: Service;

/** Whose event loop stands still for 400 ms at SIGWINCH. */
const BLOCKED_MS = 400;
const BLOCKABLE = `process.on("SIGWINCH",()=>{const end=Date.now()+${BLOCKED_MS};while(Date.now()<end);})`;

beforeAll(async () => {
  edges = await Promise.all(moody.map(({ edge }) => edge));
  const config = await referenceConfig(network, edges);
  const timing = { interval: `${INTERVAL_MS}ms`, timeout: "200ms", rise: 3, fall: 2 };
  Object.assign(config["defaults"].probe, timing);
  config["edges"].ams1.probe = { interval: "500ms" };
  const { live } = config["services"];
  live.panicHold = `${HOLD_MS}ms`;
  config["services"].strict = { ...live, hostnames: [STRICT], whenDown: "refuse" };
  config["geoip"].city = [join(folder, "world.mmdb")];
  writeFileSync(join(folder, "world.mmdb"), writeMmdb({ type: "City", records: PLACES }));
  const NODE_OPTIONS = `--import data:text/javascript,${encodeURIComponent(BLOCKABLE)}`;
  service = await startService({ config, folder, environment: { NODE_OPTIONS } });
}, 60_000);
afterAll(async () => {
  await service.stop();
  await Promise.all(edges.map((edge) => edge.kill()));
  remove();
});

beforeEach(async () => {
  for (const edge of moody) edge.mood = "well";
  const isWell = async (): Promise<boolean> => {
    const { json } = await service.ops("GET", "/v1/edges");
    const healths = (json as { health: { health: string }[] }[]).flatMap(({ health }) => health);
    return healths.every(({ health }) => health === "up") && (await alarms()).length === 0;
  };
  await waitFor(isWell, 20_000, "all edges to be up");
}, 30_000);

const STRICT = "strict.cdn.example.net";
/** So that no large database has to be read. */
const PLACES = {
  "81.2.69.0/24": { location: { latitude: 51.5, longitude: -0.1 }, country: { iso_code: "GB" } },
  "133.11.0.0/24": { location: { latitude: 35.7, longitude: 139.7 }, country: { iso_code: "JP" } },
};

/** Of losses that are not believed. */
const alarms = async (): Promise<string[]> =>
  ((await service.ops("GET", "/readyz")).json.alarms as string[]).filter((alarm) =>
    alarm.startsWith("fail static"),
  );
const healthChanges = (): number => service.log().filter(({ msg }) => msg === "edge health changed").length;
const firstAre = (from: string, host: string) => async (): Promise<boolean> =>
  (await firstEdges(service, from)).every((first) => first === host);

/** Asks both doors all the time; an answer is wrong when it names no edge, or one that nobody knows. */
function watchAnswers(): { stop: () => Promise<{ answers: number; wrong: readonly string[] }> } {
  const stream = startStream(service, {
    queriesPerSecond: 200,
    requestsPerSecond: 50,
    query: ({ dns }) => dns.ask(LIVE, { subnet: `${LONDON}/32` }),
    request: (running) => running.get("/live/x.m3u8", { from: LONDON }),
    judgeReply: ({ rcode, addresses }) =>
      rcode === 0 && addresses.length > 0 && addresses.every((address) => hosts.includes(address))
        ? undefined
        : `rcode ${rcode}, ${addresses.join()}`,
    judgeResponse: ({ status, headers }) =>
      status === 302 && hosts.includes(new URL(String(headers["location"])).hostname)
        ? undefined
        : `${status} ${String(headers["location"])}`,
  });
  return {
    async stop() {
      const { replies, responses, wrong, lost } = await stream.stop();
      return { answers: replies + responses, wrong: [...wrong, ...lost] };
    },
  };
}

describe("most edges fail at once", () => {
  it("so the last good state is kept, with an alarm, until they recover", async () => {
    const [amsterdam, singapore] = moody;
    [amsterdam.mood, singapore.mood] = ["failing", "failing"];
    await waitFor(async () => (await alarms()).length === 2, LONG_MS, "the alarms");
    expect(await alarms()).toEqual(
      ["live", "strict"].map(
        (id) =>
          `fail static: 2 edges of service ${id} went down at once over IPv4; the last good state is kept`,
      ),
    );
    expect(await firstEdges(service, LONDON)).toEqual([hosts[0], hosts[0]]);
    expect(await firstEdges(service, TOKYO)).toEqual([hosts[1], hosts[1]]);
    const metrics = await service.metrics();
    expect(metrics.get('edgeward_edge_up{edge="ams1",family="ipv4"}'), "what probes say").toBe(0);
    expect(metrics.get('edgeward_service_fail_static{service="live"}')).toBe(1);
    const { json } = await service.ops("GET", "/v1/edges/ams1");
    expect(json).toMatchObject({
      keptBy: ["live", "strict"],
      health: [{ health: "down", reason: "status" }],
    });
    expect((await service.ops("GET", "/v1/status")).json.alarms).toEqual(
      expect.arrayContaining(await alarms()),
    );

    [amsterdam.mood, singapore.mood] = ["well", "well"];
    await waitFor(async () => (await alarms()).length === 0, LONG_MS, "the end of the alarm");
    const told = () =>
      service.log().filter(({ msg, service: id }) => msg.startsWith("fail static") && id === "live");
    await waitFor(() => told().length >= 2, LONG_MS, "the log, which comes through a pipe");
    expect(told().slice(-2)).toMatchObject([
      { level: "error", service: "live" },
      { level: "warn", service: "live", end: "recovered" },
    ]);
  });

  it("so an outage that lasts longer is believed, and a drain takes an edge out at once", async () => {
    const [amsterdam, singapore] = moody;
    [amsterdam.mood, singapore.mood] = ["failing", "failing"];
    await waitFor(async () => (await alarms()).length > 0, LONG_MS, "the alarm");
    const state = (to: string) => service.ops("PUT", "/v1/edges/sin1/state", { state: to });
    expect((await state("drain")).status).toBe(200);
    await waitFor(firstAre(TOKYO, hosts[0]), LONG_MS, "Tokyo to leave the drained edge");
    expect(await firstAre(LONDON, hosts[0])()).toBe(true);
    await waitFor(firstAre(LONDON, hosts[2]), HOLD_MS + LONG_MS, "London to leave a dead edge");
    expect(await alarms()).toEqual([]);
    expect((await state("active")).status).toBe(200);
  });

  it("all of them, one after the other: each viewer keeps an edge, and no answer is wrong", async () => {
    const answers = watchAnswers();
    for (const edge of moody) edge.mood = "silent";
    await waitFor(async () => (await alarms()).length === 2, LONG_MS, "the alarms");
    expect(await firstEdges(service, LONDON), "their nearest").toEqual([hosts[0], hosts[0]]);
    const outcome = async (): Promise<string> => {
      const { json } = await service.ops("GET", `/v1/explain?hostname=${LIVE}&ip=${LONDON}`);
      return (json as { outcome: { kind: string } }).outcome.kind;
    };
    await waitFor(
      async () => (await outcome()) === "fail-open",
      HOLD_MS + LONG_MS,
      "whenDown, after the hold of the service, whatever others that share its edges do",
    );
    const result = await answers.stop();
    expect(result.wrong).toEqual([]);
    console.info(`fault 20: all edges fail at once: ${result.answers} answers, 0 wrong`);
  }, 90_000);

  it("all of them, and say so: what whenDown says holds at once", async () => {
    for (const edge of moody) edge.mood = "failing";
    await waitFor(
      async () => (await service.get("/x", { from: LONDON, host: STRICT })).status === 503,
      LONG_MS,
      "503",
    );
    expect(await alarms()).toEqual([]);
    expect((await service.cli("health")).stdout).toMatch(
      /^ready\nalarm: service live: every edge is down; viewers are answered as if all were up/,
    );
    const reason = '{service="live",reason="down"}';
    expect((await service.metrics()).get(`edgeward_service_without_room${reason}`)).toBe(1);
  });
});

describe("the process stands still", () => {
  it("20 s under SIGSTOP: nobody is found down, and probes do not come in a burst", async () => {
    const before = healthChanges();
    service.signal("SIGSTOP");
    await sleep(20_000);
    for (const edge of moody) edge.probedAtMs.length = 0;
    const goesOnAtMs = performance.now();
    service.signal("SIGCONT");
    await sleep(2000);
    expect(healthChanges() - before).toBe(0);
    expect(await alarms()).toEqual([]);
    const inFirstSecond = moody.map(
      ({ probedAtMs }) => probedAtMs.filter((atMs) => atMs - goesOnAtMs < 1000).length,
    );
    const most = Math.max(...inFirstSecond);
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(1000 / INTERVAL_MS + 2);
    console.info(
      `fault 19: 20 s of SIGSTOP: 0 health changes, at most ${most} probes of an edge in the second after`,
    );
  }, 90_000);

  it("its event loop blocked for longer than a probe may take, again and again: nobody is found down", async () => {
    const [before, stalledBefore] = [healthChanges(), (await service.metrics()).get(STALLED) ?? 0];
    for (let i = 0; i < 10; i++) {
      service.signal("SIGWINCH");
      await sleep(500);
    }
    expect(healthChanges() - before).toBe(0);
    const stalledSeconds = ((await service.metrics()).get(STALLED) ?? 0) - stalledBefore;
    expect(stalledSeconds).toBeGreaterThan(2);
    console.info(
      `fault 34: event loop blocked 10 × ${BLOCKED_MS} ms: 0 health changes, ${stalledSeconds.toFixed(1)} s of it measured`,
    );
  });
});

const STALLED = "edgeward_stalled_seconds_total";

describe("one edge flaps", () => {
  it("every second: it goes down and stays out", async () => {
    const [amsterdam] = moody;
    const before = healthChanges();
    const FLAPS = 14;
    for (let i = 0; i < FLAPS; i++) {
      amsterdam.mood = amsterdam.mood === "well" ? "failing" : "well";
      await sleep(1000);
    }
    const changes = healthChanges() - before;
    expect(changes).toBeLessThanOrEqual(FLAPS / 3);
    console.info(`fault 21: an edge flaps ${FLAPS} times in ${FLAPS} s: ${changes} health changes`);
  }, 30_000);
});
