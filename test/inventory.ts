import type { Edge } from "../src/model/edge.ts";
import type { Inventory } from "../src/model/inventory.ts";
import type { Service } from "../src/model/service.ts";
import type { Zone } from "../src/model/zone.ts";

/** An edge of which nothing is special but what is said. */
export function plainEdge(id: string, rules: Partial<Edge> = {}): Edge {
  return {
    id,
    index: 0,
    location: { latitude: 0, longitude: 0 },
    addresses: [],
    tags: [],
    capacity: {},
    weight: 1,
    state: "active",
    probe: { type: "none" },
    load: [],
    ...rules,
  };
}

/** A service of one edge, of which nothing is special but what is said. */
export function plainService(rules: Partial<Service> = {}): Service {
  return {
    id: "live",
    index: 0,
    hostnames: ["live.example.net"],
    edges: [0],
    rank: "nearest",
    affinity: "none",
    dns: { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 2 },
    http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
    steering: { isEnabled: true, ttlSeconds: 60 },
    maxDistanceKm: Number.POSITIVE_INFINITY,
    margin: 0,
    whenFull: "spill",
    whenDown: "fail-open",
    panic: { threshold: 0.5, holdMs: 30_000 },
    ...rules,
  };
}

/** A zone with no records but its own. */
export function plainZone(name: string, rules: Partial<Zone> = {}): Zone {
  return {
    name,
    nameservers: [`ns1.${name}`],
    contact: `hostmaster.${name}`,
    ttlSeconds: 3600,
    negativeTtlSeconds: 30,
    serial: 1,
    records: [],
    ...rules,
  };
}

/** What a configuration that says nothing else comes to. */
export function plainInventory(rules: Partial<Inventory> = {}): Inventory {
  return {
    generation: 1,
    file: "/none",
    listen: { dns: [], http: [], ops: { host: "127.0.0.1", port: 0 } },
    ops: { tokens: [] },
    stateFile: "/none",
    trustedProxies: [],
    geoip: { city: [], asn: [] },
    places: [],
    allowedProbeNetworks: [],
    dns: {},
    acme: { accounts: [] },
    zones: [],
    edges: [],
    services: [],
    ...rules,
  };
}
