import { parseAddress } from "../../src/base/address.ts";
import type { Address } from "../../src/model/address.ts";
import type { Client } from "../../src/model/client.ts";
import type { Choice, Decide, Decision, Memory, Outcome, Recall } from "../../src/model/decision.ts";
import type { RateLimit } from "../../src/model/dns-settings.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../../src/model/world.ts";
import type { RecordData, StaticRecord, Zone } from "../../src/model/zone.ts";
import { plainEdge, plainService } from "../inventory.ts";

export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new Error(`no address: ${text}`);
  return parsed;
}

/** As it is configured where no more than the rate is said. */
export function rateLimitOf(responsesPerSecond: number, more: Partial<RateLimit> = {}): RateLimit {
  const usual = { windowSeconds: 15, slip: 2, ipv4PrefixLength: 24, ipv6PrefixLength: 56, exempt: [] };
  return { responsesPerSecond, ...usual, ...more };
}

export const ZONE = "cdn.example.net";

/** Owner names are relative to the zone, "@" is its apex; targets are absolute. */
function rr(name: string, data: RecordData, ttlSeconds = 300, zone = ZONE): StaticRecord {
  return { name: name === "@" ? zone : `${name}.${zone}`, ttlSeconds, data };
}

function a(text: string): RecordData {
  const parsed = address(text);
  return { type: parsed.family === 4 ? "A" : "AAAA", address: parsed };
}

function cname(target: string): RecordData {
  return { type: "CNAME", target };
}

function txt(...strings: string[]): RecordData {
  return { type: "TXT", strings: strings.map((string) => Buffer.from(string)) };
}

export const ZONES: readonly Zone[] = [
  {
    name: ZONE,
    nameservers: [`ns1.${ZONE}`, `ns2.${ZONE}`],
    contact: "host.master@example.net",
    ttlSeconds: 3600,
    negativeTtlSeconds: 30,
    serial: 4_000_000_001,
    records: [
      rr("ns1", a("192.0.2.53")),
      rr("ns1", a("2001:db8::53")),
      rr("ns2", a("192.0.2.54")),
      rr("@", { type: "CAA", flags: 0, tag: "issue", value: "letsencrypt.org" }),
      rr("@", { type: "MX", preference: 10, exchange: `mail.${ZONE}` }),
      rr("static", a("192.0.2.1"), 77),
      rr("static", a("192.0.2.2"), 77),
      rr("static", a("192.0.2.2"), 77),
      rr("static", a("2001:db8::1"), 78),
      rr("static", txt("hello", "world"), 79),
      rr("four", a("192.0.2.4")),
      rr("_sip._udp", { type: "SRV", priority: 1, weight: 2, port: 5060, target: `static.${ZONE}` }),
      rr("web", {
        type: "HTTPS",
        priority: 1,
        target: "",
        params: [{ key: 1, value: Buffer.from("\u0002h2\u0002h3", "latin1") }],
      }),
      rr("svc", { type: "SVCB", priority: 2, target: `static.${ZONE}`, params: [] }),
      rr("www", cname("www.example.org")),
      rr("alias", cname(`static.${ZONE}`)),
      rr("alias2", cname(`alias.${ZONE}`)),
      rr("tolive", cname(`live.${ZONE}`)),
      rr("tosub", cname(`static.sub.${ZONE}`)),
      rr("tochild", cname(`x.child.${ZONE}`)),
      rr("dangling", cname(`nowhere.${ZONE}`)),
      rr("todown", cname(`down.${ZONE}`)),
      rr("loop1", cname(`loop2.${ZONE}`)),
      rr("loop2", cname(`loop1.${ZONE}`)),
      rr("self", cname(`self.${ZONE}`)),
      ...Array.from({ length: 20 }, (_, i) => rr(`chain${i}`, cname(`chain${i + 1}.${ZONE}`))),
      rr("a.b.c.deep", a("192.0.2.6")),
      rr("*.wild", a("192.0.2.7")),
      rr("*.wild", txt("wild")),
      rr("exists.wild", txt("no address")),
      rr("below.ent.wild", a("192.0.2.8")),
      rr("*.wildloop", cname(`a.wildloop.${ZONE}`)),
      rr("child", { type: "NS", target: `ns.child.${ZONE}` }),
      rr("child", { type: "NS", target: "ns.example.org" }),
      rr("ns.child", a("192.0.2.9")),
      rr("ns.child", a("2001:db8::9")),
      rr("big", txt("x".repeat(250), "y".repeat(250), "z".repeat(250))),
      rr("huge", txt(...Array.from({ length: 8 }, (_, i) => String(i).repeat(250)))),
      ...Array.from({ length: 60 }, (_, i) => rr("many", a(`198.18.0.${i}`))),
    ],
  },
  {
    name: `sub.${ZONE}`,
    nameservers: [`ns1.${ZONE}`],
    contact: "hostmaster@example.net",
    ttlSeconds: 20,
    negativeTtlSeconds: 60,
    serial: 1,
    records: [
      rr("static", a("192.0.2.100"), 300, `sub.${ZONE}`),
      rr("back", cname(`static.${ZONE}`), 300, `sub.${ZONE}`),
    ],
  },
  {
    name: "other.example",
    nameservers: ["ns1.other.example"],
    contact: "hostmaster@other.example",
    ttlSeconds: 3600,
    negativeTtlSeconds: 30,
    serial: 1,
    records: [],
  },
];

export function edge(id: string, index: number, ...addresses: string[]): Edge {
  return plainEdge(id, { index, addresses: addresses.map(address) });
}

const AMS = edge("ams1", 0, "127.0.0.11", "2001:db8:a::11", "127.0.0.11");
const SIN = edge("sin1", 1, "127.0.0.12", "2001:db8:a::12");
const NYC = edge("nyc1", 2, "127.0.0.13");

export function serviceOf(id: string, answers = 2, ...more: string[]): Service {
  return plainService({
    id,
    hostnames: [`${id}.${ZONE}`, ...more],
    edges: [],
    dns: { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers },
    http: { stickinessSeconds: 0, url: "" },
  });
}

const SCOPES = { 4: { min: 0, max: 32 }, 6: { min: 0, max: 128 } };

export const SERVICES: readonly Service[] = [
  serviceOf("live", 2, `*.tenant.${ZONE}`, "other.example"),
  ...[
    "four-only",
    "six-down",
    "overload",
    "open",
    "fallback",
    "full",
    "down",
    "closed",
    "empty",
    "gone",
    "broken",
  ].map((id) => serviceOf(id)),
  {
    ...serviceOf("unasked"),
    dns: { ...serviceOf("unasked").dns, clientSubnet: { isEnabled: false, scope: SCOPES } },
  },
  {
    ...serviceOf("rounded"),
    dns: {
      ...serviceOf("rounded").dns,
      clientSubnet: { isEnabled: true, scope: { 4: { min: 12, max: 20 }, 6: { min: 0, max: 10 } } },
    },
  },
  ...["bound", "bound-four", "bound-closed", "bound-down", "bound-wild"].map(boundService),
];

/** `h2,h3` on port 8444, `_8443._https` beside it, and SVCB for `_dns` with ECH. */
function boundService(id: string): Service {
  const hostname = id === "bound-wild" ? `*.bound.wild.${ZONE}` : `${id}.${ZONE}`;
  const alpn = { key: 1, value: Buffer.from("\u0002h2\u0002h3", "latin1") };
  const port = { key: 3, value: Buffer.of(8444 >> 8, 8444 & 0xff) };
  const ech = { key: 5, value: Buffer.from("ech") };
  const bindings = [
    { type: "HTTPS", prefix: "", params: [alpn, port], hints: true },
    { type: "HTTPS", prefix: "_8443._https", params: [alpn], hints: true },
    { type: "SVCB", prefix: "_dns", params: [alpn, ech], hints: true },
    { type: "SVCB", prefix: "_plain", params: [], hints: false },
  ] as const;
  const service = serviceOf(id);
  return { ...service, hostnames: [hostname], dns: { ...service.dns, bindings } };
}

const BY_OCTET: { readonly [octet: number]: readonly Edge[] } = {
  198: [AMS, SIN, NYC],
  203: [SIN, NYC, AMS],
  192: [NYC, AMS, SIN],
};

/**
 * Knows IPv4 by its first octet, scope 8, and IPv6 by its first two, scope 16. Unlocatable clients get
 * Amsterdam, Singapore, New York.
 */
export const decide: Decide = ({ hostname, client }) => {
  const service = SERVICES.find(({ hostnames }) => hostnames.includes(hostname));
  if (service === undefined || service.id === "gone") return undefined;
  if (service.id === "broken") throw new Error("a bug");
  const near = edgesNear(client);
  return decisionOf(service, client, outcomeOf(service), choicesOf(service, near));
};

/** Knows at once what `decide` would decide; the first edge tells the others. */
export const recall: Recall = ({ service, edges }) => ({
  memory: memoryOf(service),
  number: numberOf(edges[0]?.edge),
});

const memories = new Map<Service, Memory>();

function memoryOf(service: Service): Memory {
  const known = memories.get(service);
  if (known !== undefined) return known;
  let scopePrefixLength = 0;
  let found: Client | undefined;
  const hasEdges = !["fallback", "refused"].includes(outcomeOf(service).kind);
  const memory: Memory = {
    find(client) {
      found = client;
      scopePrefixLength = client.address.family === 4 ? 8 : 16;
      return numberOf(hasEdges ? choicesOf(service, edgesNear(client))[0]?.edge : undefined);
    },
    get scopePrefixLength() {
      return scopePrefixLength;
    },
    get decision() {
      const client = found as Client;
      return decisionOf(service, client, outcomeOf(service), choicesOf(service, edgesNear(client)));
    },
    count() {},
    repeat: (client, number, scope) => memory.find(client) === number && scopePrefixLength === scope,
  };
  memories.set(service, memory);
  return memory;
}

function numberOf(first: Edge | undefined): number {
  return 1 + [undefined, AMS, SIN, NYC].indexOf(first);
}

function edgesNear(client: Client): readonly Edge[] {
  return BY_OCTET[client.address.bytes[0] ?? 0] ?? [AMS, SIN, NYC];
}

function outcomeOf({ id }: Service): Outcome {
  switch (id) {
    case "fallback":
      return {
        kind: "fallback",
        fallback: { addresses: [address("127.0.0.20"), address("2001:db8:a::20")] },
      };
    case "full":
    case "down":
      return { kind: "refused", reason: id };
    case "bound-down":
      return { kind: "refused", reason: "down" };
    case "bound-closed":
    case "closed":
      return { kind: "refused", reason: "not-allowed" };
    case "empty":
      return { kind: "refused", reason: "no-edges" };
    case "overload":
      return { kind: "overload" };
    case "open":
      return { kind: "fail-open" };
    default:
      return { kind: "edges" };
  }
}

function choicesOf({ id }: Service, edges: readonly Edge[]): Choice[] {
  const up = id === "six-down" ? UP_IPV4 : UP_IPV4 | UP_IPV6;
  return (id === "four-only" || id === "bound-four" ? [NYC] : edges).map((edge) => ({
    edge,
    distanceKm: 1,
    priceKm: 0,
    loadRatio: 0,
    up,
  }));
}

function decisionOf(service: Service, client: Client, outcome: Outcome, choices: Choice[]): Decision {
  const hasEdges = outcome.kind !== "fallback" && outcome.kind !== "refused";
  const scope = client.address.family === 4 ? 8 : 16;
  return {
    service,
    outcome,
    edges: hasEdges ? choices : [],
    location: { layer: "none" },
    scopePrefixLength: client.prefixLength === 0 ? 0 : scope,
    ttlSeconds: service.dns.ttlSeconds,
    nearestKm: 1,
    rejected: [],
    families: service.id === "four-only" ? UP_IPV4 : UP_IPV4 | UP_IPV6,
  };
}
