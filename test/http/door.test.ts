import { request } from "undici";
import { describe, expect, it } from "vitest";
import { startHttpDoor } from "../../src/http/door.ts";
import type { Outcome } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import type { SteeringCall } from "../../src/model/steering.ts";
import {
  AMSTERDAM,
  ask,
  counted,
  decisionOf,
  doorForAll,
  edgeOf,
  exchange,
  LIVE,
  openDoor,
  repliesIn,
  serviceOf,
  SINGAPORE,
  trusted,
} from "./fixture.ts";

const HOST = "Host: live.example.net";

const test = doorForAll({ trustedProxies: trusted("127.0.0.1/32") });

describe("a redirect", () => {
  it("is a 302 to the first edge, with path and query as sent", async () => {
    const reply = await ask(test.port, "GET /live/a%2Fb.m3u8?t=%00&c=+ HTTP/1.1");
    expect(reply.status).toBe(302);
    expect(reply.headers).toMatchObject({
      location: "http://127.0.0.11:8081/live/a%2Fb.m3u8?t=%00&c=+",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
      vary: "Accept",
      "content-type": "text/plain; charset=utf-8",
    });
    expect(reply.body).toBe("302 Found\n");
    expect(test.questions.at(-1)).toMatchObject({ hostname: "live.example.net", path: "/live/a%2Fb.m3u8" });
  });

  it("has the same fields for HEAD, and no body", async () => {
    const [get, head] = [await ask(test.port, "GET /a HTTP/1.1"), await ask(test.port, "HEAD /a HTTP/1.1")];
    const { date: _, ...fields } = get.headers;
    expect(head).toMatchObject({ status: 302, headers: fields, body: "" });
  });

  it("appends to an edge's path prefix and follows its scheme", async () => {
    test.answerWith(() => decisionOf([SINGAPORE, AMSTERDAM]));
    const reply = await ask(test.port, "GET /a?b HTTP/1.1");
    expect(reply.headers["location"]).toBe("https://sin1.edges.example.org/vod/a?b");
  });

  it("may be kept for the service's stickiness, if the edges are well", async () => {
    const service = serviceOf({ http: { ...LIVE.http, stickinessSeconds: 30 } });
    const cachingOf = async (method: string, outcome: Outcome, isInDoubt = false) => {
      test.answerWith(() => decisionOf([AMSTERDAM], { service, outcome, isInDoubt }));
      return (await ask(test.port, `${method} / HTTP/1.1`)).headers["cache-control"];
    };
    expect(await cachingOf("GET", { kind: "edges" })).toBe("private, max-age=30");
    expect(await cachingOf("POST", { kind: "edges" })).toBe("no-store");
    expect(await cachingOf("GET", { kind: "overload" })).toBe("no-store");
    expect(await cachingOf("GET", { kind: "fail-open" })).toBe("no-store");
    expect(await cachingOf("GET", { kind: "edges" }, true)).toBe("no-store");
  });

  it("leaves out edges without a url or with one of our hostnames", async () => {
    const looping = edgeOf("loop", "https://x.wild.example.net:8443");
    test.answerWith(() => decisionOf([edgeOf("mute"), looping, SINGAPORE]));
    const reply = await ask(test.port, "GET / HTTP/1.1");
    expect(reply.headers["location"]).toBe("https://sin1.edges.example.org/vod/");
    test.answerWith(() => decisionOf([looping]));
    const refusal = await ask(test.port, "GET / HTTP/1.1");
    expect(refusal).toMatchObject({ status: 503, headers: { "retry-after": "10" } });
    expect(refusal.body).toContain("no edge of this service has a url");
  });

  it("takes an absolute-form target by its authority, and no host from the request", async () => {
    const reply = await ask(test.port, "GET http://LIVE.example.net:80/a?b HTTP/1.1", ["Host: evil.example"]);
    expect(reply.headers["location"]).toBe("http://127.0.0.11:8081/a?b");
    expect((await ask(test.port, "GET http://evil.example/a HTTP/1.1")).status).toBe(421);
    expect((await ask(test.port, "GET http://live.example.net@evil.example/ HTTP/1.1")).status).toBe(400);
  });

  it("is found by undici too, without a Date that lies", async () => {
    const reply = await request(`http://127.0.0.1:${test.port}/x`, { headers: { host: "live.example.net" } });
    await reply.body.dump();
    expect(reply.statusCode).toBe(302);
    expect(reply.headers["location"]).toBe("http://127.0.0.11:8081/x");
    expect(Math.abs(Date.now() - Date.parse(String(reply.headers["date"])))).toBeLessThan(60_000);
  });
});

describe("the engine", () => {
  /** How many edges it was asked for by each of the requests. */
  const wantedBy = async (service: Service, edges: readonly Edge[], ...fields: string[]) => {
    const own = await openDoor({ services: [service], edges });
    for (let i = 0; i < 3; i++) await ask(own.port, "GET / HTTP/1.1", [HOST, ...fields]);
    await own.door.stop();
    return own.questions.map(({ most = "all" }) => most);
  };
  const some = Array.from({ length: 6 }, (_, index) => ({
    ...edgeOf(`e${index}`, "http://127.0.0.1"),
    index,
  }));
  const service = serviceOf({ edges: [0, 1, 2, 3, 4, 5] });

  it("is asked for the best edge alone, once all are known to have somewhere to go", async () => {
    expect(await wantedBy(service, some)).toEqual(["all", 1, 1]);
  });

  it("is asked for all where the best may have nowhere to go", async () => {
    expect(await wantedBy(service, [...some.slice(0, 5), edgeOf("e5")])).toEqual(["all", "all", "all"]);
  });

  it("is asked for all where the answer names them", async () => {
    const http = { ...service.http, links: true } as const;
    expect(await wantedBy({ ...service, http }, some)).toEqual(["all", "all", "all"]);
    expect(await wantedBy(service, some, "Accept: application/json")).toEqual(["all", "all", "all"]);
  });
});

describe("other methods", () => {
  it.each(["POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "M-SEARCH", "PURGE"])(
    "%s: 307",
    async (method) => {
      const reply = await ask(test.port, `${method} /whip?x HTTP/1.1`);
      expect(reply).toMatchObject({ status: 307, headers: { location: "http://127.0.0.11:8081/whip?x" } });
    },
  );

  it.each([
    ["a short body", "Content-Length: 5", "hello"],
    ["JSON that is none", "Content-Type: application/json\r\nContent-Length: 5", "{{{{{"],
    ["a media type that is none", "Content-Type: ;;\r\nContent-Length: 5", "hello"],
    ["a chunked body", "Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"],
    ["a body that never comes to an end", "Content-Length: 9999999", "x".repeat(1_000_000)],
    ["a body with a malformed chunk", "Transfer-Encoding: chunked", "zz\r\n"],
    ["a body that waits to be asked for", "Expect: 100-continue\r\nContent-Length: 5", ""],
    ["an expectation of its own", "Expect: miracles\r\nContent-Length: 5", ""],
  ])("%s is not waited for: 307, then closed", async (_what, fields, body) => {
    const text = await exchange(test.port, `POST / HTTP/1.1\r\n${HOST}\r\n${fields}\r\n\r\n${body}`);
    expect(repliesIn(text)).toMatchObject([{ status: 307, headers: { connection: "close" } }]);
  });

  it("a body that stops arriving is given up", async () => {
    const brief = await openDoor({ limits: { lingerMs: 50 } });
    const text = await exchange(
      brief.port,
      `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 9\r\n\r\n`,
      "half",
    );
    expect(repliesIn(text)).toMatchObject([{ status: 307 }]);
    await brief.door.stop();
  });

  it("a GET with a body is answered and closed", async () => {
    const text = await exchange(test.port, `GET / HTTP/1.1\r\n${HOST}\r\nContent-Length: 2\r\n\r\nhi`);
    expect(repliesIn(text)).toMatchObject([{ status: 302, headers: { connection: "close" } }]);
  });

  it.each(["OPTIONS /a HTTP/1.1", "OPTIONS * HTTP/1.1"])("%s: 204 with CORS", async (line) => {
    const reply = await ask(test.port, line, [HOST, "Origin: null", "Access-Control-Request-Method: POST"]);
    expect(reply.status).toBe(204);
    expect(reply.headers).toMatchObject({
      "access-control-allow-origin": "*",
      "access-control-allow-headers": "*",
      "access-control-max-age": "600",
    });
    expect(reply.headers["access-control-allow-methods"]?.split(", ")).toContain("POST");
    expect(reply.headers).not.toHaveProperty("content-length");
  });

  it.each([
    ["authorization", true],
    ["content-type,Authorization, range", true],
    ["x-authorization,authorization-info", false],
  ])("lets a page send %s, of which * does not mean Authorization", async (wanted, isListed) => {
    const fields = [HOST, "Origin: null", `Access-Control-Request-Headers: ${wanted}`];
    const { headers } = await ask(test.port, "OPTIONS /whip HTTP/1.1", fields);
    expect(headers["access-control-allow-headers"]).toBe(isListed ? "*, Authorization" : "*");
  });

  it("OPTIONS of an unknown hostname: 421", async () => {
    expect((await ask(test.port, "OPTIONS / HTTP/1.1", ["Host: x.example"])).status).toBe(421);
  });

  it("CONNECT: 405", async () => {
    expect(await ask(test.port, "CONNECT evil.example:443 HTTP/1.1")).toMatchObject({ status: 405 });
  });

  it("an upgrade is redirected like any GET", async () => {
    const text = await exchange(
      test.port,
      `GET /ws HTTP/1.1\r\n${HOST}\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\r\n`,
    );
    expect(repliesIn(text)).toMatchObject([{ status: 302 }]);
  });
});

describe("services that share a hostname", () => {
  it("are told apart by path, and a path of none is not found", async () => {
    const live = serviceOf({ paths: ["/live/*"] });
    const cup = serviceOf({ id: "cup", paths: ["/live/cup/*"] });
    const calls: SteeringCall[] = [];
    const shared = await openDoor({ services: [live, cup], steer: (call) => (calls.push(call), "{}") });
    expect((await ask(shared.port, "GET /live/a HTTP/1.1")).status).toBe(302);
    expect((await ask(shared.port, "GET /vod/a HTTP/1.1")).status).toBe(404);
    expect(await ask(shared.port, "GET /vod/a HTTP/1.1", ["Host: x.example"])).toMatchObject({ status: 421 });
    await ask(shared.port, "GET /.edgeward/steering/live/cup/a HTTP/1.1");
    await ask(shared.port, "GET /.edgeward/steering HTTP/1.1");
    expect(calls.map(({ service }) => service.id)).toEqual(["cup", "live"]);
    await shared.door.stop();
  });
});

describe("the hostname", () => {
  it.each(["LIVE.example.net.:8080", "a.wild.example.net"])("%s is served", async (host) => {
    expect((await ask(test.port, "GET / HTTP/1.1", [`Host: ${host}`])).status).toBe(302);
  });

  it.each(["x.example", "127.0.0.1", "[::1]:80", "wild.example.net"])("%s: 421", async (host) => {
    const before = test.questions.length;
    const reply = await ask(test.port, "GET / HTTP/1.1", [
      `Host: ${host}`,
      "X-Forwarded-Host: live.example.net",
    ]);
    expect(reply).toMatchObject({
      status: 421,
      body: "421 Misdirected Request: no service has this hostname\n",
    });
    expect(test.questions).toHaveLength(before);
  });

  it("that the engine no longer knows: 421", async () => {
    test.answerWith(() => undefined);
    expect((await ask(test.port, "GET / HTTP/1.1")).status).toBe(421);
  });

  it.each([
    ["none", "GET / HTTP/1.1", []],
    ["none in HTTP/1.0", "GET / HTTP/1.0", []],
    ["an empty one", "GET / HTTP/1.1", ["Host:"]],
    ["two", "GET / HTTP/1.1", [HOST, HOST]],
    ["two in one", "GET / HTTP/1.1", [`${HOST}, evil.example`]],
    ["malformed", "GET / HTTP/1.1", ["Host: live.example.net/x"]],
  ])("%s: 400", async (_what, line, fields) => {
    const before = counted(test.door, "http_rejected_total", { reason: "bad-host" });
    const reply = await ask(test.port, line, fields);
    expect(reply).toMatchObject({ status: 400, headers: { "access-control-allow-origin": "*" } });
    expect(counted(test.door, "http_rejected_total", { reason: "bad-host" })).toBe(before + 1);
  });
});

describe("the viewer", () => {
  it("is whom a trusted proxy names, and the socket's peer otherwise", async () => {
    const forwarded = [HOST, "X-Forwarded-For: 192.0.2.66", "X-Forwarded-For: 203.0.113.9"];
    await ask(test.port, "GET / HTTP/1.1", forwarded);
    expect(test.lastViewer()).toBe("203.0.113.9/32 forwarded");

    test.door.take({ services: [LIVE], trustedProxies: [] });
    await ask(test.port, "GET / HTTP/1.1", [
      ...forwarded,
      "Forwarded: for=203.0.113.9",
      "X-Real-IP: 203.0.113.9",
    ]);
    expect(test.lastViewer()).toBe("127.0.0.1/32 source");
    test.door.take({ services: [LIVE], trustedProxies: trusted("127.0.0.1/32") });
  });
});

it("serves the hostnames of the configuration it has taken", async () => {
  test.door.take({ services: [serviceOf({ hostnames: ["new.example.net"] })], trustedProxies: [] });
  expect((await ask(test.port, "GET / HTTP/1.1")).status).toBe(421);
  expect((await ask(test.port, "GET / HTTP/1.1", ["Host: new.example.net"])).status).toBe(302);
  test.door.take({ services: [LIVE], trustedProxies: trusted("127.0.0.1/32") });
});

describe("endpoints", () => {
  it("are any number, IPv6 too", async () => {
    const two = await openDoor({
      endpoints: [
        { host: "127.0.0.1", port: 0 },
        { host: "::1", port: 0 },
      ],
    });
    const [, ipv6] = two.door.endpoints;
    const reply = await request(`http://[::1]:${ipv6?.port}/`, { headers: { host: "live.example.net" } });
    await reply.body.dump();
    expect(reply.statusCode).toBe(302);
    expect(two.lastViewer()).toBe("::1/128 source");
    await two.door.stop();
  });

  it("that cannot be bound are told in one line, and none stays open", async () => {
    const options = {
      trustedProxies: [],
      services: [],
      decide: () => undefined,
      steer: () => undefined,
      log: console,
    };
    const free = await startHttpDoor({ ...options, endpoints: [{ host: "127.0.0.1", port: 0 }] });
    const [freed = { host: "", port: 0 }] = free.endpoints;
    await free.stop();
    const endpoints = [freed, { host: "127.0.0.1", port: test.port }];
    await expect(startHttpDoor({ ...options, endpoints })).rejects.toThrow(
      `cannot listen for HTTP on 127.0.0.1:${test.port}: another program listens there (EADDRINUSE)`,
    );
    await expect(exchange(freed.port, "")).rejects.toThrow("ECONNREFUSED");
    await expect(
      startHttpDoor({ ...options, endpoints: [{ host: "2001:db8::1", port: 80 }] }),
    ).rejects.toThrow(/^cannot listen for HTTP on \[2001:db8::1\]:80: .+ \(E[A-Z]+\)$/);
  });
});

it("counts what it answers, with labels from the configuration alone", async () => {
  const own = await openDoor();
  await ask(own.port, "GET /a HTTP/1.1");
  await ask(own.port, "GET /b HTTP/1.1");
  await ask(own.port, "GET / HTTP/1.1", ["Host: someone.example"]);
  expect(counted(own.door, "http_requests_total", { code: "302", service: "live" })).toBe(2);
  expect(counted(own.door, "http_requests_total", { code: "421", service: "-" })).toBe(1);
  const duration = own.door.metrics().find(({ name }) => name === "http_request_duration_seconds");
  expect(duration?.kind === "histogram" && duration.samples[0]?.counts.reduce((a, b) => a + b)).toBe(3);
  expect(JSON.stringify(own.door.metrics())).not.toContain("someone");
  await own.door.stop();
});
