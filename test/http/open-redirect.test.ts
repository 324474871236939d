import { describe, expect, it } from "vitest";
import { headersOf } from "../../src/http/answer.ts";
import { DEFAULT_LIMITS } from "../../src/http/limits.ts";
import { createResponder } from "../../src/http/respond.ts";
import type { Decision } from "../../src/model/decision.ts";
import type { Service } from "../../src/model/service.ts";
import { parseAddress } from "../../src/base/address.ts";
import type { Address } from "../../src/model/address.ts";
import { AMSTERDAM, decisionOf, edgeOf, LIVE, serviceOf, SINGAPORE, trusted } from "./fixture.ts";
import { type HostileRequest, hostileRequests } from "./redirect-corpus.ts";

const EDGES = [AMSTERDAM, SINGAPORE, edgeOf("six", "http://[2001:db8::6]:8080")];
const http = LIVE.http;
const FALLBACK = { url: "https://origin.example.org/x", addresses: [] };

/** Ways to make a redirect, each a service of its own. */
const SERVICES: readonly Service[] = [
  { http },
  { http: { ...http, url: "{edge.url}/vod{path}" } },
  { http: { ...http, url: "https://{edge.id}.fixed.example.org{path}{query}" } },
  { http: { ...http, url: "{edge.url}?for={path}" } },
  { http: { ...http, redirectorPhp: true as const } },
  {
    http: {
      ...http,
      links: true as const,
      urls: { rtmp: "rtmp://{edge.host}:1935{path}", srt: "srt://{edge.host}?streamid={path}" },
    },
  },
  { http: { ...http, redirectToHttps: { status: 308, port: 8443 } as const } },
  { http, fallback: FALLBACK },
  {
    http,
    signing: {
      scheme: "hmac",
      keys: [{ secret: "12345678" }],
      ttlSeconds: 60,
      over: "path",
      bindsAddress: false,
    } as const,
  },
].map((rules, i) =>
  serviceOf({ id: `s${i}`, index: i, hostnames: [`s${i}.example.net`, `*.w${i}.example.net`], ...rules }),
);

/** By default a part is asked, other shapes for each service; EVERY_REDIRECT=1 asks all, in two minutes. */
const STRIDE = process.env["EVERY_REDIRECT"] === undefined ? 23 : 1;

/** As they stand in the configuration, with the ports that it names. */
const HOSTS = new Set([
  ...EDGES.flatMap(({ id, url = "" }) => [
    new URL(url).host,
    new URL(url).hostname,
    `${id}.fixed.example.org`,
  ]),
  ...EDGES.map(({ url = "" }) => `${new URL(url).hostname}:1935`),
  new URL(FALLBACK.url).host,
]);
/** Of the service that redirects to itself with TLS. */
const OWN = /^(?:s6|[\w-]+(?:\.[\w-]+)*\.w6)\.example\.net:8443$/;

const PEER = parseAddress("192.0.2.1") as Address;
const { respond } = createResponder({
  ...DEFAULT_LIMITS,
  services: SERVICES,
  trustedProxies: trusted("198.51.100.0/24"),
  decide({ hostname }): Decision {
    const service = SERVICES.find(
      ({ hostnames }) => hostnames[0] === hostname || hostname.endsWith((hostnames[1] as string).slice(1)),
    );
    if (service === undefined) throw new Error(`no service is at ${hostname}`);
    if (service.fallback === undefined) return decisionOf(EDGES, { service });
    return decisionOf([], { service, outcome: { kind: "fallback", fallback: service.fallback } });
  },
  steer: ({ address }) => address,
  log: { info() {}, warn() {}, error() {} },
});

/** Every address that an answer names. */
function addressesIn(headers: { readonly [name: string]: string }, body: string): string[] {
  const links = [...(headers["Link"] ?? "").matchAll(/<([^>]*)>/g)].map(([, url]) => url as string);
  const json =
    headers["Content-Type"] === "application/json"
      ? (JSON.parse(body) as {
          edges?: { url: string; urls?: Record<string, string> }[];
          fallback?: { url: string };
        })
      : {};
  const told = (json.edges ?? []).flatMap(({ url, urls = {} }) => [url, ...Object.values(urls)]);
  return [headers["Location"], json.fallback?.url, ...links, ...told].filter((url) => url !== undefined);
}

/** As a browser reads it, and as anyone does who stops at the first slash, question mark, hash or backslash. */
function hostsOf(address: string): string[] {
  const read = new URL(address.replace(/^(?:rtmp|srt):/, "http:"));
  const written = /^[a-z]+:\/\/([^/?#\\]*)/.exec(address)?.[1] ?? "nothing";
  return [read.username + read.password + read.host, written];
}

describe("no request makes the door name a host that the configuration does not", () => {
  it.each(SERVICES.map((service) => [service.id, service] as const))(
    "as %s redirects",
    { timeout: 120_000 },
    (_id, service) => {
      let [asked, named] = [0, 0];
      const check = (request: HostileRequest, accept: string): void => {
        const rawHeaders = [...request.fields, ["Accept", accept]].flat();
        const headers = Object.fromEntries(
          [...request.fields, ["Accept", accept] as const].map(([name, value]) => [
            name.toLowerCase(),
            value,
          ]),
        );
        const { answer } = respond({ ...request, rawHeaders, headers, peer: PEER });
        const sent = headersOf(answer);
        asked++;
        if (answer.status >= 500 || !Object.values(sent).every((value) => /^[\x20-\x7e]*$/.test(value)))
          expect.fail(`${answer.status} for ${JSON.stringify(request)}`);
        for (const address of addressesIn(sent, answer.body)) {
          named++;
          const isOurs = hostsOf(address).every(
            (host) => HOSTS.has(host) || (service.id === "s6" && OWN.test(host)),
          );
          if (!isOurs) expect.fail(`${address} for ${JSON.stringify(request)}`);
        }
      };
      let turn = service.index;
      for (const request of hostileRequests(service.hostnames[0] as string))
        for (const accept of ["*/*", "application/json"]) if (turn++ % STRIDE === 0) check(request, accept);
      expect(named).toBeGreaterThan(asked / 2);
      console.log(`${service.id}: ${asked} requests, ${named} addresses named`);
    },
  );
});
