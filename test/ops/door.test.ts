import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ask, EDGES, EXPLANATION, type FakeDoor, openDoor, put, SERVICES } from "./fake.ts";
import { createServer } from "../../src/ops/server.ts";
import { PATIENCE_MS } from "../../src/succession.ts";

let door: FakeDoor;
beforeEach(async () => {
  door = await openDoor({ nowMs: () => Date.parse("2026-01-01T00:00:00Z") });
});
afterEach(() => door.stop());

describe("reading", () => {
  it("is alive", async () => {
    expect(await ask(door, "/healthz")).toMatchObject({ status: 200, text: "ok\n" });
  });

  it("is ready, or says what is missing", async () => {
    expect(await ask(door, "/readyz")).toMatchObject({ status: 200, json: { ready: true, reasons: [] } });
    door.api.isReady = false;
    expect(await ask(door, "/readyz")).toMatchObject({
      status: 503,
      json: { type: "urn:edgeward:problem:not-ready", ready: false, reasons: ["first round of probes"] },
    });
  });

  it.each([
    ["/v1/status", expect.objectContaining({ version: "1.2.3", services: 1 })],
    ["/v1/edges", EDGES],
    ["/v1/edges/ams1", EDGES[0]],
    ["/v1/services", SERVICES],
    ["/v1/explain?hostname=live.cdn.example.net&ip=198.51.100.7", EXPLANATION],
  ])("%s is JSON that nobody may cache", async (path, view) => {
    const reply = await ask(door, path);
    expect(reply).toMatchObject({ status: 200, json: view });
    expect(reply.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
    });
  });

  it("answers HEAD without a body", async () => {
    expect(await ask(door, "/v1/edges", { method: "HEAD" })).toMatchObject({ status: 200, text: "" });
  });

  it("shows a page that may run its own script alone", async () => {
    const reply = await ask(door, "/");
    expect(reply.headers["content-type"]).toBe("text/html; charset=utf-8");
    expect(reply.headers["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'sha256-/);
    expect(reply.text).not.toMatch(/(src|href)=|https?:\/\//);
    expect(reply.text).not.toContain("innerHTML");
  });
});

describe("explain", () => {
  const at = (query: string) => ask(door, `/v1/explain?${query}`);

  it("takes an address or a prefix", async () => {
    await at("hostname=LIVE.cdn.example.net.&ip=203.0.113.7");
    await at("hostname=live.cdn.example.net&ip=203.0.113.0/24&path=/a.m3u8");
    await at("hostname=live.cdn.example.net&ip=2001:db8::/48&at=http");
    const [whole, subnet, six] = door.api.questions;
    expect(whole).toEqual({
      hostname: "live.cdn.example.net",
      client: {
        address: { family: 4, bytes: Uint8Array.of(203, 0, 113, 7) },
        prefixLength: 32,
        from: "asked",
      },
      at: "dns",
    });
    expect(subnet).toMatchObject({ client: { prefixLength: 24 }, path: "/a.m3u8", at: "http" });
    expect(six).toMatchObject({ client: { prefixLength: 48, address: { family: 6 } }, at: "http" });
  });

  it.each(["300.1.1.1", "203.0.113.7/24", "::1%lo", "localhost", "[::1]"])("refuses %s", async (ip) => {
    const reply = await at(`hostname=live.cdn.example.net&ip=${encodeURIComponent(ip)}`);
    expect(reply).toMatchObject({
      status: 422,
      json: { type: "urn:edgeward:problem:invalid-address", detail: expect.stringContaining("203.0.113.7") },
    });
  });

  it.each([
    "ip=203.0.113.7",
    "hostname=live.cdn.example.net",
    "hostname=a&hostname=b&ip=203.0.113.7",
    "hostname=a&ip=203.0.113.7&at=smtp",
    "hostname=a&ip=203.0.113.7&token=x",
  ])("400 for %s", async (query) => {
    expect(await at(query)).toMatchObject({ status: 400, json: { status: 400 } });
    expect(door.api.questions).toEqual([]);
  });

  it("404 for a hostname that no service has", async () => {
    expect(await at("hostname=www.example.org&ip=203.0.113.7")).toMatchObject({
      status: 404,
      json: { type: "urn:edgeward:problem:unknown-hostname" },
    });
  });

  it("404 for a path that no service of the hostname has, with those that there are", async () => {
    expect(await at("hostname=shared.cdn.example.net&ip=203.0.113.7&path=/c")).toMatchObject({
      status: 404,
      json: { type: "urn:edgeward:problem:unknown-path", detail: "there are /a/*, /b/*" },
    });
  });

  it.each([
    ["/live/x.m3u8?token=a?b", "/live/x.m3u8"],
    ["live/x.m3u8", "/live/x.m3u8"],
    ["", "/"],
  ])("takes %j for the path %j, as the door would ask", async (typed, path) => {
    await at(`hostname=live.cdn.example.net&ip=203.0.113.7&path=${encodeURIComponent(typed)}`);
    expect(door.api.questions).toMatchObject([{ path, at: "http" }]);
  });
});

describe("load reports", () => {
  const report = (body: unknown, edge = "ams1") => put(door, `/v1/edges/${edge}/load`, body);

  it("takes a report, and any part of one", async () => {
    const whole = { viewers: 3, bandwidth: 1e6, cpu: 0.5, memory: 1, streams: ["a", "b"] };
    expect(await report(whole)).toMatchObject({ status: 204, text: "" });
    expect(await report({})).toMatchObject({ status: 204 });
    expect(door.api.reports).toEqual([
      { edgeId: "ams1", body: whole },
      { edgeId: "ams1", body: {} },
    ]);
  });

  it.each([
    ["viewers", '{"viewers":-1}'],
    ["viewers", '{"viewers":1e309}'],
    ["viewers", '{"viewers":"5"}'],
    ["viewers", '{"viewers":null}'],
    ["cpu", '{"cpu":1.5}'],
    ["memory", '{"memory":-0.1}'],
    ["bandwidth", '{"bandwidth":true}'],
    ["streams", '{"streams":"one"}'],
    ["streams", '{"streams":[1]}'],
    ["additional properties", '{"viewer":1}'],
    ["object", "[]"],
    ["object", "3"],
    ["10000", JSON.stringify({ streams: Array.from({ length: 10_001 }, () => "s") })],
  ])("422 that names %s, in %#", async (named, body) => {
    expect(await report(body)).toMatchObject({
      status: 422,
      json: { type: "urn:edgeward:problem:invalid-body", detail: expect.stringContaining(named) },
    });
    expect(door.api.reports).toEqual([]);
  });

  it.each(['{"viewers":NaN}', '{"viewers":Infinity}', "{", "", '{"viewers":1}x'])(
    "400 for %j, which is not JSON",
    async (body) => {
      expect(await report(body)).toMatchObject({ status: 400, json: { status: 400 } });
      expect(door.api.reports).toEqual([]);
    },
  );

  it.each(['{"__proto__":{"viewers":1}}', '{"constructor":{"prototype":{"viewers":1}}}'])(
    "refuses the poisoned %s",
    async (body) => {
      expect(await report(body)).toMatchObject({ status: 400, json: { status: 400 } });
      expect(door.api.reports).toEqual([]);
      expect(({} as { viewers?: number }).viewers).toBeUndefined();
    },
  );

  it("takes 10,000 streams, and no body beyond a mebibyte", async () => {
    const streams = Array.from({ length: 10_000 }, (_, i) => `${"s".repeat(90)}${i}`);
    expect(await report({ streams })).toMatchObject({ status: 204 });
    expect(await report({ streams: ["s".repeat(1 << 20)] })).toMatchObject({ status: 413 });
  });

  it("says why the application refuses", async () => {
    expect(await report({}, "sin1")).toMatchObject({
      status: 422,
      json: { detail: "sin1 takes no pushed reports" },
    });
    expect(await report({}, "mars1")).toMatchObject({
      status: 404,
      json: { type: "urn:edgeward:problem:unknown-edge" },
    });
  });
});

describe("state", () => {
  const set = (body: unknown, edge = "ams1") => put(door, `/v1/edges/${edge}/state`, body);

  it("drains, for a while or for good", async () => {
    expect(await set({ state: "drain", reason: "disk", until: "2h" })).toMatchObject({
      status: 200,
      json: { persisted: true, condition: { edgeId: "ams1", state: "drain" } },
    });
    await set({ state: "off", reason: "gone", until: "2026-01-02T00:00:00+01:00" });
    await set({ state: "active" });
    expect(door.api.changes).toEqual([
      {
        edgeId: "ams1",
        by: "local",
        change: { state: "drain", reason: "disk", untilMs: Date.parse("2026-01-01T02:00:00Z") },
      },
      {
        edgeId: "ams1",
        by: "local",
        change: { state: "off", reason: "gone", untilMs: Date.parse("2026-01-01T23:00:00Z") },
      },
      { edgeId: "ams1", by: "local", change: { state: "active", reason: "" } },
    ]);
    expect(door.log.lines).toContainEqual(
      expect.objectContaining({
        fields: expect.objectContaining({ edge: "ams1", by: "local", state: "drain" }),
      }),
    );
  });

  it.each([
    ["state", { reason: "x" }],
    ["allowed values: active, drain, off", { state: "sleep", reason: "x" }],
    ["reason", { state: "drain", reason: 5 }],
    ["500", { state: "drain", reason: "x".repeat(501) }],
    ["until", { state: "drain", until: "yesterday" }],
    ["passed", { state: "drain", until: "2025-12-31T23:59:59Z" }],
    ["until", { state: "drain", until: 5 }],
    ["deadline has passed", { state: "drain", deadline: "2025-12-31T23:59:59Z" }],
    ["deadline is by when", { state: "off", deadline: "1h" }],
    ["must lie after deadline", { state: "drain", deadline: "2h", until: "1h" }],
    ['additional properties, as "force"', { state: "drain", force: true }],
  ])("422 that names %s, in %#", async (named, body) => {
    expect(await set(body)).toMatchObject({
      status: 422,
      json: { detail: expect.stringContaining(named) },
    });
    expect(door.api.changes).toEqual([]);
  });

  it("404 for an unknown edge, 413 for a body beyond 16 KiB", async () => {
    expect(await set({ state: "drain" }, "mars1")).toMatchObject({ status: 404 });
    expect(await set({ state: "drain", reason: "x".repeat(17_000) })).toMatchObject({ status: 413 });
  });
});

describe("reload", () => {
  it("tells what changed, with or without an empty body that is said to be JSON", async () => {
    const changed = { status: 200, json: { changed: ["edges.ams1.capacity"] } };
    expect(await ask(door, "/v1/reload", { method: "POST" })).toMatchObject(changed);
    const headers = { "content-type": "application/json" };
    expect(await ask(door, "/v1/reload", { method: "POST", headers })).toMatchObject(changed);
  });

  it("tells every problem", async () => {
    const problems = [{ file: "a.yaml", line: 3, column: 5, path: "edges.x", message: "is wrong" }];
    door.api.verdict = { kind: "refused", problems };
    expect(await ask(door, "/v1/reload", { method: "POST" })).toMatchObject({
      status: 422,
      json: { type: "urn:edgeward:problem:invalid-configuration", problems },
    });
  });
});

describe("replace", () => {
  it("tells the process that serves from now on", async () => {
    const reply = await ask(door, "/v1/replace", { method: "POST" });
    expect(reply).toMatchObject({ status: 200, json: { pid: 4321 } });
  });

  it("tells every problem of the configuration", async () => {
    const problems = [{ file: "a.yaml", line: 3, column: 5, path: "edges.x", message: "is wrong" }];
    door.api.replacement = { kind: "refused", problems };
    expect(await ask(door, "/v1/replace", { method: "POST" })).toMatchObject({
      status: 422,
      json: { type: "urn:edgeward:problem:invalid-configuration", problems },
    });
  });

  it("tells why there is none", async () => {
    door.api.replacement = { kind: "failed", reason: "the configuration is wrong" };
    expect(await ask(door, "/v1/replace", { method: "POST" })).toMatchObject({
      status: 409,
      json: { type: "urn:edgeward:problem:not-replaced", detail: "the configuration is wrong" },
    });
  });
});

describe("every no is problem+json (RFC 9457)", () => {
  it.each([
    ["GET", "/nothing", 404],
    ["GET", "/v1/edges/", 404],
    ["GET", "/v1/edges/mars1", 404],
    ["GET", "/v1/edges/%ff", 400],
    ["POST", "/v1/edges", 405],
    ["DELETE", "/v1/edges/ams1/state", 405],
    ["GET", "/v1/reload", 405],
    ["HEAD", "/v1/events", 405],
    ["OPTIONS", "/v1/status", 405],
  ])("%s %s: %i", async (method, path, status) => {
    const reply = await ask(door, path, { method });
    expect(reply.status).toBe(status);
    expect(reply.headers["content-type"]).toMatch(/^application\/problem\+json/);
    if (method === "HEAD") return;
    expect(reply.json).toMatchObject({
      status,
      title: expect.any(String),
      type: expect.stringMatching(/^urn:/),
    });
  });

  it("404 for a long id, 414 for a target beyond 8 KiB", async () => {
    expect(await ask(door, `/v1/edges/${"x".repeat(2000)}`)).toMatchObject({
      status: 404,
      json: { status: 404 },
    });
    expect(await ask(door, `/v1/status?${"x".repeat(8192)}`)).toMatchObject({
      status: 414,
      json: { status: 414 },
    });
  });

  it("names the methods that are allowed", async () => {
    expect((await ask(door, "/v1/edges", { method: "POST" })).headers["allow"]).toBe("GET, HEAD");
    expect((await ask(door, "/v1/reload")).headers["allow"]).toBe("POST");
  });

  it("415 for anything but JSON", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "application/xml"]) {
      const reply = await put(door, "/v1/edges/ams1/load", "{}", { headers: { "content-type": type } });
      expect(reply).toMatchObject({
        status: 415,
        json: { detail: expect.stringContaining("application/json") },
      });
    }
  });

  it("415 for a body with a content coding, and says that it takes none", async () => {
    const packed = { "content-type": "application/json", "content-encoding": "gzip" };
    for (const headers of [packed, { ...packed, "content-type": "text/plain" }]) {
      const reply = await put(door, "/v1/edges/ams1/load", "\u001f\u008b", { headers });
      expect(reply).toMatchObject({ status: 415, json: { type: "urn:edgeward:problem:encoded-body" } });
      expect(reply.headers["accept-encoding"]).toBe("identity");
    }
    const plain = { ...packed, "content-encoding": "identity" };
    expect(await put(door, "/v1/edges/ams1/load", '{"viewers":1}', { headers: plain })).toMatchObject({
      status: 204,
    });
  });

  it("tells nothing of a bug, and logs it", async () => {
    door.api.bug = new Error("secret internals");
    const reply = await ask(door, "/v1/status");
    expect(reply).toMatchObject({ status: 500, json: { type: "urn:edgeward:problem:internal" } });
    expect(reply.text).not.toContain("secret");
    expect(door.log.lines).toContainEqual({
      level: "error",
      fields: { error: door.api.bug, operation: "status" },
      message: expect.any(String),
    });
  });

  it.each([
    [
      "431 for header fields beyond 16 KiB",
      `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${"a".repeat(17_000)}\r\n\r\n`,
      431,
    ],
    ["400 without a Host (RFC 9112 3.2)", "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n", 400],
    ["400 for what is not HTTP", "\x16\x03\x01\x02\r\n\r\n", 400],
    [
      "400 for two lengths",
      "PUT / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
      400,
    ],
  ])("%s", async (_name, octets, status) => {
    const answer = await raw(octets);
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(answer).toContain("application/problem+json");
    expect(JSON.parse(answer.slice(answer.indexOf("\r\n\r\n")))).toMatchObject({ status });
  });
});

describe("life", () => {
  it("keeps the connection of who asked for another process until it is known whether that serves", () => {
    const readingMs = 20_000; // of a large configuration, before
    expect(createServer(door.log).server.timeout).toBeGreaterThanOrEqual(PATIENCE_MS + readingMs);
  });

  it("frees its address when stopped, though a connection is idle", async () => {
    const own = await openDoor();
    const idle = connect(own.endpoint.port, own.endpoint.host);
    await new Promise((resolve) => idle.once("connect", resolve));
    await own.stop();
    await expect(ask(own, "/healthz")).rejects.toThrow("ECONNREFUSED");
    idle.destroy();
  });

  it("throws where the address is taken", async () => {
    await expect(openDoor({ endpoint: door.endpoint })).rejects.toThrow(
      `cannot listen for operators on 127.0.0.1:${door.endpoint.port}: another program listens there (EADDRINUSE)`,
    );
  });

  it("listens on IPv6", async () => {
    const own = await openDoor({ endpoint: { host: "::1", port: 0 } });
    expect(await ask(own, "/v1/status")).toMatchObject({ status: 200 });
    await own.stop();
  });
});

function raw(octets: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(door.endpoint.port, door.endpoint.host, () => socket.write(octets));
    let answer = "";
    socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
