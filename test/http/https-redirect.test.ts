import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { FAMILY, ssl, version2 } from "../base/proxy-headers.ts";
import { ask, exchange, openDoor, repliesIn, serviceOf, type TestDoor, trusted } from "./fixture.ts";

const TOLD = serviceOf({
  id: "told",
  hostnames: ["told.example.net", "*.wild.example.net"],
  http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}", redirectToHttps: { status: 308, port: 443 } },
});
const OLD = serviceOf({
  id: "old",
  hostnames: ["old.example.net"],
  http: {
    stickinessSeconds: 0,
    url: "{edge.url}{path}{query}",
    redirectToHttps: { status: 302, port: 8443 },
  },
});

let test: TestDoor;
beforeAll(async () => {
  const services = [serviceOf({ hostnames: ["live.example.net"] }), TOLD, OLD];
  test = await openDoor({
    services,
    trustedProxies: trusted("127.0.0.1/32"),
    proxyProtocol: { from: trusted("127.0.0.2/32") },
    steer: () => "a manifest",
  });
});
afterAll(async () => {
  await test.door.stop();
});

const at = (host: string, ...more: string[]): string[] => [`Host: ${host}`, ...more];

describe("from HTTP to HTTPS", () => {
  it.each([
    ["GET /a/b?c=%2F&d HTTP/1.1", "told.example.net", 308, "https://told.example.net/a/b?c=%2F&d"],
    [
      "HEAD //evil.example/%2e%2e HTTP/1.1",
      "told.example.net",
      308,
      "https://told.example.net//evil.example/%2e%2e",
    ],
    ["PUT /whip HTTP/1.1", "told.example.net", 308, "https://told.example.net/whip"],
    ["GET / HTTP/1.1", "TOLD.example.net.:8080", 308, "https://told.example.net/"],
    ["GET /x HTTP/1.1", "a.b.wild.example.net", 308, "https://a.b.wild.example.net/x"],
    ["GET http://told.example.net:81/x?y HTTP/1.1", "live.example.net", 308, "https://told.example.net/x?y"],
    [
      "GET /.edgeward/steering?_HLS_pathway=a HTTP/1.1",
      "told.example.net",
      308,
      "https://told.example.net/.edgeward/steering?_HLS_pathway=a",
    ],
    ["GET /x HTTP/1.1", "old.example.net:8080", 302, "https://old.example.net:8443/x"],
    ["POST /x HTTP/1.1", "old.example.net", 307, "https://old.example.net:8443/x"],
  ])("%s at %s: %d %s", async (line, host, status, location) => {
    const reply = await ask(test.port, line, at(host));
    expect([reply.status, reply.headers["location"]]).toEqual([status, location]);
    expect(reply.headers["cache-control"]).toBe(status === 308 ? "private, max-age=86400" : "no-store");
    expect(reply.headers["access-control-allow-origin"]).toBe("*");
  });

  it.each([
    ["another service's hostname", "GET / HTTP/1.1", at("live.example.net"), 302],
    ["a hostname of nobody's", "GET / HTTP/1.1", at("evil.example"), 421],
    ["an absolute address of nobody's", "GET http://evil.example/ HTTP/1.1", at("told.example.net"), 421],
    ["a preflight", "OPTIONS / HTTP/1.1", at("told.example.net"), 204],
    [
      "a certificate authority",
      "GET /.well-known/acme-challenge/token HTTP/1.1",
      at("told.example.net"),
      302,
    ],
    ["TLS that a proxy ended", "GET / HTTP/1.1", at("told.example.net", "X-Forwarded-Proto: https"), 302],
  ])("is not for %s", async (_what, line, fields, status) => {
    const reply = await ask(test.port, line, fields);
    expect(reply.status).toBe(status);
    expect(reply.headers["location"] ?? "").not.toContain("https://told");
  });

  it("is not for TLS that a balancer ended", async () => {
    const own = await openDoor({ services: [TOLD], proxyProtocol: { from: trusted("127.0.0.1/32") } });
    const addresses = [192, 0, 2, 1, 192, 0, 2, 2, 0, 1, 0, 2];
    const request = Buffer.from("GET / HTTP/1.1\r\nHost: told.example.net\r\nConnection: close\r\n\r\n");
    const statusOf = async (...tlvs: number[]): Promise<number | undefined> => {
      const header = version2(0x21, FAMILY.tcp4, [...addresses, ...tlvs]);
      return repliesIn(await exchange(own.port, Buffer.concat([header, request])))[0]?.status;
    };
    expect([await statusOf(...ssl(1)), await statusOf(...ssl(0)), await statusOf()]).toEqual([302, 308, 308]);
    await own.door.stop();
  });

  it("names the hostname that was asked for and nothing else, whatever the target", async () => {
    const printable = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      maxLength: 60,
    });
    const tails = fc.constantFrom(
      "",
      "/",
      "//",
      "/\\",
      "/@",
      "@evil.example",
      "/.evil.example",
      "/%0d%0a",
      "?@",
      "#@evil.example/",
    );
    await fc.assert(
      fc.asyncProperty(tails, printable, async (tail, rest) => {
        const { status, headers } = await ask(
          test.port,
          `GET /${tail}${rest} HTTP/1.1`,
          at("told.example.net"),
        );
        if (status !== 308) return expect(headers["location"]).toBeUndefined();
        expect(headers["location"]).toBe(`https://told.example.net/${tail}${rest}`);
        const url = new URL(headers["location"] ?? "");
        expect([url.protocol, url.host, url.username]).toEqual(["https:", "told.example.net", ""]);
      }),
      { numRuns: 300 },
    );
  });
});
