import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { formatPrefix, maskBytes, widthOf } from "../../src/base/address.ts";
import { distanceKm, unitVector } from "../../src/base/sphere.ts";
import { type Geo, openGeo } from "../../src/geo/geo.ts";
import { decode, offsetOf, readRecord } from "../../src/geo/mmdb.ts";
import { BOUNDLESS, LATITUDE_STEP, LONGITUDE_STEP, regionOf } from "../../src/geo/regions.ts";
import type { Family } from "../../src/model/address.ts";
import type { Client } from "../../src/model/client.ts";
import type { Decision, Question } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { UP_IPV6, type World } from "../../src/model/world.ts";
import { createRedirector, type Redirector } from "../../src/engine/redirector.ts";
import { memoryLog, place } from "../geo/clients.ts";
import { wordsFrom } from "../random.ts";
import { type Value, writeMmdb } from "../geo/mmdb-writer.ts";
import { edgeAt, serviceOf, worldOf } from "../selection/fixture.ts";

const EDGES = [
  edgeAt("ams1", 0, 52.37, 4.9),
  edgeAt("nyc1", 1, 40.71, -74.01),
  edgeAt("lax1", 2, 34.05, -118.24),
  edgeAt("sin1", 3, 1.35, 103.82),
  edgeAt("fra1", 4, 50.11, 8.68),
  edgeAt("fra2", 5, 50.11, 8.68),
];
const SERVICES = [
  serviceOf(EDGES, { id: "one", index: 0, hostnames: ["one.example.net"], dns: dns(1) }),
  serviceOf(EDGES, { id: "two", index: 1, hostnames: ["two.example.net"], dns: dns(2) }),
  serviceOf(EDGES.slice(0, 4), { id: "plain", index: 2, hostnames: ["plain.example.net"], dns: dns(2) }),
  serviceOf(EDGES, { id: "near", index: 3, hostnames: ["near.example.net"], maxDistanceKm: 3000 }),
  serviceOf(EDGES, { id: "full", index: 4, hostnames: ["full.example.net"], whenFull: "refuse" }),
  serviceOf(EDGES, { id: "lots", index: 5, hostnames: ["lots.example.net"], rank: "weighted" }),
  serviceOf(EDGES, {
    id: "geofence",
    index: 6,
    hostnames: ["geofence.example.net"],
    allow: { countries: ["NL", "US"], continents: [], networks: [], asns: [] },
  }),
];
const INVENTORY = {
  generation: 1,
  edges: EDGES,
  services: SERVICES,
  dns: {},
  listen: { dns: [], http: [] },
} as unknown as Inventory;

const random = wordsFrom(5);
let folder: string;
let geo: Geo;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgeward-scope-"));
  const city = [join(folder, "4.mmdb"), join(folder, "6.mmdb")];
  await writeFile(city[0] as string, writeMmdb({ records: recordsOf(4, 900) }));
  await writeFile(city[1] as string, writeMmdb({ family: 6, records: recordsOf(6, 900) }));
  const places = ["20.1.128.0/17", "20.1.200.0/26", "21.0.0.0/12", "2001:1::/36"].map((prefix, i) =>
    place(prefix, { latitude: 45 - 30 * i, longitude: 100 * i - 100 }),
  );
  geo = await openGeo({ files: { city, asn: [] }, places, log: memoryLog() });
  await vi.waitUntil(() => geo.snapshot().city.every(({ regions }) => regions !== undefined), 25_000);
});

afterAll(async () => {
  geo.stop();
  await rm(folder, { recursive: true });
});

describe("regions", () => {
  it("hold every place of their part of the tree", () => {
    for (const { db, regions } of geo.snapshot().city) {
      if (regions === undefined) throw new Error("not surveyed");
      const { nodeCount, recordBits } = db.metadata;
      const known: (readonly Value[])[] = [];
      const places = (record: number): readonly Value[] =>
        (known[record] ??=
          record >= nodeCount
            ? [record === nodeCount ? 0 : (decode(db, offsetOf(db, record)) as Value)]
            : [0, 1].flatMap((bit) => places(readRecord(db.bytes, recordBits, record, bit))));
      let bounded = 0;
      for (let node = 0; node < nodeCount; node++) {
        const region = regionOf(regions, node);
        const inside = places(node);
        expect(region >= 0).toBe(inside.length >= 16);
        if (region < 0) continue;
        const radiusKm = regions.radii[region] as number;
        if (radiusKm === BOUNDLESS) continue;
        bounded++;
        const centre = unitVector({
          latitude: (regions.latitudes[region] as number) * LATITUDE_STEP,
          longitude: (regions.longitudes[region] as number) * LONGITUDE_STEP,
        });
        const furthestKm = inside.reduce<number>((most, record) => {
          const { location } = record as { location: { latitude: number; longitude: number } };
          return Math.max(most, distanceKm(centre, unitVector(location)));
        }, 0);
        expect(furthestKm).toBeLessThanOrEqual(radiusKm);
      }
      expect(bounded).toBeGreaterThan(10);
    }
  });
});

describe.each<[Family]>([[4], [6]])("the scope of an answer, IPv%i", (family) => {
  it("holds for every address inside it, whatever the world", () => {
    const redirector = createRedirector(geo.locate, { widen: geo.widen });
    let wider = 0;
    for (let round = 0; round < 25; round++) {
      const world = randomWorld();
      for (const each of [redirector, FRESH]) each.take(INVENTORY, world);
      for (let i = 0; i < 60; i++) {
        const { hostnames } = SERVICES[random() % SERVICES.length] as (typeof SERVICES)[number];
        const one = clientOf(family, randomBytes(family));
        const question = { hostname: hostnames[0] as string, client: one, needsIpv4: random() % 2 === 0 };
        const asked = redirector.decide(question, "dns") as Decision;
        if (asked.scopePrefixLength < geo.locate(one).prefixLength) wider++;
        for (let k = 0; k < 5; k++) {
          const other = clientOf(family, within(one.address.bytes, asked.scopePrefixLength));
          expectSame(shownAnew({ ...question, client: other }), shown(asked));
        }
      }
    }
    expect(wider).toBeGreaterThan(100);
  });

  it("is as wide as it can be shown to be, given time", () => {
    const redirector = createRedirector(geo.locate, { widen: geo.widen });
    redirector.take(INVENTORY, worldOf(EDGES));
    const bytes =
      family === 4 ? Uint8Array.of(30, 200, 3, 4) : Uint8Array.of(0x20, 1, 0, 30, 200, ...new Uint8Array(11));
    const question = { hostname: "plain.example.net", client: clientOf(family, bytes) };
    const decision = redirector.explain(question, { reject: () => {} });
    // All of 30/8 and 2001:1e::/32 are in Europe, what follows is not.
    expect(decision?.edges[0]?.edge.id).toBe("ams1");
    expect(decision?.scopePrefixLength).toBe(family === 4 ? 8 : 32);
  });
});

describe.each<[Family]>([[4], [6]])("after a reload or in another world, IPv%i", (family) => {
  const hostnames = SERVICES.map((service) => service.hostnames[0] as string);

  it("networks of a place that was decided for anew are answered as if they were, and in a scope that holds", () => {
    const redirector = createRedirector(geo.locate, { widen: geo.widen });
    /** Two by two of one record. */
    const clients = Array.from({ length: 100 }, () => {
      const { bytes } = networkOf(family, randomBytes(family)).address;
      const { prefixLength } = geo.locate(clientOf(family, bytes));
      return [bytes, within(bytes, prefixLength)].map((each) => networkOf(family, each));
    }).flat();
    const fresh = createRedirector((client) => geo.locate(client));
    let renewed = 0;
    for (let round = 0; round < 42; round++) {
      const inventory = round % 2 === 0 ? INVENTORY : reloaded(round);
      const world = round % 3 === 0 ? worldOf(inventory.edges) : randomWorld(inventory.edges);
      redirector.take(inventory, world);
      fresh.take(inventory, world);
      const hostname = hostnames[Math.floor(round / 6) % hostnames.length] as string;
      const byNumber = new Map<number, unknown>();
      const isAsked = (i: number): boolean => round % 6 === 0 || i % 2 === round % 2;
      const recalled = clients.map((client, i) => {
        if (!isAsked(i)) return undefined;
        const decision = redirector.decide({ hostname, client }, "dns") as Decision;
        const known = redirector.recall(decision);
        if (known !== undefined) byNumber.set(known.number, shown(decision));
        return known;
      });
      const memory = recalled.find((known) => known !== undefined)?.memory;
      for (const [i, client] of clients.entries()) {
        const number = memory?.find(client) ?? 0;
        if (number === 0) continue;
        expectSame(byNumber.get(number), answer(fresh, hostname, client));
        const scope = memory?.scopePrefixLength ?? Number.NaN;
        expect(scope).toBeLessThanOrEqual(Math.max(geo.locate(client).prefixLength, family === 4 ? 24 : 48));
        for (let k = 0; k < 3; k++) {
          const other = clientOf(family, within(client.address.bytes, scope));
          expectSame(answer(fresh, hostname, other), byNumber.get(number));
        }
        if (!isAsked(i)) renewed++;
      }
    }
    expect(renewed).toBeGreaterThan(100);
  });
});

/** Edges that come and move, and the services have them. */
function reloaded(generation: number): Inventory {
  const edges = [
    edgeAt("new1", 0, (generation * 17) % 60, (generation * 37) % 170),
    ...EDGES.map(({ id, location, index }) =>
      edgeAt(id, index + 1, location.latitude + (index === generation % 6 ? 9 : 0), location.longitude),
    ),
  ];
  const services = SERVICES.map((service) => ({
    ...service,
    edges: [0, ...service.edges.map((i) => i + 1)],
  }));
  return { ...INVENTORY, edges, services };
}

/** As resolvers tell it. */
function networkOf(family: Family, bytes: Uint8Array): Client {
  const prefixLength = family === 4 ? 24 : 48;
  return { address: { family, bytes: maskBytes(bytes, prefixLength) }, prefixLength, from: "client-subnet" };
}

/** Nothing is kept of what it explains, and no scope is widened. */
const FRESH = createRedirector((client) => geo.locate(client));

function shownAnew(question: Question) {
  const most = answersOf(question.hostname);
  return shown(FRESH.explain({ ...question, most }, { reject: () => {} }, "dns") as Decision);
}

function answersOf(hostname: string): number {
  return SERVICES.find(({ hostnames }) => hostnames[0] === hostname)?.dns.answers ?? 0;
}

/** As `toEqual`, for what is compared by the thousand. */
function expectSame(given: unknown, due: unknown): void {
  if (JSON.stringify(given) !== JSON.stringify(due)) expect(given).toEqual(due);
}

function answer(redirector: Redirector, hostname: string, client: Client) {
  return shown(redirector.decide({ hostname, client }, "dns") as Decision);
}

function shown({ outcome, edges, ttlSeconds }: Decision) {
  return { outcome, edges: edges.map(({ edge, up }) => [edge.id, up]), ttlSeconds };
}

function randomWorld(edges: readonly Edge[] = EDGES): World {
  const some = (one: number) => edges.filter(() => random() % one === 0);
  const price = some(2).map((edge) => [edge, random() % 4000] as [Edge, number]);
  const load = some(4).map((edge) => [edge, (random() % 110) / 100] as [Edge, number]);
  const world = worldOf(edges, { down: some(6), drain: some(12), price, load });
  // By now and then one edge or another is up over IPv6 alone.
  const lost = random() % 2 === 0 ? [] : some(4);
  return {
    ...world,
    up: world.up.map((up, i) => (up !== 0 && lost.includes(edges[i] as Edge) ? UP_IPV6 : up)),
  };
}

/** Networks under a few wide ones, most of them near what the wide one is near to. */
function recordsOf(family: Family, count: number): { [prefix: string]: Value } {
  const records: { [prefix: string]: Value } = {};
  const put = (bytes: Uint8Array, length: number, latitude: number, longitude: number): void => {
    const prefix = formatPrefix({ family, bytes: maskBytes(bytes, length), length });
    records[prefix] = {
      country: { iso_code: longitude > 0 ? "NL" : "US" },
      location: { latitude, longitude },
    };
  };
  const top = family === 4 ? 8 : 32;
  for (let block = 20; block < 36; block++) {
    const bytes =
      family === 4 ? Uint8Array.of(block, 0, 0, 0) : Uint8Array.of(0x20, 1, 0, block, ...new Uint8Array(12));
    const [latitude, longitude] = CENTRES[block % CENTRES.length] as readonly [number, number];
    put(bytes, top, latitude, longitude);
  }
  for (let i = 0; i < count; i++) {
    const bytes = randomBytes(family);
    const block = bytes[family === 4 ? 0 : 3] as number;
    const astray = random() % 10 === 0 && block !== 30;
    const [latitude, longitude] = CENTRES[(astray ? random() : block) % CENTRES.length] as readonly [
      number,
      number,
    ];
    put(
      bytes,
      top + 1 + (random() % 18),
      latitude + (random() % 600) / 100 - 3,
      longitude + (random() % 600) / 100 - 3,
    );
  }
  const lengthOf = (prefix: string): number => Number(prefix.split("/")[1]);
  return Object.fromEntries(Object.entries(records).sort(([a], [b]) => lengthOf(a) - lengthOf(b)));
}

/** 30 falls upon the first, 31 upon the second. */
const CENTRES = [
  [50, 5],
  [38, -90],
  [2, 105],
] as const;

function randomBytes(family: Family): Uint8Array {
  const bytes = Uint8Array.from({ length: family === 4 ? 4 : 16 }, () => random() & 255);
  if (family === 4) bytes[0] = 20 + (random() % 16);
  else bytes.set([0x20, 1, 0, 20 + (random() % 16)]);
  return bytes;
}

function within(bytes: Uint8Array, length: number): Uint8Array {
  const other = maskBytes(bytes, length);
  for (let bit = length; bit < bytes.length * 8; bit++)
    if ((random() & 1) === 1) other[bit >> 3] = (other[bit >> 3] as number) | (0x80 >> (bit & 7));
  return other;
}

function clientOf(family: Family, bytes: Uint8Array): Client {
  return { address: { family, bytes }, prefixLength: widthOf(family), from: "source" };
}

function dns(answers: number) {
  return { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers };
}
