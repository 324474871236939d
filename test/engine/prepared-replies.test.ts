import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createDecisionTotals } from "../../src/engine/decision-counts.ts";
import type { PacketRoom } from "../../src/dns/batch-memory.ts";
import { counterCells, createDnsCounters, dnsMetrics } from "../../src/dns/counters.ts";
import { keepReplies } from "../../src/dns/kept-replies.ts";
import { compileNamespace } from "../../src/dns/namespace.ts";
import { prepareReplies } from "../../src/dns/prepared-replies.ts";
import { createRateLimiter, newRateTable } from "../../src/dns/rate-limit.ts";
import { createResponder } from "../../src/dns/responder.ts";
import { placeTable } from "../../src/geo/places.ts";
import type { Client } from "../../src/model/client.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import type { Location } from "../../src/model/location.ts";
import type { ServiceBinding } from "../../src/model/service.ts";
import { UP_IPV4, UP_IPV6, type World } from "../../src/model/world.ts";
import type { Zone } from "../../src/model/zone.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { option, query, type QueryParts, subnet, TYPES } from "../dns/packets.ts";
import { place } from "../geo/clients.ts";
import { edgeAt, serviceOf, worldOf } from "../selection/fixture.ts";

const ZONE = "example.net";
/** As long a name, whose "no" may be kept for another time. */
const OTHER_ZONE = "example.org";
/** The last has no address of IPv4. */
const EDGES = Array.from({ length: 9 }, (_, i): Edge => {
  const edge = edgeAt(`e${i}`, i, ((i * 37) % 120) - 60, i * 40 - 180);
  const ipv6 = { family: 6, bytes: new Uint8Array(16).fill(0x20, 0, 1).fill(i + 1, 15) } as const;
  const second = { family: 4, bytes: Uint8Array.of(198, 51, 100, i) } as const;
  return {
    ...edge,
    addresses: i === 8 ? [ipv6] : [...edge.addresses, ipv6, ...(i % 2 === 0 ? [second] : [])],
  };
});
const RULES = { 4: { min: 12, max: 20 }, 6: { min: 0, max: 40 } };
const HTTPS: ServiceBinding = { type: "HTTPS", prefix: "", params: [], hints: true };
const DNS = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 2, bindings: [HTTPS] };
/** Of services, beside their own: some as long. */
const MORE_NAMES: Readonly<Record<string, readonly string[]>> = {
  near: [`neat.${ZONE}`, `near.${OTHER_ZONE}`, `nearer.${ZONE}`],
  first: [`*.wild.${ZONE}`],
};
const SERVICES = [
  serviceOf(EDGES, { id: "near", index: 0, dns: DNS }),
  serviceOf(EDGES, { id: "lots", index: 1, rank: "weighted" }),
  serviceOf(EDGES, { id: "load", index: 2, rank: "least-loaded" }),
  serviceOf(EDGES.slice(0, 3), { id: "first", index: 3, rank: "failover", whenDown: "refuse" }),
  serviceOf(EDGES, {
    id: "bounded",
    index: 4,
    dns: { ...DNS, clientSubnet: { isEnabled: true, scope: RULES } },
  }),
  serviceOf(EDGES, {
    id: "deaf",
    index: 5,
    dns: { ...DNS, clientSubnet: { isEnabled: false, scope: RULES } },
  }),
  serviceOf(EDGES, { id: "viewer", index: 6, affinity: "viewer" }),
  serviceOf(EDGES, {
    id: "fenced",
    index: 7,
    deny: { countries: ["NL"], continents: [], networks: [], asns: [] },
  }),
].map((service) => ({ ...service, hostnames: [`${service.id}.${ZONE}`, ...(MORE_NAMES[service.id] ?? [])] }));
const NAMES = [
  ...SERVICES.flatMap(({ hostnames }) => hostnames.map((hostname) => hostname.replace("*", "any"))),
  `one.wild.${ZONE}`,
  `absent.${ZONE}`,
  `alias.${ZONE}`,
  "else.org",
];
const ZONES: readonly Zone[] = [ZONE, OTHER_ZONE].map((name, i) => ({
  name,
  nameservers: [`ns1.${ZONE}`],
  contact: `hostmaster.${ZONE}`,
  ttlSeconds: 3600,
  negativeTtlSeconds: 30 - 10 * i,
  serial: 1,
  records: [{ name: `alias.${name}`, ttlSeconds: 60, data: { type: "CNAME", target: `near.${ZONE}` } }],
}));
const INVENTORY = {
  generation: 1,
  edges: EDGES,
  services: SERVICES,
  dns: {},
} as unknown as Inventory;

/** A whole thread's worth of answering, without sockets. */
function answering(isPrepared: boolean, places: ReturnType<typeof placesFrom>, limit?: number) {
  const totals = createDecisionTotals();
  let at = places;
  const locate = (client: Client) => {
    const { location, depth } = at.find(client.address, client.prefixLength);
    // As a record says it, so that it is chosen for the place alone.
    const known: Location | undefined = location && { ...location, layer: "city" };
    return { location: known ?? NOWHERE, prefixLength: depth };
  };
  let nowMs = 0;
  let inventory = INVENTORY;
  let world = worldOf(EDGES);
  const redirector = createRedirector(locate, { newCells: totals.newCells, monotonicMs: () => nowMs });
  const cells = new Float64Array(counterCells());
  const counters = createDnsCounters(cells);
  const settings = {
    responsesPerSecond: limit ?? 1e9,
    windowSeconds: 5,
    slip: 2,
    ipv4PrefixLength: 24,
    ipv6PrefixLength: 48,
    exempt: [],
  };
  const rateLimiter = createRateLimiter(newRateTable(Int32Array.of(1, 2)), settings, () => nowMs);
  let made = 0;
  let responded = 0;
  const responder = createResponder({
    namespace: compileNamespace(ZONES, SERVICES),
    decide: (...question) => {
      made++;
      return redirector.decide(...question);
    },
    counters,
    cookieSecrets: () => [new Uint8Array(16)],
    rateLimiter,
    onFault: (error) => {
      throw error;
    },
  });
  const common = { responder, counters, rateLimiter };
  const prepared = prepareReplies({
    ...common,
    respond: (packet, length, source, out, known) => {
      responded++;
      return responder.respond(packet.octets, length, source, "udp", out.octets, known);
    },
    recall: redirector.recall,
  });
  const kept = keepReplies({
    ...common,
    respond: prepared.respond,
    keep: redirector.keep,
    repeatable: prepared.repeatable,
  });
  const [packet, out] = [room(), room()];
  return {
    ask(octets: Buffer, source: Uint8Array): Buffer {
      packet.octets.fill(0xa5);
      packet.octets.set(octets);
      const length = isPrepared
        ? kept.respond(packet, octets.length, source, out)
        : responder.respond(packet.octets, octets.length, source, "udp", out.octets);
      return Buffer.from(out.octets.subarray(0, length));
    },
    take(next: World) {
      world = { ...next, generation: inventory.generation };
      redirector.take(inventory, world);
    },
    move(next: ReturnType<typeof placesFrom>) {
      at = next;
      redirector.forget();
      redirector.take(inventory, world);
    },
    wait: (ms: number) => (nowMs += ms),
    rename(names: typeof SERVICES) {
      responder.take(compileNamespace(ZONES, names));
      kept.forget();
      prepared.forget();
    },
    reload(ttlSeconds: number) {
      const services = SERVICES.map((service) => ({ ...service, dns: { ...service.dns, ttlSeconds } }));
      inventory = { ...INVENTORY, generation: inventory.generation + 1, services };
      world = { ...world, generation: inventory.generation };
      responder.take(compileNamespace(ZONES, services));
      kept.forget();
      prepared.forget();
      redirector.take(inventory, world);
    },
    /** Decisions. */
    get made() {
      return made;
    },
    /** Replies that were not prepared. */
    get responded() {
      return responded;
    },
    counted: () => ({
      decisions: totals.metrics(),
      dns: dnsMetrics([cells]).filter(({ name }) => name !== "dns_request_duration_seconds"),
      arrivals: redirector
        .takeArrivals()
        .map((byPlace) =>
          [...byPlace]
            .map(([{ latitude = 0, longitude = 0 }, byEdge]) =>
              JSON.stringify([
                latitude.toFixed(3),
                longitude.toFixed(3),
                ...[...byEdge].toSorted(([a], [b]) => a - b),
              ]),
            )
            .toSorted(),
        ),
    }),
  };
}

/** Nine times of ten. */
function oftenFirst<T>(first: T, ...others: readonly T[]): fc.Arbitrary<T> {
  return fc.oneof(
    { weight: 9, arbitrary: fc.constant(first) },
    { weight: 1, arbitrary: fc.constantFrom(...others) },
  );
}

const octet = fc.integer({ min: 0, max: 5 });
const asked = fc.record({
  name: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...NAMES) },
    { weight: 3, arbitrary: fc.constantFrom(`near.${ZONE}`, `bounded.${ZONE}`, `lots.${ZONE}`) },
    { weight: 3, arbitrary: fc.constantFrom(`near.${ZONE}`, `nEAt.${ZONE}`, ...(MORE_NAMES.near ?? [])) },
  ),
  type: oftenFirst(TYPES.A, TYPES.AAAA, TYPES.AAAA, TYPES.HTTPS, TYPES.TXT),
  flags: oftenFirst(0, 0x0100),
  size: oftenFirst(1232, undefined),
  network: octet,
  host: fc.constantFrom(0, 0, 64),
  subnetLength: oftenFirst(24, undefined, 32, 20, 0),
  family: oftenFirst(4, 6),
  source: octet,
  id: fc.integer({ min: 0, max: 0xffff }),
});
type Asked = typeof asked extends fc.Arbitrary<infer T> ? T : never;
const step = fc.oneof(
  { weight: 200, arbitrary: fc.record({ ask: asked }) },
  {
    weight: 2,
    arbitrary: fc.record({
      down: fc.subarray(EDGES, { maxLength: 4 }),
      priced: octet,
      full: fc.subarray(EDGES, { maxLength: 3 }),
      drain: fc.subarray(EDGES, { maxLength: 1 }),
      lost: fc.oneof(fc.constant([]), fc.subarray(EDGES)),
      halfDown: fc.oneof(fc.constant([]), fc.subarray(EDGES)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ shift: octet }) },
  { weight: 1, arbitrary: fc.record({ wait: fc.constantFrom(900, 30_000) }) },
  { weight: 1, arbitrary: fc.record({ rename: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ reload: fc.constantFrom(10, 20) }) },
);

describe("prepared replies", () => {
  it("are those that would be made, and counted as those, whatever changes in between", () => {
    let [made, spared] = [0, 0];
    fc.assert(
      fc.property(fc.array(step, { minLength: 300, maxLength: 600, size: "max" }), (steps) => {
        const [plain, fast] = [answering(false, placesFrom(0)), answering(true, placesFrom(0))];
        for (const each of [plain, fast]) each.take(WELL);
        for (const next of steps) {
          if ("ask" in next) {
            const { packet, source } = packetOf(next.ask);
            const [given, due] = [fast.ask(packet, source), plain.ask(packet, source)];
            // What is compared by the thousand costs as little as that.
            if (!given.equals(due)) expect(given).toEqual(due);
          } else
            for (const each of [plain, fast]) {
              if ("shift" in next) each.move(placesFrom(next.shift));
              else if ("wait" in next) each.wait(next.wait);
              else if ("reload" in next) each.reload(next.reload);
              else if ("rename" in next) each.rename(next.rename ? SERVICES : SERVICES.slice(0, 4));
              else each.take(worldFrom(next));
            }
        }
        expect(fast.counted()).toEqual(plain.counted());
        made += plain.made;
        spared += plain.made - fast.made;
      }),
      { numRuns: 12 },
    );
    expect(spared / made).toBeGreaterThan(0.1);
  });

  it("count a network that asks for both families as made ones do, while no edge is up over IPv4", () => {
    const [plain, fast] = [answering(false, placesFrom(0)), answering(true, placesFrom(0))];
    const lost = { ...WELL, up: WELL.up.map((up, i) => (i === 1 ? 0 : up & UP_IPV6)) };
    for (const each of [plain, fast]) {
      const ask = (type: number): void => {
        const packet = query({ name: `near.${ZONE}`, type, edns: { options: [subnet(1, 24, [10, 0, 0])] } });
        each.ask(packet, Uint8Array.of(10, 0, 0, 53));
      };
      each.take(lost);
      ask(TYPES.A);
      each.move(placesFrom(1));
      for (const type of [TYPES.A, TYPES.AAAA, TYPES.A]) ask(type);
    }
    expect(fast.counted()).toEqual(plain.counted());
  });

  it("serve every network that is known, by every name that is", () => {
    const fast = answering(true, placesFrom(0));
    fast.take(WELL);
    const ask = (name: string, network: number): Buffer => {
      const address = [10, 0, network];
      const packet = query({ name, id: network, edns: { options: [subnet(1, 24, address)] } });
      return fast.ask(packet, Uint8Array.of(127, 0, 0, 1));
    };
    const names = [`near.${ZONE}`, `alias.${ZONE}`];
    for (let network = 0; network < 200; network++) ask(names[0] as string, network);
    for (let i = 0; i < 3; i++) ask(names[1] as string, i);
    const { made } = fast;
    for (const name of names) for (let network = 0; network < 200; network++) ask(name, network);
    // A few may have lost their places to others.
    expect(fast.made - made).toBeLessThan(20);
    expect(fast.counted().decisions[0]).toMatchObject({ samples: [{ value: 603 }] });
  });

  it("are made by what is known of a network, once a configuration has been taken, and counted alike", () => {
    const [plain, fast] = [answering(false, placesFrom(0)), answering(true, placesFrom(0))];
    const askAll = (name: string): void => {
      for (let i = 0; i < 200; i++) {
        const octets = [10, i % 6, i];
        const packet = query({ name, id: i, edns: { options: [subnet(1, 24, octets)] } });
        const source = Uint8Array.of(127, 0, 0, 1);
        expect(fast.ask(packet, source)).toEqual(plain.ask(packet, source));
      }
    };
    for (const each of [plain, fast]) each.take(WELL);
    askAll(`near.${ZONE}`);
    for (const each of [plain, fast]) each.reload(10);
    askAll(`near.${ZONE}`);
    const { made } = fast;
    askAll(`alias.${ZONE}`);
    // Until it was asked twice, a name is not worth a place.
    expect(fast.made - made).toBe(2);
    expect(fast.counted()).toEqual(plain.counted());
  });

  it("are the same for all names of a service in a zone that are as long, whichever was asked first", () => {
    const [plain, fast] = [answering(false, placesFrom(0)), answering(true, placesFrom(0))];
    for (const each of [plain, fast]) each.take(WELL);
    /** @returns how many replies had to be made */
    const ask = (name: string): number => {
      const before = fast.responded;
      for (let i = 0; i < 60; i++) {
        const packet = query({ name, id: i, edns: { options: [subnet(1, 24, [10, i % 6, i])] } });
        const source = Uint8Array.of(127, 0, 0, 1);
        expect(fast.ask(packet, source)).toEqual(plain.ask(packet, source));
      }
      return fast.responded - before;
    };
    for (const name of [`near.${ZONE}`, `neat.${ZONE}`]) ask(name);
    const learned = 2; // Until it was asked twice, a name is not worth a place.
    for (const name of [`NEAT.${ZONE}`, `Near.${ZONE}`]) expect(ask(name)).toBe(learned);
    for (const name of [`near.${OTHER_ZONE}`, `nearer.${ZONE}`]) expect(ask(name)).toBeGreaterThan(learned);
    expect(fast.counted()).toEqual(plain.counted());
  });

  it("that names share are limited by name, as made ones are", () => {
    const [plain, fast] = [answering(false, placesFrom(0), 20), answering(true, placesFrom(0), 20)];
    for (const each of [plain, fast]) each.take(WELL);
    const kinds = new Map<string, Set<string>>();
    for (let i = 0; i < 400; i++) {
      for (const each of [plain, fast]) each.wait(5);
      // One asks for more than he is allowed, the other for less.
      const name = i % 16 === 0 ? `neat.${ZONE}` : `near.${ZONE}`;
      const packet = query({ name, id: i, edns: { options: [subnet(1, 24, [10, i % 3, 0])] } });
      const reply = fast.ask(packet, Uint8Array.of(198, 51, 100, 1));
      kinds.set(name, (kinds.get(name) ?? new Set()).add(kindOf(reply)));
      expect(kindOf(reply)).toBe(kindOf(plain.ask(packet, Uint8Array.of(198, 51, 100, 1))));
    }
    expect([...(kinds.get(`near.${ZONE}`) ?? [])].toSorted()).toEqual(["answered", "dropped", "truncated"]);
    expect([...(kinds.get(`neat.${ZONE}`) ?? [])]).toEqual(["answered"]);
    expect(fast.counted().dns).toEqual(plain.counted().dns);
  });

  it("that were made by what was decided for another network count as this one's when they are kept", () => {
    const [mine, other, far] = [2, 1, 3];
    const places = placeTable([
      place(`10.${mine}.0.0/16`, { latitude: -20, longitude: -138 }),
      place(`10.${other}.0.0/16`, { latitude: -24, longitude: -141 }),
      place(`10.${far}.0.0/16`, { latitude: 50, longitude: 60 }),
    ]);
    const [plain, fast] = [answering(false, places), answering(true, places)];
    for (const each of [plain, fast]) {
      const ask = (network: number, name = "near"): void => {
        const edns = { options: [subnet(1, 24, [10, network, 0])] };
        each.ask(query({ name: `${name}.${ZONE}`, edns }), Uint8Array.of(127, 0, 0, 1));
      };
      each.take(WELL);
      ask(mine);
      each.reload(10);
      ask(far);
      ask(other, "alias");
      ask(mine);
      each.wait(30_000);
      ask(mine);
    }
    expect(fast.counted()).toEqual(plain.counted());
    expect(fast.made).toBe(plain.made - 2);
  });

  it("are for queries whose client subnet stands in the same place, among those of one length", () => {
    const [plain, fast] = [answering(false, placesFrom(0)), answering(true, placesFrom(0))];
    for (const each of [plain, fast]) each.take(WELL);
    const unknown = (...octets: number[]): Uint8Array => option(65001, octets);
    const forms = (network: number): Uint8Array[][] => {
      const own = subnet(1, 24, [10, 0, network]);
      return [
        [own, unknown(1, 2)],
        [unknown(1, 2), own],
        [unknown(0, 1, 24, 0, 10, 0, network), unknown(1, 2)],
        [unknown(0, 0), own],
      ];
    };
    for (let i = 0; i < 40; i++)
      for (const options of forms(i % 4)) {
        const packet = query({ name: `near.${ZONE}`, id: i, edns: { options } });
        const source = Uint8Array.of(10, 0, i % 3, 1);
        expect(fast.ask(packet, source)).toEqual(plain.ask(packet, source));
      }
    expect(fast.counted()).toEqual(plain.counted());
    expect(fast.made).toBeLessThan(plain.made / 2);
  });

  it("stop when an edge that is named begins to fill up", () => {
    const [near, far] = [edgeAt("near", 0, 0, 0), edgeAt("far", 1, 0, 5)];
    const service = serviceOf([near, far], { hostnames: [`near.${ZONE}`], dns: { ...DNS, answers: 1 } });
    const inventory = { ...INVENTORY, edges: [near, far], services: [service] };
    const world = worldOf([near, far], {
      load: [
        [near, 0.5],
        [far, 0.5],
      ],
    });
    world.perViewer.fill(0.001);
    const redirector = createRedirector(() => ({
      location: { layer: "city", latitude: 0, longitude: 0 },
      prefixLength: 16,
    }));
    redirector.take(inventory, world);
    const counters = createDnsCounters(new Float64Array(counterCells()));
    const responder = createResponder({
      namespace: compileNamespace(ZONES, [service]),
      decide: redirector.decide,
      counters,
      cookieSecrets: () => [new Uint8Array(16)],
      onFault: () => {},
    });
    const { respond } = prepareReplies({
      responder,
      counters,
      recall: redirector.recall,
      respond: (packet, length, source, out, known) =>
        responder.respond(packet.octets, length, source, "udp", out.octets, known),
    });
    const [packet, out] = [room(), room()];
    const lastOctets = Array.from({ length: 1200 }, (_, i) => {
      const octets = query({
        name: `near.${ZONE}`,
        edns: { options: [subnet(1, 24, [10, (i % 600) >> 8, i & 255])] },
      });
      packet.octets.set(octets);
      respond(packet, octets.length, Uint8Array.of(127, 0, 0, 1), out);
      return out.octets[octets.length - 22 + 15]; // the address's, in front of OPT with its subnet
    });
    expect(lastOctets.slice(0, 400)).toEqual(Array.from({ length: 400 }, () => near.addresses[0]?.bytes[3]));
    expect(lastOctets.slice(-50)).not.toContain(near.addresses[0]?.bytes[3]);
  });

  it("keep to the rate limit as made ones do", () => {
    const [plain, fast] = [answering(false, placesFrom(0), 20), answering(true, placesFrom(0), 20)];
    for (const each of [plain, fast]) each.take(WELL);
    const kinds = new Set<string>();
    for (let i = 0; i < 200; i++) {
      for (const each of [plain, fast]) each.wait(10);
      const packet = query({
        name: `near.${ZONE}`,
        id: i,
        edns: { options: [subnet(1, 24, [10, i % 3, 0])] },
      });
      const reply = fast.ask(packet, Uint8Array.of(198, 51, 100, 1));
      kinds.add(kindOf(reply));
      expect(kindOf(reply)).toBe(kindOf(plain.ask(packet, Uint8Array.of(198, 51, 100, 1))));
    }
    expect([...kinds].toSorted()).toEqual(["answered", "dropped", "truncated"]);
    expect(fast.counted().dns).toEqual(plain.counted().dns);
    expect(fast.made).toBeLessThan(20);
  });

  it.each<[string, QueryParts]>([
    ["a cookie", { edns: { options: [option(10, [1, 2, 3, 4, 5, 6, 7, 8])] } }],
    ["a subnet that has bits beyond its prefix", { edns: { options: [subnet(1, 20, [10, 1, 1])] } }],
    ["a subnet with a scope", { edns: { options: [option(8, [0, 1, 24, 24, 10, 1, 1])] } }],
    ["a subnet of another length", { edns: { options: [option(8, [0, 1, 24, 0, 10, 1])] } }],
    ["two subnets", { edns: { options: [subnet(1, 24, [10, 1, 1]), subnet(1, 24, [10, 2, 1])] } }],
    ["another EDNS version", { edns: { version: 1 } }],
    ["octets behind", { junk: Uint8Array.of(0) }],
    ["two questions", { counts: [2, 0, 0, 0] }],
  ])("are not given to a query with %s", (_name, parts) => {
    const [plain, fast] = [answering(false, placesFrom(0)), answering(true, placesFrom(0))];
    for (const each of [plain, fast]) each.take(WELL);
    for (let i = 0; i < 4; i++) {
      for (const around of [{}, { edns: { options: [subnet(1, 24, [10, 1, 1])] } }, parts]) {
        const packet = query({ name: `near.${ZONE}`, id: i, ...around });
        const source = Uint8Array.of(10, 1, 1, 1);
        expect(fast.ask(packet, source)).toEqual(plain.ask(packet, source));
      }
    }
  });
});

function kindOf(reply: Buffer): string {
  if (reply.length === 0) return "dropped";
  return (reply.readUInt8(2) & 2) === 0 ? "answered" : "truncated";
}

const NOWHERE: Location = { layer: "none" };

function packetOf(ask: Asked): { packet: Buffer; source: Uint8Array } {
  const { name, type, flags, size, id, network, host, subnetLength, family } = ask;
  const octets = family === 4 ? [10, network, 0, host] : [0x20, 1, 0, network, 0, 0, host, 1];
  const length = subnetLength === undefined || family === 4 ? subnetLength : 2 * subnetLength;
  const options = length === undefined ? [] : [subnet(family === 4 ? 1 : 2, length, cut(octets, length))];
  const edns = size === undefined ? {} : { edns: { size, options } };
  return {
    packet: query({ name, type, flags, id, ...edns }),
    source: Uint8Array.of(10, ask.source, 0, 53),
  };
}

/** As many octets as the prefix has bits, and zeros beyond it. */
function cut(octets: readonly number[], length: number): number[] {
  const bits = (at: number): number => Math.min(8, Math.max(0, length - 8 * at));
  return Array.from(
    { length: (length + 7) >> 3 },
    (_, at) => (octets[at] ?? 0) & (0xff00 >> bits(at)) & 0xff,
  );
}

/** @param said whose IPv4 is lost, among others */
function worldFrom(said: {
  down: readonly Edge[];
  drain: readonly Edge[];
  full: readonly Edge[];
  lost: readonly Edge[];
  /** Their first address is down. */
  halfDown: readonly Edge[];
  priced: number;
}): World {
  const world = worldOf(EDGES, {
    drain: [...said.drain],
    price: EDGES.slice(0, said.priced).map((edge) => [edge, 700]),
    load: said.full.map((edge, i) => [edge, i === 0 ? 1 : 0.98]),
  });
  for (const edge of said.full) world.perViewer[edge.index] = 0.001;
  const up = Uint8Array.from(EDGES, (edge) => {
    if (said.down.includes(edge)) return 0;
    return edge.addresses.length === 1 || said.lost.includes(edge) ? UP_IPV6 : UP_IPV4 | UP_IPV6;
  });
  const downAddresses = new Map(said.halfDown.map(({ index }) => [index, 1]));
  return { ...world, up, downAddresses };
}

const WELL = worldFrom({ down: [], drain: [], full: [], lost: [], halfDown: [], priced: 0 });

/** Networks of several lengths, some of them within a /24. */
function placesFrom(shift: number): ReturnType<typeof placeTable> {
  const at = (network: string, index: number) =>
    place(network, {
      latitude: ((index * 23 + shift * 11) % 120) - 60,
      longitude: ((index * 71 + shift * 29) % 300) - 150,
      ...(index === 2 ? { country: "NL" } : {}),
    });
  const networks = [
    "10.0.0.0/14",
    "10.1.0.0/24",
    "10.1.0.64/26",
    "10.2.0.0/16",
    "10.4.0.0/15",
    "2001:1::/32",
  ];
  return placeTable(networks.map(at));
}

function room(): PacketRoom {
  const octets = new Uint8Array(4096);
  return { octets, words: new Int32Array(octets.buffer) };
}
