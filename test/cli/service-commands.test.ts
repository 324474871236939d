import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createActions } from "../../src/commands/actions.ts";
import { done } from "../../src/cli/answer.ts";
import type { EdgeView, ExplainView } from "../../src/model/views.ts";
import {
  AMS1,
  edgeward,
  EXPLAINED,
  type FakeOps,
  NOW_MS,
  problem,
  rowOf,
  type Script,
  SIN1,
  startFakeOps,
} from "./fixture.ts";

let running: FakeOps[] = [];
afterEach(async () => {
  for (const ops of running) await ops.stop();
  running = [];
});

async function ops(script: Script): Promise<FakeOps> {
  const fake = await startFakeOps(script);
  running.push(fake);
  return fake;
}

const UNKNOWN_EDGE = problem(404, "unknown-edge", "No such edge");

describe("explain", () => {
  const ask = ["explain", "live.example.net", "203.0.113.7"];

  it("shows viewer, outcome, edges in order and the rejected with their reasons", async () => {
    const { url } = await ops({ "GET /v1/explain": [200, EXPLAINED] });
    const { code, out, err } = await edgeward([...ask, "--server", url]);
    expect([code, err]).toEqual([0, ""]);
    expect(out).toContain("live.example.net, service live");
    expect(rowOf(out, "viewer")[1]).toBe("203.0.113.7, London, GB, EU (city database), AS64500");
    expect(rowOf(out, "asked as")[1]).toBe("203.0.113.7/32; the answer holds for 203.0.113.0/24 and 20s");
    expect(rowOf(out, "outcome")[1]).toBe("served");
    expect(rowOf(out, "1 ")).toEqual([
      "1",
      "ams1",
      "358",
      "73%",
      "312",
      "670",
      "up",
      "-",
      "http://ams1.example.net",
    ]);
    expect(rowOf(out, "2 ")).toEqual(["2", "sin1", "10841", "-", "0", "10841", "up", "up", "-"]);
    expect(rowOf(out, "nyc1")).toEqual([
      "nyc1",
      "drain",
      "5571",
      "keeps the viewers it has, takes no one new",
    ]);
  });

  it("tells a family that is down from one without an address", async () => {
    const [ams1] = EXPLAINED.edges;
    const { url } = await ops({
      "GET /v1/explain": [200, { ...EXPLAINED, edges: [{ ...ams1, down: [6] }] }],
    });
    const { out } = await edgeward([...ask, "--server", url]);
    expect(out).toMatch(/^1 +ams1 .* up +down +http:/m);
  });

  it("prints the very object of /v1/explain with -o json", async () => {
    const { url } = await ops({ "GET /v1/explain": [200, EXPLAINED] });
    const { code, out } = await edgeward([...ask, "-o", "json", "--server", url]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(EXPLAINED);
  });

  it("passes hostname, address, path and door on", async () => {
    const fake = await ops({ "GET /v1/explain": [200, EXPLAINED] });
    const more = ["--path", "/live/a b.m3u8?x=1&y=2", "--at", "http"];
    await edgeward(["explain", "live.example.net", "203.0.113.0/24", ...more, "--server", fake.url]);
    const query = new URL(fake.asked[0]?.target ?? "", fake.url).searchParams;
    expect(Object.fromEntries(query)).toEqual({
      hostname: "live.example.net",
      ip: "203.0.113.0/24",
      path: "/live/a b.m3u8?x=1&y=2",
      at: "http",
    });
  });

  it("tells a viewer who cannot be located from one at 0 km", async () => {
    const nowhere: ExplainView = {
      ...EXPLAINED,
      viewer: { address: "203.0.113.7", prefix: "203.0.113.7/32", layer: "none" },
      edges: [{ id: "ams1", distanceKm: null, priceKm: 0, load: null, up: { 4: true, 6: true } }],
      rejected: [],
    };
    const { url } = await ops({ "GET /v1/explain": [200, nowhere] });
    const { out } = await edgeward([...ask, "--server", url]);
    expect(rowOf(out, "viewer")[1]).toBe("203.0.113.7, cannot be located");
    expect(rowOf(out, "1 ").slice(2, 6)).toEqual(["-", "-", "0", "up"]);
    expect(out).not.toContain("REJECTED");
  });

  it.each([
    [{ kind: "refused", reason: "not-allowed" }, 1, "refused: not-allowed"],
    [{ kind: "fail-open" }, 0, "fail-open: every edge is down"],
    [{ kind: "overload" }, 0, "overload: every edge is full"],
    [
      { kind: "fallback", fallback: { url: "https://origin.example.net", addresses: ["192.0.2.20"] } },
      0,
      "fallback: no edge can serve, so https://origin.example.net, 192.0.2.20",
    ],
  ] as const)("says what %j means, and exits 1 only when nobody serves", async (outcome, expected, words) => {
    const { url } = await ops({ "GET /v1/explain": [200, { ...EXPLAINED, edges: [], outcome }] });
    const { code, out } = await edgeward([...ask, "--server", url]);
    expect(code).toBe(expected);
    expect(rowOf(out, "outcome")[1]).toMatch(new RegExp(`^${words}`));
  });

  it("suggests the hostname that was meant", async () => {
    const { url } = await ops({
      "GET /v1/explain": problem(404, "unknown-hostname", "No service has this hostname"),
      "GET /v1/services": [200, [{ id: "live", hostnames: ["live.example.net"] }]],
    });
    const { code, err } = await edgeward(["explain", "life.example.net", "203.0.113.7", "--server", url]);
    expect(code).toBe(1);
    expect(err).toBe(
      "edgeward: no service has the hostname life.example.net; did you mean live.example.net?\n",
    );
  });

  it("says that the hostname has no such path, and which it has", async () => {
    const title = "No service of this hostname has this path";
    const [status, body] = problem(404, "unknown-path", title);
    const { url } = await ops({ "GET /v1/explain": [status, { ...body, detail: "there are /a/*" }] });
    const { code, err } = await edgeward([...ask, "--path", "/c", "--server", url]);
    expect({ code, err }).toEqual({ code: 1, err: `edgeward: ${title}: there are /a/*\n` });
  });

  it("takes an address that is none for wrong usage, before anyone is asked", async () => {
    const fake = await ops({});
    const { code, err } = await edgeward(["explain", "live.example.net", "300.1.2.3", "--server", fake.url]);
    expect(code).toBe(2);
    expect(err).toContain("Expected an address");
    expect(fake.asked).toEqual([]);
  });
});

describe("drain of the last edge", () => {
  it("warns of the services that have no other", async () => {
    const condition = { edgeId: "ams1", health: [], state: "drain", stateOrigin: { kind: "file" }, load: {} };
    const reply = { persisted: false, condition, unserved: ["live", "vod"] };
    const { url } = await ops({ "PUT /v1/edges/ams1/state": [200, reply] });
    const { code, err } = await edgeward(["drain", "ams1", "--server", url]);
    expect(code).toBe(0);
    expect(err).toMatch(
      /a restart will forget it; no edge takes viewers any more, .* of service live, vod\n$/,
    );
  });
});

describe("drain of an edge that another operator drains", () => {
  it("says what was set before", async () => {
    const set = (by: string, more: object) => ({
      state: "drain",
      stateOrigin: { kind: "operator", by, reason: "", atMs: NOW_MS - 60_000, ...more },
    });
    const condition = { edgeId: "ams1", health: [], load: {}, ...set("olga", {}) };
    const replaced = set("anna", { reason: "disk swap", deadlineMs: Date.UTC(2030, 5, 1, 12) });
    const { url } = await ops({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition, replaced }],
    });
    const { code, out } = await edgeward(["drain", "ams1", "--server", url]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\(by olga 1m ago\)\nbefore: drain, by anna 1m ago: disk swap, empty by 2030-06-01 .+\n$/,
    );
  });
});

describe("explain with edges in another order than the score's", () => {
  it.each([
    [{ rank: "least-loaded" }, "by load (rank: least-loaded)"],
    [{ rank: "weighted" }, "by lot, the heavier the sooner (rank: weighted)"],
    [{ rank: "failover" }, "as the service lists them (rank: failover)"],
    [
      { rank: "nearest", viewer: { ...EXPLAINED.viewer, layer: "none" } },
      "by load and weight, since nobody knows where the viewer is",
    ],
  ] as const)("tells it, and no score: %j", async (rules, order) => {
    const { url } = await ops({ "GET /v1/explain": [200, { ...EXPLAINED, ...rules } satisfies ExplainView] });
    const { out } = await edgeward(["explain", "live.example.net", "203.0.113.7", "--server", url]);
    expect(rowOf(out, "order")[1]).toBe(order);
    expect(out).not.toContain("SCORE");
    expect(rowOf(out, "1 ")).toEqual([
      "1",
      "ams1",
      "358",
      "73%",
      "312",
      "up",
      "-",
      "http://ams1.example.net",
    ]);
  });
});

describe("edges", () => {
  it("shows health, load and state of each in a line", async () => {
    const { url } = await ops({ "GET /v1/edges": [200, [AMS1, SIN1]] });
    const { code, out } = await edgeward(["edges", "--server", url]);
    expect(code).toBe(0);
    expect(rowOf(out, "ams1")).toEqual([
      "ams1",
      "active",
      "up 3h",
      "down 12s",
      "512/700",
      "428Mbps/1Gbps",
      "73%",
      "73%",
      "4s ago",
      "312",
      "IPv6 connection-refused",
    ]);
    expect(rowOf(out, "sin1").slice(0, 4)).toEqual(["sin1", "drain", "unknown 0s", "-"]);
    expect(rowOf(out, "sin1").at(-1)).toBe("by alice 5m ago: disk swap");
  });

  it("shows why a load source cannot be read", async () => {
    const failing = { ...SIN1, loadFailures: [{ type: "srs", problem: "it refuses the connection" }] };
    const { url } = await ops({
      "GET /v1/edges": [200, [failing satisfies EdgeView]],
      "GET /v1/edges/sin1": [200, failing],
    });
    const said = "load of srs: it refuses the connection";
    expect(rowOf((await edgeward(["edges", "--server", url])).out, "sin1").at(-1)).toContain(`; ${said}`);
    expect((await edgeward(["edges", "sin1", "--server", url])).out).toContain(said);
  });

  it("lines its columns up, numbers to the right", async () => {
    const { url } = await ops({ "GET /v1/edges": [200, [AMS1, { ...SIN1, id: "東京-long-name" }]] });
    const { out } = await edgeward(["edges", "--server", url]);
    const [titles = "", ams1 = "", tokyo = ""] = out.split("\n");
    expect(ams1.indexOf("active")).toBe(titles.indexOf("STATE"));
    expect(tokyo.indexOf("drain")).toBe(titles.indexOf("STATE") - 2); // two characters of two columns each
    const end = titles.indexOf("PRICE km") + "PRICE km".length;
    expect(ams1.slice(0, end)).toMatch(/ 312$/);
  });

  it("shows everything of one", async () => {
    const { url } = await ops({
      "GET /v1/edges/sin1": [200, { ...SIN1, stateOrigin: UNTIL } satisfies EdgeView],
    });
    const { code, out } = await edgeward(["edges", "sin1", "--server", url]);
    expect(code).toBe(0);
    expect(rowOf(out, "state")).toEqual(["state", "drain"]);
    expect(out).toMatch(/by alice 5m ago: disk swap, until 20\d\d-\d\d-\d\d \d\d:\d\d/);
    expect(rowOf(out, "IPv4")[1]).toMatch(/^unknown for 0s, since 20/);
    expect(rowOf(out, "viewers")).toEqual(["viewers", "-"]);
    expect(rowOf(out, "weight")).toEqual(["weight", "2"]);
    expect(rowOf(out, "addresses")).toEqual(["addresses", "192.0.2.12"]);
    expect(rowOf(out, "location")).toEqual(["location", "1.3521, 103.8198"]);
  });

  const UNTIL = {
    kind: "operator",
    by: "alice",
    reason: "disk swap",
    atMs: NOW_MS - 5 * 60_000,
    untilMs: NOW_MS + 3_600_000,
  } as const;

  it("prints what the service sent with -o json", async () => {
    const { url } = await ops({ "GET /v1/edges": [200, [AMS1, SIN1]], "GET /v1/edges/ams1": [200, AMS1] });
    expect(JSON.parse((await edgeward(["edges", "-o", "json", "--server", url])).out)).toEqual([AMS1, SIN1]);
    expect(JSON.parse((await edgeward(["edges", "ams1", "-o", "json", "--server", url])).out)).toEqual(AMS1);
  });

  it("tells what is kept of edges that are not configured any more, and not in JSON", async () => {
    const { url } = await ops({
      "GET /v1/edges": [200, [AMS1]],
      "GET /v1/status": [
        200,
        {
          absentEdges: [
            { id: "old1", state: "drain", stateOrigin: UNTIL, forgottenAtMs: NOW_MS + 3 * 86_400_000 },
          ],
        },
      ],
    });
    const { code, out } = await edgeward(["edges", "--server", url]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\nold1 is not configured any more; if it comes back: drain, by alice 5m ago: disk swap, until .+; forgotten in 3d, or by edgeward undrain old1\n$/,
    );
    expect(JSON.parse((await edgeward(["edges", "-o", "json", "--server", url])).out)).toEqual([AMS1]);
  });

  it("suggests the edge that was meant, or lists those there are", async () => {
    const { url } = await ops({
      "GET /v1/edges/asm1": UNKNOWN_EDGE,
      "GET /v1/edges/xyzzy": UNKNOWN_EDGE,
      "GET /v1/edges": [200, [AMS1, SIN1]],
    });
    const near = await edgeward(["edges", "asm1", "--server", url]);
    expect(near).toEqual({ code: 1, out: "", err: "edgeward: no edge is called asm1; did you mean ams1?\n" });
    const far = await edgeward(["edges", "xyzzy", "--server", url]);
    expect(far.err).toBe("edgeward: no edge is called xyzzy; there are ams1, sin1\n");
  });
});

describe("drain and undrain", () => {
  const drained = { persisted: true, condition: { edgeId: "ams1", ...SIN1 } };

  it("sends state, reason and end, and says what holds now", async () => {
    const fake = await ops({ "PUT /v1/edges/ams1/state": [200, drained] });
    const args = ["drain", "ams1", "--reason", "disk swap", "--until", "2h", "--server", fake.url];
    const { code, out, err } = await edgeward(args, { token: "s3cret" });
    expect([code, err]).toEqual([0, ""]);
    expect(fake.asked).toEqual([
      {
        method: "PUT",
        target: "/v1/edges/ams1/state",
        authorization: "Bearer s3cret",
        body: { state: "drain", reason: "disk swap", until: "2h" },
      },
    ]);
    expect(out).toBe(
      "ams1 drains: it takes no one new, and those whom steering reaches are moved (by alice 5m ago: disk swap)\n",
    );
  });

  it("undrains by making the edge active", async () => {
    const active = { persisted: true, condition: { ...AMS1, edgeId: "ams1" } };
    const fake = await ops({ "PUT /v1/edges/ams1/state": [200, active] });
    const { code, out } = await edgeward(["undrain", "ams1", "--server", fake.url]);
    expect(code).toBe(0);
    expect(fake.asked[0]?.body).toEqual({ state: "active" });
    expect(out).toBe("ams1 is active: it takes viewers again\n");
  });

  it("undrains an edge that is not configured by forgetting it", async () => {
    const fake = await ops({ "PUT /v1/edges/old1/state": [200, { persisted: true }] });
    const { code, out } = await edgeward(["undrain", "old1", "--server", fake.url]);
    expect([code, out]).toEqual([0, "old1 is not configured; what was set of it is forgotten\n"]);
  });

  it("warns on stderr when a restart would forget it, and still prints JSON alone on stdout", async () => {
    const { url } = await ops({ "PUT /v1/edges/ams1/state": [200, { ...drained, persisted: false }] });
    const { code, out, err } = await edgeward(["drain", "ams1", "-o", "json", "--server", url]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ ...drained, persisted: false });
    expect(err).toMatch(/^edgeward: warning: .*a restart will forget it\n$/);
  });

  it("sends by when it is to be empty, and waits for that", async () => {
    const draining = (drain: object) => ({
      ...AMS1,
      state: "drain",
      drain: { steeredHere: 3, movedShare: 0.5, ...drain },
    });
    const asked = { kind: "operator", by: "alice", reason: "", atMs: NOW_MS, deadlineMs: NOW_MS + 7_200_000 };
    const fake = await ops({
      "PUT /v1/edges/ams1/state": [
        200,
        { persisted: true, condition: { ...AMS1, state: "drain", stateOrigin: asked } },
      ],
      "GET /v1/edges/ams1": [200, draining({ viewersLeft: 0, emptySinceMs: NOW_MS })],
    });
    const args = ["drain", "ams1", "--by", "2h", "--wait", "--server", fake.url];
    const { code, out } = await edgeward(args);
    expect(fake.asked[0]?.body).toEqual({ state: "drain", deadline: "2h" });
    expect(code).toBe(0);
    expect(out).toContain("empty by 2030-01-01");
    expect(out).toContain("ams1 is empty for 0s");

    const asJson = await edgeward([...args, "-o", "json"]);
    expect(JSON.parse(asJson.out)).toMatchObject({ id: "ams1", drain: { emptySinceMs: NOW_MS } });

    const { code: other, err } = await edgeward(["drain", "ams1", "--by", "25:00", "--server", fake.url]);
    expect({ code: other, err }).toEqual({ code: 2, err: expect.stringContaining("--by: ") as string });
  });

  it("waits in vain for an edge that is put back", async () => {
    const fake = await ops({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition: AMS1 }],
      "GET /v1/edges/ams1": [200, { ...AMS1, state: "active" }],
    });
    const { code, err } = await edgeward(["drain", "ams1", "--wait", "--server", fake.url]);
    expect({ code, err }).toEqual({ code: 1, err: "edgeward: ams1 does not drain any longer\n" });
  });

  it("waits no longer than answers are kept where nobody will know when it is empty", async () => {
    const unknown = { ...AMS1, state: "drain", drain: { steeredHere: 0, movedShare: 1 } };
    const { url } = await ops({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition: AMS1 }],
      "GET /v1/edges/ams1": [200, unknown],
      "GET /v1/edges": [200, [{ ...unknown, drain: { ...unknown.drain, keptUntilMs: NOW_MS + 20_000 } }]],
    });
    expect((await edgeward(["edges", "--server", url])).out).toContain("may be kept still");
    let wallMs = NOW_MS;
    const nowMs = (): number => (wallMs += 8000);
    const { code, out, err } = await edgeward(["drain", "ams1", "--wait", "--server", url], { nowMs });
    expect(code).toBe(1);
    expect(out).toMatch(
      /nobody knows how many are left: no report, no steering; no answer that names it is kept any more\n$/,
    );
    expect(err).toMatch(
      /^edgeward: ams1 drains, but nobody can tell when it is empty: it reports no load, .+\n$/,
    );
    expect(wallMs - NOW_MS, "in case a report is late").toBeGreaterThan(30_000);
  });

  it("waits on while another process takes the service's place, and not for ever", async () => {
    const empty = { ...AMS1, state: "drain", drain: { steeredHere: 0, movedShare: 1, emptySinceMs: NOW_MS } };
    const answers: [number, object][] = [
      [503, {}],
      [200, empty],
    ];
    const fake = await ops({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition: AMS1 }],
      get "GET /v1/edges/ams1"(): [number, object] {
        return answers.shift() ?? [503, {}];
      },
    });
    const args = ["drain", "ams1", "--wait", "--server", fake.url];
    const { code, out } = await edgeward(args);
    expect([code, out]).toEqual([0, expect.stringContaining("ams1 is empty for 0s")]);
    let wallMs = NOW_MS;
    const { code: gone, err } = await edgeward(args, { nowMs: () => (wallMs += 15_000) });
    expect([gone, err]).toEqual([4, expect.stringContaining("cannot reach the service")]);
    expect(wallMs - NOW_MS).toBeGreaterThan(60_000);
  });

  it("tells in the list of edges how far a drain has come", async () => {
    const drain = { steeredHere: 3, movedShare: 0.5, deadlineMs: NOW_MS + 60_000 };
    const edges = [
      { ...AMS1, drain: { ...drain, viewersLeft: 12, emptyAtMs: NOW_MS + 300_000 } },
      { ...SIN1, drain: { ...drain, viewersLeft: 1 } },
      { ...SIN1, id: "nyc1", drain },
    ];
    const { url } = await ops({ "GET /v1/edges": [200, edges] });
    const { out } = await edgeward(["edges", "--server", url]);
    expect(out).toContain("12 viewers left, empty in about 5m, later than asked for");
    expect(out).toContain("1 viewer left");
    expect(out).toContain("nobody knows how many are left");
  });

  it("turns a time of day into the next such moment", async () => {
    const fake = await ops({ "PUT /v1/edges/ams1/state": [200, drained] });
    await edgeward(["drain", "ams1", "--until", "22:00", "--server", fake.url]);
    const body = fake.asked[0]?.body as { until: string } | undefined;
    const end = new Date(body?.until ?? "");
    expect([end.getHours(), end.getMinutes()]).toEqual([22, 0]);
    expect(end.getTime()).toBeGreaterThan(NOW_MS);
    expect(end.getTime()).toBeLessThanOrEqual(NOW_MS + 86_400_000);
  });

  it("takes an end that is none, or is past, for wrong usage", async () => {
    const fake = await ops({});
    for (const until of ["tomorrow", "25:00", "2020-01-01T00:00:00Z"]) {
      const { code, err } = await edgeward(["drain", "ams1", "--until", until, "--server", fake.url]);
      expect(code).toBe(2);
      expect(err).toContain("--until: ");
    }
    expect(fake.asked).toEqual([]);
  });

  it("suggests the edge that was meant, and says why the service will not", async () => {
    const { url } = await ops({
      "PUT /v1/edges/asm1/state": UNKNOWN_EDGE,
      "GET /v1/edges": [200, [AMS1]],
      "PUT /v1/edges/ams1/state": problem(422, "invalid-body", "A value cannot be taken", {
        detail: "until has passed",
      }),
    });
    expect(await edgeward(["drain", "asm1", "--server", url])).toMatchObject({
      code: 1,
      err: "edgeward: no edge is called asm1; did you mean ams1?\n",
    });
    expect(await edgeward(["drain", "ams1", "--server", url])).toMatchObject({
      code: 1,
      err: "edgeward: A value cannot be taken: until has passed\n",
    });
  });
});

describe("health", () => {
  it.each([
    ["ready", 200, { ready: true, reasons: [] }, 0, "ready\n"],
    [
      "not ready, and why",
      503,
      { title: "Not ready", ready: false, reasons: ["probes\u0007"] },
      1,
      "not ready:\n",
    ],
    ["something else there", 200, { hello: 1 }, 4, ""],
  ])("tells %s", async (_name, status, body, exitCode, said) => {
    const { url } = await ops({ "GET /readyz": [status, body] });
    const { code, out } = await edgeward(["health", "--server", url]);
    expect(code).toBe(exitCode);
    expect(out).toContain(said);
    expect(out).not.toContain("\u0007");
  });

  it("exits 4 where nothing listens", async () => {
    expect((await edgeward(["health", "--server", "http://127.0.0.1:1"])).code).toBe(4);
  });
});

describe("replace", () => {
  it("tells the process that serves from now on", async () => {
    const { url } = await ops({ "POST /v1/replace": [200, { pid: 4321 }] });
    const { code, out } = await edgeward(["replace", "--server", url]);
    expect([code, out]).toEqual([0, "replaced; process 4321 serves\n"]);
  });

  it("tells why the running one stays, and exits 1", async () => {
    const detail = "the new process ended before it served (exit code 1): the log says why";
    const { url } = await ops({
      "POST /v1/replace": problem(409, "not-replaced", "This one serves on", { detail }),
    });
    const { code, out, err } = await edgeward(["replace", "--server", url]);
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain(detail);
  });
});

describe("reload", () => {
  it("lists what changed", async () => {
    const { url } = await ops({
      "POST /v1/reload": [200, { changed: ["edges.ams1.capacity", "services.live"] }],
    });
    const { code, out } = await edgeward(["reload", "--server", url]);
    expect([code, out]).toEqual([0, "reloaded; changed:\n  edges.ams1.capacity\n  services.live\n"]);
    const json = await edgeward(["reload", "-o", "json", "--server", url]);
    expect(JSON.parse(json.out)).toEqual({ changed: ["edges.ams1.capacity", "services.live"] });
  });

  it("says so when nothing changed", async () => {
    const { url } = await ops({ "POST /v1/reload": [200, { changed: [] }] });
    expect((await edgeward(["reload", "--server", url])).out).toBe("reloaded; nothing has changed\n");
  });

  it("prints every problem with its line, and exits 3", async () => {
    const problems = [
      {
        file: "/etc/e.yaml",
        line: 3,
        column: 5,
        path: "edges.ams1.wieght",
        message: "unknown key; did you mean weight?",
      },
      { file: "/etc/e.yaml", line: 1, column: 1, path: "", message: "too large" },
    ];
    const { url } = await ops({
      "POST /v1/reload": problem(422, "invalid-configuration", "The configuration is wrong", { problems }),
    });
    const { code, out, err } = await edgeward(["reload", "--server", url]);
    expect([code, out]).toEqual([3, ""]);
    expect(err.split("\n")).toEqual([
      "/etc/e.yaml:3:5: edges.ams1.wieght: unknown key; did you mean weight?",
      "/etc/e.yaml:1:1: too large",
      "edgeward: 2 problems in the configuration; the service goes on with the one it has",
      "",
    ]);
  });
});

describe("acme", () => {
  const CHANGED = { challenges: [], removed: 1 };
  const hostname = "live.cdn.example.net";
  /** Each would be the version, help, a configuration or a format, but for its length. */
  const DIGESTS = ["V", "h", "c", "o", "-", "x"].map((letter) => `-${letter.padEnd(42, "a")}`);

  it.each(DIGESTS)("RFC 8555 8.4: takes a value that begins with a dash for a value, %s", async (value) => {
    const { url, asked } = await ops({
      [`PUT /v1/acme/${hostname}`]: [200, CHANGED],
      [`DELETE /v1/acme/${hostname}`]: [200, CHANGED],
    });
    const set = await edgeward(["acme", "set", hostname, value, "--for", "10m", "--server", url]);
    expect([set.code, set.err]).toEqual([0, ""]);
    const unset = await edgeward(["acme", "unset", "--server", url, "--", hostname, value]);
    expect([unset.code, unset.err]).toEqual([0, ""]);
    expect((await edgeward(["acme", "unset", hostname, value, "--server", url])).code).toBe(0);
    expect(asked.map(({ method, target, body }) => [method, target, body])).toEqual([
      ["PUT", `/v1/acme/${hostname}`, { value, until: "10m" }],
      ["DELETE", `/v1/acme/${hostname}?value=${value}`, undefined],
      ["DELETE", `/v1/acme/${hostname}?value=${value}`, undefined],
    ]);
  });
});

describe("reaching the service", () => {
  it("goes where the configuration says, unless --server says otherwise", async () => {
    const fake = await ops({ "GET /v1/edges": [200, []], "GET /under/v1/edges": [200, [AMS1]] });
    const files: string[] = [];
    const actions = {
      defaultServer: (file: string) => {
        files.push(file);
        return Promise.resolve(done(fake.url));
      },
    };
    expect(await edgeward(["edges", "-c", "other.yaml"], { actions })).toMatchObject({
      code: 0,
      out: "no edges\n",
    });
    expect(files).toEqual(["other.yaml"]);
    expect((await edgeward(["edges", "--server", `${fake.url}/under`], { actions })).out).toContain("ams1");
    expect(files).toHaveLength(1);
  });

  it("exits 3 where the file that was named is not there: another service may be at the usual address", async () => {
    const actions = createActions();
    const { code, err } = await edgeward(["edges", "-c", "/nowhere/e.yaml"], { actions });
    expect(code).toBe(3);
    expect(err).toContain("/nowhere/e.yaml:1:1: does not exist; name the configuration with -c FILE");
    expect(await actions.defaultServer("config/edgeward.yaml")).toEqual(done("http://127.0.0.1:9153"));
  });

  it("exits 4 and names the address and the remedy when nobody listens there", async () => {
    const url = await closedPort();
    const { code, out, err } = await edgeward(["edges"], { server: url });
    expect([code, out]).toEqual([4, ""]);
    expect(err).toContain(`cannot reach the service at ${url}/: connection refused`);
    expect(err).toContain("--server");
  });

  it("exits 4 when the connection is closed without an answer", async () => {
    const server = createTcpServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const { code, err } = await edgeward(["edges", "--server", `http://127.0.0.1:${port}`]);
    server.close();
    expect(code).toBe(4);
    expect(err).toContain("it closed the connection");
  });

  it.each([
    ["a web page", 200, "<html>hello</html>"],
    ["another page's 404", 404, "not found"],
    ["JSON of another kind", 200, { hello: "world" }],
    ["edges with a hole", 200, [AMS1, { id: "sin1" }]],
    ["null", 200, "null"],
  ])("exits 4 when %s answers there", async (_, status, body) => {
    const { url } = await ops({ "GET /v1/edges": [status, body] });
    const { code, err } = await edgeward(["edges", "--server", url]);
    expect(code).toBe(4);
    expect(err).toContain(`something answers ${status} there`);
  });

  it("exits 4 and says why when the service is not ready", async () => {
    const { url } = await ops({ "GET /v1/explain": problem(503, "not-ready", "Not ready yet") });
    const { code, err } = await edgeward(["explain", "live.example.net", "203.0.113.7", "--server", url]);
    expect(code).toBe(4);
    expect(err).toContain("it answered 503, Not ready yet");
  });

  it("exits 1 and tells a missing token from a wrong one and from too small a role", async () => {
    const { url } = await ops({
      "GET /v1/edges": problem(401, "unauthorized", "A valid token is needed"),
      "POST /v1/reload": problem(403, "forbidden", "The token's role does not allow this"),
    });
    const missing = await edgeward(["edges", "--server", url]);
    expect(missing.code).toBe(1);
    expect(missing.err).toContain("set EDGEWARD_TOKEN");
    const wrong = await edgeward(["edges", "--server", url], { token: "s3cret" });
    expect(wrong.code).toBe(1);
    expect(wrong.err).toContain("does not know this token");
    const viewer = await edgeward(["reload", "--server", url], { token: "s3cret" });
    expect(viewer).toMatchObject({
      code: 1,
      err: "edgeward: the service does not allow this: The token's role does not allow this\n",
    });
    expect(wrong.err + viewer.err).not.toContain("s3cret");
  });

  it("sends no token that would break the request, nor one given as an argument", async () => {
    const fake = await ops({ "GET /v1/edges": [200, []] });
    const broken = await edgeward(["edges", "--server", fake.url], { token: "a\r\nX-Evil: 1" });
    expect(broken.code).toBe(1);
    expect((await edgeward(["edges", "--token", "abc", "--server", fake.url])).code).toBe(2);
    expect((await edgeward(["edges", "--server", "http://user:pass@127.0.0.1:1"])).code).toBe(2);
    expect((await edgeward(["edges", "--server", "ftp://127.0.0.1"])).code).toBe(2);
    expect(fake.asked).toEqual([]);
  });

  it("does not carry the token to where a redirect points", async () => {
    const other = await ops({ "GET /v1/edges": [200, []] });
    const fake = await ops({ "GET /v1/edges": [302, {}, { location: `${other.url}/v1/edges` }] });
    const { code } = await edgeward(["edges", "--server", fake.url], { token: "s3cret" });
    expect(code).toBe(4);
    expect(other.asked).toEqual([]);
  });
});

describe("what the service sends", () => {
  const evil = "\u001b]0;owned\u0007\u009b31m\u202etxt.exe\nsin1  active";

  it("cannot act upon the terminal, in tables", async () => {
    const edge: EdgeView = {
      ...SIN1,
      stateOrigin: { kind: "operator", by: evil, reason: evil, atMs: NOW_MS },
    };
    const { url } = await ops({
      "GET /v1/edges": [200, [edge]],
      "GET /v1/edges/sin1": [200, edge],
      "GET /v1/explain": [200, { ...EXPLAINED, service: evil, viewer: { ...EXPLAINED.viewer, city: evil } }],
      "POST /v1/reload": [200, { changed: [evil] }],
      "PUT /v1/edges/sin1/state": [200, { persisted: true, condition: edge }],
    });
    for (const command of [
      ["edges"],
      ["edges", "sin1"],
      ["explain", "live.example.net", "203.0.113.7"],
      ["reload"],
      ["drain", "sin1"],
    ]) {
      const { code, out } = await edgeward([...command, "--server", url]);
      expect(code).toBe(0);
      expect(out).toContain("\\u001b]0;owned\\u0007\\u009b31m\\u202etxt.exe\\u000asin1");
      expect(out).toMatch(HARMLESS);
    }
  });

  it("cannot act upon the terminal as JSON, and reads back the same", async () => {
    const answer = { ...EXPLAINED, service: evil };
    const { url } = await ops({ "GET /v1/explain": [200, answer] });
    const { out } = await edgeward([
      "explain",
      "live.example.net",
      "203.0.113.7",
      "-o",
      "json",
      "--server",
      url,
    ]);
    expect(out).toMatch(HARMLESS);
    expect(JSON.parse(out)).toEqual(answer);
  });

  it("cannot act upon the terminal in problems, nor add lines of its own", async () => {
    const bad = { file: evil, line: 1, column: 1, path: evil, message: evil };
    const { url } = await ops({
      "GET /v1/edges": problem(400, "malformed-request", evil, { detail: evil }),
      "POST /v1/reload": problem(422, "invalid-configuration", "", { problems: [bad] }),
    });
    const edges = await edgeward(["edges", "--server", url]);
    expect(edges.err).toMatch(HARMLESS);
    expect(edges.err.split("\n")).toHaveLength(2);
    const reload = await edgeward(["reload", "--server", url]);
    expect(reload.err).toMatch(HARMLESS);
    expect(reload.err.split("\n")).toHaveLength(3);
  });

  it("may hold words that we never heard of", async () => {
    const odd = {
      ...EXPLAINED,
      viewer: { ...EXPLAINED.viewer, layer: "constructor" },
      rejected: [{ id: "nyc1", reason: "__proto__", distanceKm: null }],
      outcome: { kind: "shared" },
    };
    const health = [{ family: 4, health: "toString", sinceMs: NOW_MS }];
    const { url } = await ops({
      "GET /v1/explain": [200, odd],
      "GET /v1/edges": [200, [{ ...AMS1, state: "resting", health }]],
      "POST /v1/reload": [400, { type: "constructor", title: "No" }],
    });
    const explained = await edgeward(["explain", "live.example.net", "203.0.113.7", "--server", url]);
    expect(rowOf(explained.out, "outcome")).toEqual(["outcome", "shared"]);
    expect(rowOf(explained.out, "nyc1")).toEqual(["nyc1", "__proto__", "-"]);
    expect(explained.out).toContain("(constructor)");
    const edges = await edgeward(["edges", "--server", url], { colour: true });
    expect(rowOf(withoutColour(edges.out), "ams1").slice(0, 3)).toEqual(["ams1", "resting", "toString 0s"]);
    expect((await edgeward(["reload", "--server", url])).err).toBe("edgeward: No\n");
  });

  it("is coloured by us only, and only where colour is wanted", async () => {
    const { url } = await ops({ "GET /v1/edges": [200, [AMS1, SIN1]] });
    const plain = await edgeward(["edges", "--server", url]);
    const coloured = await edgeward(["edges", "--server", url], { colour: true });
    expect(plain.out).toMatch(HARMLESS);
    expect(coloured.out).toContain("\u001b[31mdown 12s\u001b[39m");
    expect(withoutColour(coloured.out)).toBe(plain.out);
  });
});

/** Without the sequences that choose a colour: ESC [ number m. */
function withoutColour(text: string): string {
  return text.replace(/\p{Cc}\[\d+m/gu, "");
}

/** Nothing but line feeds may move the cursor. */
const HARMLESS = /^(?:\n|[^\p{Cc}\p{Cf}])*$/u;

async function closedPort(): Promise<string> {
  const fake = await startFakeOps({});
  await fake.stop();
  return fake.url;
}
