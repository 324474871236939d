import { describe, expect, it } from "vitest";
import type { RefusalReason } from "../../src/model/decision.ts";
import {
  AMSTERDAM,
  ask,
  choiceOf,
  decisionOf,
  doorForAll,
  edgeOf,
  LIVE,
  openDoor,
  serviceOf,
  SINGAPORE,
  trusted,
} from "./fixture.ts";

const HOST = "Host: live.example.net";
const JSON_WANTED = [HOST, "Accept: application/json"];

const test = doorForAll({ trustedProxies: trusted("127.0.0.1/32") });

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
