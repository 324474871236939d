import { request } from "undici";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startHttpDoor } from "../../src/http/door.ts";
import type { Outcome, RefusalReason } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import type { SteeringCall } from "../../src/model/steering.ts";
import {
  AMSTERDAM,
  ask,
  choiceOf,
  counted,
  decisionOf,
  edgeOf,
  exchange,
  LIVE,
  openDoor,
  repliesIn,
  serviceOf,
  SINGAPORE,
  type TestDoor,
  trusted,
} from "./fixture.ts";

const HOST = "Host: live.example.net";
const JSON_WANTED = [HOST, "Accept: application/json"];

let test: TestDoor;
beforeAll(async () => {
  test = await openDoor({ trustedProxies: trusted("127.0.0.1/32") });
});
afterEach(() => {
  test.answerWith(() => decisionOf([AMSTERDAM]));
});
afterAll(async () => {
  await test.door.stop();
});

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

describe("/.edgeward/steering", () => {
  const manifest = '{"VERSION":1}';
  const calls: SteeringCall[] = [];
  let steering: TestDoor;
  beforeAll(async () => {
    const steer = (call: SteeringCall) => {
      calls.push(call);
      return call.query === "?ended" ? undefined : manifest;
    };
    steering = await openDoor({ trustedProxies: trusted("127.0.0.1/32"), steer });
  });
  afterAll(async () => {
    await steering.door.stop();
  });
  const get = (line: string, fields = [HOST]) => ask(steering.port, line, fields);

  it("answers with the manifest, which no cache keeps and every page may read", async () => {
    const reply = await get("GET /.edgeward/steering?_HLS_pathway=a HTTP/1.1", [`${HOST}:8080`]);
    expect(reply).toMatchObject({ status: 200, body: manifest });
    expect(reply.headers).toMatchObject({
      "content-type": "application/json",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    expect(calls.at(-1)).toMatchObject({
      service: LIVE,
      hostname: "live.example.net",
      query: "?_HLS_pathway=a",
      address: "http://live.example.net:8080/.edgeward/steering",
    });
    expect(calls.at(-1)).not.toHaveProperty("path");
    expect(steering.questions).toEqual([]);
    expect(await get("HEAD /.edgeward/steering HTTP/1.1")).toMatchObject({ status: 200, body: "" });
  });

  it("takes what stands behind the address as the path of the stream", async () => {
    await get("GET /.edgeward/steering/live/a%2Fb.m3u8 HTTP/1.1");
    expect(calls.at(-1)).toMatchObject({
      path: "/live/a%2Fb.m3u8",
      address: "http://live.example.net/.edgeward/steering/live/a%2Fb.m3u8",
    });
  });

  it.each([
    ["X-Forwarded-Proto: https", "https"],
    ["X-Forwarded-Proto: http, HTTPS", "https"],
    ["X-Forwarded-Proto: gopher", "http"],
    ['Forwarded: for=192.0.2.1;proto=http, for=192.0.2.2;proto="https"', "https"],
  ])("%s, from a trusted proxy: %s", async (field, scheme) => {
    await get("GET /.edgeward/steering HTTP/1.1", [HOST, field]);
    expect(calls.at(-1)?.address).toBe(`${scheme}://live.example.net/.edgeward/steering`);
  });

  it("believes no scheme of anybody else", async () => {
    const untrusting = await openDoor({ steer: (call) => (calls.push(call), manifest) });
    await ask(untrusting.port, "GET /.edgeward/steering HTTP/1.1", [HOST, "X-Forwarded-Proto: https"]);
    expect(calls.at(-1)?.address).toBe("http://live.example.net/.edgeward/steering");
    await untrusting.door.stop();
  });

  it("is gone, for players to stop asking, once it has ended", async () => {
    expect(await get("GET /.edgeward/steering?ended HTTP/1.1")).toMatchObject({ status: 410 });
  });

  it("is read with GET, preflighted, and on hostnames of services only", async () => {
    const post = await get("POST /.edgeward/steering HTTP/1.1");
    expect(post).toMatchObject({ status: 405, headers: { allow: "GET, HEAD, OPTIONS" } });
    expect(await get("OPTIONS /.edgeward/steering HTTP/1.1")).toMatchObject({ status: 204 });
    expect(await get("GET /.edgeward/steering HTTP/1.1", ["Host: x.example"])).toMatchObject({ status: 421 });
    expect(await get("GET /.edgeward/steerings HTTP/1.1")).toMatchObject({ status: 404 });
  });
});

describe("what an operator may add to a redirect", () => {
  const http = { ...LIVE.http, links: true, serverTiming: true } as const;

  it("names the next best edges as mirrors (RFC 6249), and what the choice took", async () => {
    const service = serviceOf({ http });
    test.answerWith(() =>
      decisionOf([AMSTERDAM, SINGAPORE, edgeOf("nyc1", "http://127.0.0.13")], { service }),
    );
    const { headers } = await ask(test.port, "GET /a?b HTTP/1.1");
    expect(headers["link"]).toBe(
      "<https://sin1.edges.example.org/vod/a?b>; rel=duplicate; pri=1, <http://127.0.0.13/a?b>; rel=duplicate; pri=2",
    );
    expect(headers["server-timing"]).toMatch(/^edge;desc="ams1", decide;dur=\d+\.\d{3}$/);
    expect(headers["timing-allow-origin"]).toBe("*");
    const injected = await ask(test.port, "GET /a>;rel=preload,<http://evil.example/ HTTP/1.1");
    expect(injected.headers["link"]).toContain(
      "<http://127.0.0.13/a%3E;rel=preload,%3Chttp://evil.example/>; rel=duplicate",
    );
    test.answerWith(() => decisionOf([AMSTERDAM], { service }));
    expect((await ask(test.port, "GET /a HTTP/1.1")).headers).not.toHaveProperty("link");
  });

  it("is another address for those who come with TLS, as a trusted proxy says", async () => {
    const templates = [{ scheme: "https", url: "https://{edge.host}{path}{query}" }] as const;
    const service = serviceOf({ http: { ...LIVE.http, templates } });
    const own = await openDoor({ services: [service], trustedProxies: trusted("127.0.0.1/32") });
    own.answerWith(() => decisionOf([AMSTERDAM], { service }));
    const location = async (...fields: string[]): Promise<string | undefined> =>
      (await ask(own.port, "GET /a?b HTTP/1.1", [HOST, ...fields])).headers["location"];
    expect(await location()).toBe("http://127.0.0.11:8081/a?b");
    expect(await location("X-Forwarded-Proto: https")).toBe("https://127.0.0.11/a?b");
    await own.door.stop();
  });

  it("is not there by itself", async () => {
    test.answerWith(() => decisionOf([AMSTERDAM, SINGAPORE]));
    const { headers } = await ask(test.port, "GET /a HTTP/1.1");
    for (const name of ["link", "server-timing", "timing-allow-origin"])
      expect(headers).not.toHaveProperty(name);
  });

  it("signs redirects and JSON, and never the fallback", async () => {
    const signing = {
      scheme: "hmac",
      keys: [{ secret: "12345678" }],
      ttlSeconds: 60,
      over: "path",
      bindsAddress: false,
    } as const;
    const fallback = { url: "https://origin.example.net", addresses: [] };
    const service = serviceOf({ signing, fallback });
    test.answerWith(() => decisionOf([AMSTERDAM], { service }));
    expect((await ask(test.port, "GET /a?b HTTP/1.1")).headers["location"]).toMatch(
      /^http:\/\/127\.0\.0\.11:8081\/a\?b&token=[\w-]{43}&expires=\d{10}$/,
    );
    expect((await ask(test.port, "GET /a HTTP/1.1")).headers["location"]).toMatch(/\/a\?token=/);
    expect((await ask(test.port, "GET /a HTTP/1.1", JSON_WANTED)).body).toContain("/a?token=");
    test.answerWith(() => decisionOf([], { service, outcome: { kind: "fallback", fallback } }));
    expect((await ask(test.port, "GET /a HTTP/1.1")).headers["location"]).toBe(
      "https://origin.example.net/a",
    );
  });
});

describe("Accept: application/json", () => {
  it("tells an edge's other addresses, with what was asked for behind", async () => {
    const urls = { wss: "wss://edge1.example.net:8443", rtmp: "rtmp://edge1.example.net/live" };
    test.answerWith(() => decisionOf([{ ...AMSTERDAM, urls }, SINGAPORE]));
    const reply = await ask(test.port, "GET /cam1?t=%0D HTTP/1.1", JSON_WANTED);
    const { edges } = JSON.parse(reply.body) as { edges: { url: string; urls?: object }[] };
    expect(edges.map(({ url, urls }) => [url, urls])).toEqual([
      [
        "http://127.0.0.11:8081/cam1?t=%0D",
        { wss: "wss://edge1.example.net:8443/cam1?t=%0D", rtmp: "rtmp://edge1.example.net/live/cam1?t=%0D" },
      ],
      ["https://sin1.edges.example.org/vod/cam1?t=%0D", undefined],
    ]);
  });

  it("tells prices, loads and reasons to those who may see them", async () => {
    const open = await openDoor({
      detailsFor: trusted("127.0.0.0/8"),
      decide: (_question, _door, trace) => {
        trace?.reject(SINGAPORE, "drain", 10_000);
        return decisionOf([], { edges: [{ ...choiceOf(AMSTERDAM, 12.5), priceKm: 3, loadRatio: 0.25 }] });
      },
    });
    const { body } = await ask(open.port, "GET /a HTTP/1.1", JSON_WANTED);
    expect(JSON.parse(body)).toMatchObject({
      edges: [{ id: "ams1", distanceKm: 12.5, priceKm: 3, load: 0.25 }],
      rejected: [{ id: "sin1", reason: "drain", distanceKm: 10_000 }],
    });
    await open.door.stop();
  });

  it("has addresses for other protocols, at hosts of the configuration", async () => {
    const urls = { rtmp: "rtmp://{edge.host}:1935{path}", srt: "srt://{edge.host}:9000?streamid={path}" };
    const service = serviceOf({
      http: { ...LIVE.http, urls: { ...urls, own: "wss://x.wild.example.net{path}" } },
    });
    test.answerWith(() => decisionOf([AMSTERDAM], { service }));
    const { body } = await ask(test.port, "GET /live/cup HTTP/1.1", JSON_WANTED);
    expect((JSON.parse(body) as { edges: unknown[] }).edges).toEqual([
      {
        id: "ams1",
        url: "http://127.0.0.11:8081/live/cup",
        urls: { rtmp: "rtmp://127.0.0.11:1935/live/cup", srt: "srt://127.0.0.11:9000?streamid=/live/cup" },
        distanceKm: null,
      },
    ]);
  });

  it("gets the decision", async () => {
    const near = { ...choiceOf(AMSTERDAM, 12.5), priceKm: 3, loadRatio: 0.25 };
    test.answerWith(() =>
      decisionOf([], {
        edges: [near, choiceOf(edgeOf("mute")), choiceOf(SINGAPORE)],
        location: {
          layer: "city",
          country: "NL",
          continent: "EU",
          city: "Haarlem",
          latitude: 52.4,
          longitude: 4.6,
        },
      }),
    );
    const reply = await ask(test.port, "GET /a?b HTTP/1.1", JSON_WANTED);
    expect(reply).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json", "cache-control": "no-store", vary: "Accept" },
    });
    expect(JSON.parse(reply.body)).toEqual({
      service: "live",
      viewer: {
        address: "127.0.0.1",
        country: "NL",
        continent: "EU",
        city: "Haarlem",
        latitude: 52.4,
        longitude: 4.6,
        layer: "city",
      },
      edges: [
        { id: "ams1", url: "http://127.0.0.11:8081/a?b", distanceKm: 12.5 },
        {
          id: "sin1",
          url: "https://sin1.edges.example.org/vod/a?b",
          distanceKm: null,
        },
      ],
      ttl: 20,
      outcome: "edges",
    });
  });

  it("gets the fallback", async () => {
    const fallback = { url: "https://origin.example.net", addresses: [] };
    test.answerWith(() =>
      decisionOf([], { service: serviceOf({ fallback }), outcome: { kind: "fallback", fallback } }),
    );
    const reply = await ask(test.port, "GET /a HTTP/1.1", JSON_WANTED);
    expect(JSON.parse(reply.body)).toMatchObject({
      edges: [],
      outcome: "fallback",
      fallback: { url: "https://origin.example.net/a" },
    });
  });

  it("gets no redirect by accident: any type at all is still redirected", async () => {
    expect((await ask(test.port, "GET / HTTP/1.1", [HOST, "Accept: */*"])).status).toBe(302);
    expect((await ask(test.port, "POST / HTTP/1.1", JSON_WANTED)).status).toBe(307);
  });

  it("gets problem details (RFC 9457)", async () => {
    const reply = await ask(test.port, "GET / HTTP/1.1", ["Host: x.example", "Accept: application/json"]);
    expect(reply.headers["content-type"]).toBe("application/problem+json");
    expect(JSON.parse(reply.body)).toEqual({
      title: "Misdirected Request",
      status: 421,
      detail: "no service has this hostname",
    });
  });
});

describe("without an edge", () => {
  const refuse = (reason: RefusalReason): void =>
    test.answerWith(() => decisionOf([], { outcome: { kind: "refused", reason } }));

  it.each(["full", "down", "no-edges"] as const)("%s: 503 with Retry-After", async (reason) => {
    refuse(reason);
    const reply = await ask(test.port, "GET /secret HTTP/1.1");
    expect(reply).toMatchObject({
      status: 503,
      headers: {
        "retry-after": "10",
        "access-control-expose-headers": "Retry-After",
        "cache-control": "no-store",
      },
    });
    expect(reply.body).not.toContain("secret");
  });

  it("not allowed: 451, and says so", async () => {
    refuse("not-allowed");
    const reply = await ask(test.port, "GET / HTTP/1.1");
    expect(reply.status).toBe(451);
    expect(reply.body).toContain("not available where you are");
    expect(reply.headers).not.toHaveProperty("retry-after");
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });

  it.each([
    ["https://origin.example.net", 302, "https://origin.example.net/a?b"],
    ["https://origin.example.net/", 302, "https://origin.example.net/a?b"],
    ["https://live.example.net", 503, undefined],
    [undefined, 503, undefined],
  ])("fallback %s: %i", async (url, status, location) => {
    const fallback = { ...(url === undefined ? {} : { url }), addresses: [] };
    const service = serviceOf({ fallback, http: { ...LIVE.http, stickinessSeconds: 30 } });
    test.answerWith(() => decisionOf([], { service, outcome: { kind: "fallback", fallback } }));
    const reply = await ask(test.port, "GET /a?b HTTP/1.1");
    expect(reply.status).toBe(status);
    expect(reply.headers["location"]).toBe(location);
    expect(reply.headers["cache-control"]).toBe("no-store");
  });

  it("a decision that throws: 503, logged once a second, and the door stays open", async () => {
    test.answerWith(() => {
      throw new Error("a bug");
    });
    expect((await ask(test.port, "GET / HTTP/1.1")).status).toBe(503);
    expect((await ask(test.port, "GET / HTTP/1.1")).status).toBe(503);
    expect(test.logged.filter(({ message }) => message === "an answer failed")).toHaveLength(1);
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

it.each(["/.edgeward", "/.edgeward/", "/.edgeward/other?s=1"])("%s is reserved: 404", async (path) => {
  expect((await ask(test.port, `GET ${path} HTTP/1.1`)).status).toBe(404);
});

it.each(["/.edgewardx", "//.edgeward/", "/x/.edgeward/"])("%s is redirected", async (path) => {
  const reply = await ask(test.port, `GET ${path} HTTP/1.1`);
  expect(reply.headers["location"]).toBe(`http://127.0.0.11:8081${path}`);
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
