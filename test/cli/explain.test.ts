import { describe, expect, it } from "vitest";
import type { ExplainView } from "../../src/model/views.ts";
import { edgeward, EXPLAINED, problem, rowOf, startFakeOps } from "./fixture.ts";

describe("explain", () => {
  const ask = ["explain", "live.example.net", "203.0.113.7"];

  it("shows viewer, outcome, edges in order and the rejected with their reasons", async () => {
    const { url } = await startFakeOps({ "GET /v1/explain": [200, EXPLAINED] });
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
    const { url } = await startFakeOps({
      "GET /v1/explain": [200, { ...EXPLAINED, edges: [{ ...ams1, down: [6] }] }],
    });
    const { out } = await edgeward([...ask, "--server", url]);
    expect(out).toMatch(/^1 +ams1 .* up +down +http:/m);
  });

  it("prints the very object of /v1/explain with -o json", async () => {
    const { url } = await startFakeOps({ "GET /v1/explain": [200, EXPLAINED] });
    const { code, out } = await edgeward([...ask, "-o", "json", "--server", url]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual(EXPLAINED);
  });

  it("is wrong usage with a path that is none", async () => {
    const { url, asked } = await startFakeOps({ "GET /v1/explain": [200, EXPLAINED] });
    const { code, err } = await edgeward([...ask, "--path", "live/a.m3u8", "--server", url]);
    expect(code).toBe(2);
    expect(err).toContain("Expected a path as /live/cup/index.m3u8");
    expect(asked).toEqual([]);
  });

  it("passes hostname, address, path and door on", async () => {
    const fake = await startFakeOps({ "GET /v1/explain": [200, EXPLAINED] });
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
    const { url } = await startFakeOps({ "GET /v1/explain": [200, nowhere] });
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
    const { url } = await startFakeOps({ "GET /v1/explain": [200, { ...EXPLAINED, edges: [], outcome }] });
    const { code, out } = await edgeward([...ask, "--server", url]);
    expect(code).toBe(expected);
    expect(rowOf(out, "outcome")[1]).toMatch(new RegExp(`^${words}`));
  });

  it("calls no edge up where all are down and answered all the same", async () => {
    const explained = { ...EXPLAINED, outcome: { kind: "fail-open" } } satisfies ExplainView;
    const { url } = await startFakeOps({ "GET /v1/explain": [200, explained] });
    const { out } = await edgeward([...ask, "--server", url]);
    const row = rowOf(out, "1 ");
    expect(row).toContain("down");
    expect(row).not.toContain("up");
  });

  it("suggests the hostname that was meant", async () => {
    const { url } = await startFakeOps({
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
    const { url } = await startFakeOps({
      "GET /v1/explain": [status, { ...body, detail: "there are /a/*" }],
    });
    const { code, err } = await edgeward([...ask, "--path", "/c", "--server", url]);
    expect({ code, err }).toEqual({ code: 1, err: `edgeward: ${title}: there are /a/*\n` });
  });

  it("takes an address that is none for wrong usage, before anyone is asked", async () => {
    const fake = await startFakeOps({});
    const { code, err } = await edgeward(["explain", "live.example.net", "300.1.2.3", "--server", fake.url]);
    expect(code).toBe(2);
    expect(err).toContain("Expected an address");
    expect(fake.asked).toEqual([]);
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
    const { url } = await startFakeOps({
      "GET /v1/explain": [200, { ...EXPLAINED, ...rules } satisfies ExplainView],
    });
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
