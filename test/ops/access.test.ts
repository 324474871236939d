import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OPERATIONS, type OperationId } from "../../src/ops/operations.ts";
import { type Ask, ask, type FakeDoor, openDoor, type Reply, SECRETS, sha256, TOKENS } from "./fake.ts";

const compared: [number, number][] = [];
vi.mock("node:crypto", async (original) => {
  const crypto = await original<typeof import("node:crypto")>();
  const timingSafeEqual: typeof crypto.timingSafeEqual = (a, b) => {
    compared.push([a.byteLength, b.byteLength]);
    return crypto.timingSafeEqual(a, b);
  };
  return { ...crypto, timingSafeEqual };
});

let door: FakeDoor;
beforeEach(async () => {
  compared.length = 0;
  door = await openDoor();
});
afterEach(() => door.stop());

type Who = keyof typeof SECRETS | "nobody";

/** What each operation answers to each role, written out: the door's own table is not asked. */
const EXPECTED: Record<OperationId, Record<Who, number>> = {
  page: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  healthz: { nobody: 200, reporter: 200, viewer: 200, operator: 200 },
  readyz: { nobody: 200, reporter: 200, viewer: 200, operator: 200 },
  metrics: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  status: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  edges: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  edge: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  services: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  explain: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  events: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  openapi: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  load: { nobody: 401, reporter: 204, viewer: 403, operator: 204 },
  state: { nobody: 401, reporter: 403, viewer: 403, operator: 200 },
  acme: { nobody: 401, reporter: 403, viewer: 200, operator: 200 },
  acmeSet: { nobody: 401, reporter: 403, viewer: 403, operator: 200 },
  acmeRemove: { nobody: 401, reporter: 403, viewer: 403, operator: 200 },
  // Tokens are none of its credentials.
  acmeUpdate: { nobody: 401, reporter: 401, viewer: 401, operator: 401 },
  reload: { nobody: 401, reporter: 403, viewer: 403, operator: 200 },
  replace: { nobody: 401, reporter: 403, viewer: 403, operator: 200 },
};

const BODIES: Partial<Record<OperationId, string>> = {
  load: "{}",
  state: '{"state":"drain"}',
  acmeSet: '{"value":"x"}',
  acmeUpdate: '{"subdomain":"x","txt":"x"}',
};

function perform(id: OperationId, asked: Ask): Promise<Reply> {
  const { method, path } = OPERATIONS.find((operation) => operation.id === id) ?? OPERATIONS[0];
  const query = id === "explain" ? "?hostname=live.cdn.example.net&ip=203.0.113.7" : "";
  const body = BODIES[id];
  const target = path.replace("{id}", "ams1").replace("{hostname}", "live.cdn.example.net") + query;
  const reply = ask(door, target, { method, ...(body === undefined ? {} : { body }), ...asked });
  // An event stream ends only when the tokens change, or with its door.
  const own = door;
  if (id === "events") setTimeout(() => own.take({ tokens: [] }), 100);
  return reply;
}

describe("with tokens", () => {
  beforeEach(() => door.take({ tokens: TOKENS }));

  const cases = Object.entries(EXPECTED).flatMap(([id, byRole]) =>
    Object.entries(byRole).map(([who, status]) => [who, id, status] as [Who, OperationId, number]),
  );
  it.each(cases)("%s, %s: %i", async (who, id, status) => {
    const reply = await perform(id, who === "nobody" ? {} : { token: SECRETS[who] });
    expect(reply.status).toBe(status);
  });

  it("a reporter speaks for its own edge alone, whether or not the other exists", async () => {
    const load = (id: string) =>
      ask(door, `/v1/edges/${id}/load`, { method: "PUT", body: "{}", token: SECRETS.reporter });
    expect((await load("sin1")).status).toBe(403);
    expect((await load("mars1")).status).toBe(403);
    expect((await load("%61ms1")).status).toBe(204);
    expect(door.api.reports).toEqual([{ edgeId: "ams1", body: {} }]);
  });

  it("records a change under the token's name", async () => {
    await perform("state", { token: SECRETS.operator });
    expect(door.api.changes).toMatchObject([{ by: "ops" }]);
  });

  it.each([
    ["a wrong token", "Bearer wrong"],
    ["an empty token", "Bearer "],
    ["a token of another scheme", `Basic ${SECRETS.operator}`],
    ["the hash for the token", `Bearer ${sha256(SECRETS.operator)}`],
    ["the token and more", `Bearer ${SECRETS.operator} x`],
    ["half the token", `Bearer ${SECRETS.operator.slice(0, 8)}`],
    ["a very long token", `Bearer ${"x".repeat(9000)}`],
  ])("401 without detail for %s", async (_name, authorization) => {
    const reply = await ask(door, "/v1/status", { headers: { authorization } });
    expect(reply.status).toBe(401);
    expect(reply.headers["www-authenticate"]).toBe("Bearer");
    expect(Object.keys(reply.json as object).sort()).toEqual(["status", "title", "type"]);
  });

  it("the scheme's name is written in any case (RFC 9110 11.1)", async () => {
    const headers = { authorization: `bEARER ${SECRETS.viewer}` };
    expect((await ask(door, "/v1/status", { headers })).status).toBe(200);
  });

  it("compares digests in constant time: every hash, always 32 octets, whatever was presented", async () => {
    for (const token of ["x", SECRETS.operator, "y".repeat(5000)]) {
      compared.length = 0;
      await ask(door, "/v1/status", { token });
      expect(compared).toEqual(TOKENS.map(() => [32, 32]));
    }
  });

  it("does not say which paths exist", async () => {
    expect((await ask(door, "/nothing")).status).toBe(401);
    expect((await ask(door, "/v1/edges", { method: "POST" })).status).toBe(401);
    expect((await ask(door, "/nothing", { token: SECRETS.reporter })).status).toBe(404);
  });

  it("refuses before it reads a body", async () => {
    const headers = { "content-type": "application/json", "content-length": "500000" };
    expect((await ask(door, "/v1/edges/ams1/load", { method: "PUT", body: "{", headers })).status).toBe(401);
  });

  it("sends the page along with the 401, so that a token can be typed in", async () => {
    const reply = await ask(door, "/", { headers: { accept: "text/html,*/*" } });
    expect(reply.status).toBe(401);
    expect(reply.headers["www-authenticate"]).toBe("Bearer");
    expect(reply.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(reply.text).toContain('id="token"');
    expect(reply.text).not.toContain("ams1");
  });

  it("answers under any host name, but changes nothing for another origin's page", async () => {
    const token = SECRETS.operator;
    const host = "ops.example.net:9153";
    expect((await ask(door, "/v1/status", { token, headers: { host } })).status).toBe(200);
    const own = { host, origin: "https://ops.example.net:9153" };
    expect((await perform("reload", { token, headers: own })).status).toBe(200);
    const foreign = { host, origin: "https://evil.example" };
    expect((await perform("reload", { token, headers: foreign })).status).toBe(403);
  });

  it("no longer knows a token that was taken away", async () => {
    door.take({ tokens: TOKENS.slice(1) });
    expect((await ask(door, "/v1/status", { token: SECRETS.operator })).status).toBe(401);
    expect((await ask(door, "/v1/status", { token: SECRETS.viewer })).status).toBe(200);
  });

  it("keeps the old tokens if a new one has no valid hash, and does not repeat it", async () => {
    const bad = { name: "x", role: "operator", sha256: "not-a-hash" } as const;
    expect(() => door.take({ tokens: [bad] })).toThrow("token x: sha256 is not 64 hex digits");
    expect((await ask(door, "/v1/status", { token: SECRETS.viewer })).status).toBe(200);
  });

  it("never shows a token or its hash: not in answers, logs or metrics", async () => {
    const shown: string[] = [];
    for (const id of Object.keys(EXPECTED) as OperationId[]) {
      if (id === "events") continue;
      for (const token of Object.values(SECRETS)) {
        const reply = await perform(id, { token });
        shown.push(reply.text, JSON.stringify(reply.headers));
      }
    }
    door.api.bug = new Error("a bug");
    shown.push((await ask(door, "/v1/status", { token: SECRETS.viewer })).text);
    shown.push(JSON.stringify(door.log.lines), JSON.stringify(door.metrics()));
    expect(door.log.lines.length).toBeGreaterThan(0);
    const everything = shown.join("\n");
    for (const secret of Object.values(SECRETS)) {
      expect(everything).not.toContain(secret);
      expect(everything).not.toContain(sha256(secret));
    }
  });
});

describe("without tokens, on loopback", () => {
  it("is open to whoever is on this host", async () => {
    for (const id of Object.keys(EXPECTED) as OperationId[]) {
      if (id === "events") continue;
      expect((await perform(id, {})).status).toBe(EXPECTED[id].operator);
    }
    expect(compared).toEqual([]);
  });

  it.each(["localhost", "LOCALHOST:9153", "127.0.0.1", "127.9.9.9:80", "[::1]:9153"])(
    "answers as %s",
    async (host) => {
      expect((await ask(door, "/v1/status", { headers: { host } })).status).toBe(200);
    },
  );

  it.each([
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "192.0.2.1",
    "127.0.0.1@evil.example",
    "0x7f.1",
    "[::2]",
  ])("403 for the host %j, which a rebound name would send", async (host) => {
    const reply = await ask(door, "/v1/status", { headers: { host } });
    expect(reply.status).toBe(403);
    expect((await ask(door, "/healthz", { headers: { host } })).status).toBe(200);
  });

  it.each([
    "GET /v1/status HTTP/1.0\r\n\r\n",
    "GET /v1/status HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n",
  ])("403 without a host: %j", async (octets) => {
    const socket = connect(door.endpoint.port, door.endpoint.host, () => socket.write(octets));
    expect((await text(socket)).split("\r\n")[0]).toBe("HTTP/1.1 403 Forbidden");
  });

  it.each([
    ["another site", { origin: "https://evil.example" }],
    ["another port", { origin: "http://127.0.0.1:1" }],
    ["an opaque origin", { origin: "null" }],
    ["a cross-site fetch", { "sec-fetch-site": "cross-site" }],
  ])("a page of %s changes nothing", async (_name, headers) => {
    for (const id of ["load", "state", "reload"] as const) {
      expect(await perform(id, { headers })).toMatchObject({
        status: 403,
        json: { type: "urn:edgeward:problem:foreign-origin" },
      });
    }
    expect([...door.api.reports, ...door.api.changes]).toEqual([]);
  });

  it("the door's own page may change things", async () => {
    const origin = `http://127.0.0.1:${door.endpoint.port}`;
    expect((await perform("reload", { headers: { origin, "sec-fetch-site": "same-origin" } })).status).toBe(
      200,
    );
  });
});

describe("beyond loopback", () => {
  it.each(["0.0.0.0", "::", "192.0.2.1"])("does not start on %s without tokens", async (host) => {
    await expect(openDoor({ endpoint: { host, port: 0 } })).rejects.toThrow("needs ops.tokens");
  });

  it("starts with tokens, and admits nobody once they are all gone", async () => {
    const wide = await openDoor({ endpoint: { host: "0.0.0.0", port: 0 }, tokens: TOKENS });
    expect((await ask(wide, "/v1/status", { token: SECRETS.viewer })).status).toBe(200);
    wide.take({ tokens: [] });
    expect((await ask(wide, "/v1/status", { token: SECRETS.viewer })).status).toBe(401);
    expect((await ask(wide, "/v1/status")).status).toBe(401);
    await wide.stop();
  });

  it("does not start with a token whose hash is none", async () => {
    const bad = { name: "x", role: "operator", sha256: "abcd" } as const;
    await expect(openDoor({ tokens: [bad] })).rejects.toThrow("token x: sha256 is not 64 hex digits");
  });
});
