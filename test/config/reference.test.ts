import { fileURLToPath } from "node:url";
import { stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import type { Edge, Probe } from "../../src/model/edge.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { formatAddress, formatPrefix, parseAddress, parsePrefix } from "../../src/base/address.ts";
import type { Address, Prefix } from "../../src/model/address.ts";
import { options } from "./support.ts";

const file = fileURLToPath(new URL("../../config/edgeward.yaml", import.meta.url));

describe("the reference configuration", () => {
  it("loads without a problem, to exactly this inventory", async () => {
    const nowMs = Date.now();
    const result = await loadConfig(file, { ...options, nowMs, generation: 7 });
    const serial = Math.floor(Math.min((await stat(file)).mtimeMs, nowMs) / 1000);
    expect(result).toEqual({
      kind: "ok",
      inventory: expected(serial),
      files: [file],
      digest: expect.any(String),
    });
  });

  it("is plain data: a clone equals it", async () => {
    const result = await loadConfig(file, options);
    expect(structuredClone(result)).toEqual(result);
  });
});

function expected(serial: number): Inventory {
  return {
    generation: 7,
    file,
    listen: {
      dns: [
        { host: "127.0.0.1", port: 8053 },
        { host: "::1", port: 8053 },
      ],
      http: [{ host: "127.0.0.1", port: 8080 }],
      ops: { host: "127.0.0.1", port: 9153 },
    },
    acme: { accounts: [] },
    dns: { tcp: { connections: 1000, connectionsPerNetwork: 400, idleMs: 15_000 } },
    ops: { tokens: [] },
    stateFile: join(dirname(file), "edgeward.state.json"),
    trustedProxies: [prefix("127.0.0.0/8"), prefix("::1/128")],
    geoip: { city: [], asn: [] },
    places: [
      { prefix: prefix("198.51.100.0/24"), latitude: 52.37, longitude: 4.9, country: "NL", continent: "EU" },
      { prefix: prefix("203.0.113.0/24"), latitude: 1.35, longitude: 103.82, country: "SG", continent: "AS" },
      { prefix: prefix("192.0.2.0/24"), latitude: 40.71, longitude: -74.01, country: "US", continent: "NA" },
    ],
    allowedProbeNetworks: [],
    zones: [zone(serial)],
    edges: [
      edge(0, "ams1", "127.0.0.11", { latitude: 52.3676, longitude: 4.9041 }, ["live", "vod", "europe"]),
      edge(1, "sin1", "127.0.0.12", { latitude: 1.3521, longitude: 103.8198 }, ["live", "vod", "asia"]),
      edge(2, "nyc1", "127.0.0.13", { latitude: 40.7128, longitude: -74.006 }, ["live", "america"]),
    ],
    services: [
      {
        id: "live",
        index: 0,
        hostnames: ["live.cdn.example.net"],
        edges: [0, 1, 2],
        rank: "nearest",
        affinity: "none",
        dns: { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 2, answersWithin: { km: 500, share: 0.2 } },
        http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
        steering: { isEnabled: true, ttlSeconds: 60 },
        maxDistanceKm: Number.POSITIVE_INFINITY,
        margin: 0.004,
        whenFull: "spill",
        whenDown: "fail-open",
        panic: { threshold: 0.5, holdMs: 30_000 },
      },
      {
        id: "vod",
        index: 1,
        hostnames: ["vod.cdn.example.net"],
        edges: [0, 1],
        rank: "nearest",
        affinity: "stream",
        affinityWithin: { km: 500, share: 0.2 },
        allow: { countries: ["NL", "DE", "SG"], continents: [], networks: [], asns: [] },
        dns: { ttlSeconds: 60, ttlInDoubtSeconds: 5, answers: 1, answersWithin: { km: 500, share: 0.2 } },
        http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
        steering: { isEnabled: true, ttlSeconds: 60 },
        maxDistanceKm: Number.POSITIVE_INFINITY,
        margin: 0.004,
        whenFull: "spill",
        whenDown: "fallback",
        panic: { threshold: 0.5, holdMs: 30_000 },
        fallback: { url: "https://origin.example.net", addresses: [address("127.0.0.20")] },
      },
    ],
  };
}

function zone(serial: number): Inventory["zones"][number] {
  const text = new TextEncoder().encode("streaming CDN of example.net");
  const at = (name: string) => ({ name, ttlSeconds: 3600 });
  return {
    name: "cdn.example.net",
    nameservers: ["ns1.cdn.example.net", "ns2.cdn.example.net"],
    contact: "hostmaster@example.net",
    ttlSeconds: 3600,
    negativeTtlSeconds: 30,
    serial,
    records: [
      { ...at("ns1.cdn.example.net"), data: { type: "A", address: address("127.0.0.1") } },
      { ...at("ns2.cdn.example.net"), data: { type: "A", address: address("127.0.0.1") } },
      { ...at("cdn.example.net"), data: { type: "CAA", flags: 0, tag: "issue", value: "letsencrypt.org" } },
      { ...at("cdn.example.net"), data: { type: "TXT", strings: [text] } },
      { ...at("www.cdn.example.net"), data: { type: "CNAME", target: "www.example.org" } },
    ],
  };
}

function edge(
  index: number,
  id: string,
  host: string,
  location: Edge["location"],
  tags: readonly string[],
): Edge {
  const probe: Probe = {
    type: "http",
    intervalMs: 2000,
    timeoutMs: 1000,
    rise: 3,
    fall: 2,
    url: `http://${host}:8081/health`,
    host: `${host}:8081`,
    status: Array.from({ length: 100 }, (_, i) => 200 + i),
    tls: { verify: true },
  };
  return {
    id,
    index,
    location,
    addresses: [address(host)],
    url: `http://${host}:8081`,
    tags,
    capacity: { viewers: 700, bandwidth: 1e9 },
    weight: 1,
    state: "active",
    probe,
    load: [{ type: "push", staleAfterMs: 30_000 }],
  };
}

function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined || formatAddress(parsed) !== text) throw new Error(text);
  return parsed;
}

function prefix(text: string): Prefix {
  const parsed = parsePrefix(text);
  if (parsed === undefined || formatPrefix(parsed) !== text) throw new Error(text);
  return parsed;
}
