import { describe, expect, it } from "vitest";
import type { Probe } from "../../src/model/edge.ts";
import { inventoryOf } from "./support.ts";

const head = `listen: { http: ["127.0.0.1:8080"] }
zones: { example.net: { nameservers: [ns.example.org], contact: a@example.net } }
`;
const TIMING = { intervalMs: 2000, timeoutMs: 1000, rise: 3, fall: 2 };

async function probeOf(probe: string, reach = "addresses: [192.0.2.1, 2001:db8::1]"): Promise<Probe> {
  const edge = `{ location: { latitude: 1, longitude: 2 }, ${reach}, probe: ${probe} }`;
  const { edges } = await inventoryOf(`${head}edges: { ams1: ${edge} }\n`);
  if (edges[0] === undefined) throw new Error("no edge");
  return edges[0].probe;
}

const BY_URL = "addresses: [192.0.2.1], url: https://ams1.example.net:8443/cdn/";

describe("a probe that starts more often than the usual timeout", () => {
  it("has the interval for it", async () => {
    expect(await probeOf("{ type: tcp, port: 1935, interval: 300ms }")).toMatchObject({
      intervalMs: 300,
      timeoutMs: 300,
    });
  });
});

describe("a probe of type rtmp", () => {
  it("goes to port 1935, or over TLS to 443", async () => {
    expect(await probeOf("{ type: rtmp }")).toEqual({
      type: "rtmp",
      ...TIMING,
      port: 1935,
      host: "192.0.2.1",
    });
    const secure = await probeOf("{ type: rtmp, secure: true, application: live }", BY_URL);
    expect(secure).toMatchObject({
      port: 443,
      host: "ams1.example.net",
      tls: { verify: true },
      application: "live",
    });
  });
});

describe("a probe of type websocket", () => {
  it("goes to the edge's address, or to the url's host with its scheme, but not behind its path", async () => {
    expect(await probeOf("{ type: websocket }")).toEqual({
      type: "websocket",
      ...TIMING,
      url: "ws://192.0.2.1/",
      host: "192.0.2.1",
      tls: { verify: true },
    });
    const probe =
      "{ type: websocket, path: /app?x=1, protocol: chat.v1, origin: https://player.example.net }";
    expect(await probeOf(probe, BY_URL)).toMatchObject({
      url: "wss://ams1.example.net:8443/app?x=1",
      host: "ams1.example.net:8443",
      protocol: "chat.v1",
      origin: "https://player.example.net",
    });
  });

  it("can have a port and a scheme of its own", async () => {
    const secure = await probeOf("{ type: websocket, port: 8443, secure: true }", "addresses: [2001:db8::1]");
    expect(secure).toMatchObject({ url: "wss://[2001:db8::1]:8443/" });
    expect(await probeOf("{ type: websocket, secure: false, port: 3333 }", BY_URL)).toMatchObject({
      url: "ws://ams1.example.net:3333/",
    });
  });
});

describe("a probe of type websocket with a path of two slashes", () => {
  it("stays with the edge's host", async () => {
    expect(await probeOf("{ type: websocket, path: //app }", BY_URL)).toMatchObject({
      url: "wss://ams1.example.net:8443//app",
      host: "ams1.example.net:8443",
    });
  });
});

describe("a probe of type hls", () => {
  it("asks behind the edge's url, and knows the hosts that are the edge's own", async () => {
    const probe = await probeOf("{ type: hls, path: /live/a.m3u8 }", BY_URL);
    expect(probe).toEqual({
      type: "hls",
      ...TIMING,
      url: "https://ams1.example.net:8443/cdn/live/a.m3u8",
      host: "ams1.example.net:8443",
      tls: { verify: true },
      hosts: ["ams1.example.net:8443", "192.0.2.1:8443"],
    });
  });

  it("can have a whole url, a port and a host of its own", async () => {
    const probe = await probeOf(
      "{ type: hls, url: http://x.example.net/a.m3u8, port: 81, host: y.example.net }",
    );
    expect(probe).toMatchObject({
      url: "http://x.example.net:81/a.m3u8",
      host: "y.example.net",
      hosts: ["y.example.net", "192.0.2.1:81", "[2001:db8::1]:81"],
    });
  });
});

describe("a probe of type dns", () => {
  it("asks for an address over UDP, and wants one", async () => {
    expect(await probeOf("{ type: dns, name: Edge.Example.NET }")).toEqual({
      type: "dns",
      ...TIMING,
      port: 53,
      transport: "udp",
      name: "edge.example.net",
      record: "A",
      rcode: "NOERROR",
      answer: true,
    });
  });

  it("wants no record where another response code is expected", async () => {
    const probe = await probeOf(
      "{ type: dns, name: example.org, record: SOA, rcode: REFUSED, transport: tcp }",
    );
    expect(probe).toMatchObject({ record: "SOA", rcode: "REFUSED", answer: false, transport: "tcp" });
  });
});

describe("a probe of type http", () => {
  it("can expect headers, by name in any case", async () => {
    const probe = await probeOf('{ type: http, headers: { Content-Type: "video/*", x-cache: HIT } }');
    expect(probe).toMatchObject({ headers: { "content-type": "video/*", "x-cache": "HIT" } });
  });
});

describe("the stream checks of a service", () => {
  it("have defaults for all but the path", async () => {
    const edge = "{ location: { latitude: 1, longitude: 2 }, addresses: [192.0.2.1] }";
    const service =
      '{ hostnames: [live.example.net], streams: { probe: hls, path: "/{stream}/index.m3u8" } }';
    const { services } = await inventoryOf(`${head}edges: { a: ${edge} }\nservices: { live: ${service} }\n`);
    expect(services[0]?.streams).toEqual({
      probe: "hls",
      path: "/{stream}/index.m3u8",
      intervalMs: 10_000,
      timeoutMs: 2000,
      rise: 1,
      fall: 1,
      perSecond: 50,
      tls: { verify: true },
    });
  });
});
