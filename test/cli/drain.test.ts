import { describe, expect, it } from "vitest";
import { AMS1, edgeward, NOW_MS, problem, SIN1, startFakeOps } from "./fixture.ts";

const UNKNOWN_EDGE = problem(404, "unknown-edge", "No such edge");

describe("drain of the last edge", () => {
  it("warns of the services that have no other", async () => {
    const condition = { edgeId: "ams1", health: [], state: "drain", stateOrigin: { kind: "file" }, load: {} };
    const reply = { persisted: false, condition, unserved: ["live", "vod"] };
    const { url } = await startFakeOps({ "PUT /v1/edges/ams1/state": [200, reply] });
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
    const { url } = await startFakeOps({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition, replaced }],
    });
    const { code, out } = await edgeward(["drain", "ams1", "--server", url]);
    expect(code).toBe(0);
    expect(out).toMatch(
      /\(by olga 1m ago\)\nbefore: drain, by anna 1m ago: disk swap, empty by 2030-06-01 .+\n$/,
    );
  });
});

describe("drain and undrain", () => {
  const drained = { persisted: true, condition: { edgeId: "ams1", ...SIN1 } };

  it("sends state, reason and end, and says what holds now", async () => {
    const fake = await startFakeOps({ "PUT /v1/edges/ams1/state": [200, drained] });
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
    const fake = await startFakeOps({ "PUT /v1/edges/ams1/state": [200, active] });
    const { code, out } = await edgeward(["undrain", "ams1", "--server", fake.url]);
    expect(code).toBe(0);
    expect(fake.asked[0]?.body).toEqual({ state: "active" });
    expect(out).toBe("ams1 is active: it takes viewers again\n");
  });

  it("undrains an edge that is not configured by forgetting it", async () => {
    const fake = await startFakeOps({ "PUT /v1/edges/old1/state": [200, { persisted: true }] });
    const { code, out } = await edgeward(["undrain", "old1", "--server", fake.url]);
    expect([code, out]).toEqual([0, "old1 is not configured; what was set of it is forgotten\n"]);
  });

  it("warns on stderr when a restart would forget it, and still prints JSON alone on stdout", async () => {
    const { url } = await startFakeOps({
      "PUT /v1/edges/ams1/state": [200, { ...drained, persisted: false }],
    });
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
    const fake = await startFakeOps({
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

  it.each([
    ["2h", "1h59m"],
    ["2h", "2030-01-01T13:59:00Z"],
    ["2030-01-01T14:00:00Z", "2h"],
  ])("is wrong usage to be empty by %s and back by %s", async (by, until) => {
    const fake = await startFakeOps({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition: AMS1 }],
    });
    const args = ["drain", "ams1", "--server", fake.url, "--by", by, "--until"];
    const { code, err } = await edgeward([...args, until]);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining("--until: ") as string });
    expect(fake.asked).toEqual([]);
    expect((await edgeward([...args, "1d"])).code).toBe(0);
    expect(fake.asked[0]?.body).toEqual({ state: "drain", deadline: by, until: "1d" });
  });

  it("waits in vain for an edge that is put back", async () => {
    const fake = await startFakeOps({
      "PUT /v1/edges/ams1/state": [200, { persisted: true, condition: AMS1 }],
      "GET /v1/edges/ams1": [200, { ...AMS1, state: "active" }],
    });
    const { code, err } = await edgeward(["drain", "ams1", "--wait", "--server", fake.url]);
    expect({ code, err }).toEqual({ code: 1, err: "edgeward: ams1 does not drain any longer\n" });
  });

  it("waits no longer than answers are kept where nobody will know when it is empty", async () => {
    const unknown = { ...AMS1, state: "drain", drain: { steeredHere: 0, movedShare: 1 } };
    const { url } = await startFakeOps({
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
    const fake = await startFakeOps({
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
    const { url } = await startFakeOps({ "GET /v1/edges": [200, edges] });
    const { out } = await edgeward(["edges", "--server", url]);
    expect(out).toContain("12 viewers left, empty in about 5m, later than asked for");
    expect(out).toContain("1 viewer left");
    expect(out).toContain("nobody knows how many are left");
  });

  it("turns a time of day into the next such moment", async () => {
    const fake = await startFakeOps({ "PUT /v1/edges/ams1/state": [200, drained] });
    await edgeward(["drain", "ams1", "--until", "22:00", "--server", fake.url]);
    const body = fake.asked[0]?.body as { until: string } | undefined;
    const end = new Date(body?.until ?? "");
    expect([end.getHours(), end.getMinutes()]).toEqual([22, 0]);
    expect(end.getTime()).toBeGreaterThan(NOW_MS);
    expect(end.getTime()).toBeLessThanOrEqual(NOW_MS + 86_400_000);
  });

  it("takes an end that is none, or is past, for wrong usage", async () => {
    const fake = await startFakeOps({});
    for (const until of ["tomorrow", "25:00", "2020-01-01T00:00:00Z"]) {
      const { code, err } = await edgeward(["drain", "ams1", "--until", until, "--server", fake.url]);
      expect(code).toBe(2);
      expect(err).toContain("--until: ");
    }
    expect(fake.asked).toEqual([]);
  });

  it("suggests the edge that was meant, and says why the service will not", async () => {
    const { url } = await startFakeOps({
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
