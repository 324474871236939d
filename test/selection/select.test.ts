import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../src/base/address.ts";
import type { Prefix } from "../../src/model/address.ts";
import { REJECTION_REASONS } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import { select } from "../../src/selection/select.ts";
import {
  AMSTERDAM,
  clientOf,
  edgeAt,
  fieldOf,
  LONDON,
  locatedAt,
  NEW_YORK,
  NOWHERE,
  SINGAPORE,
  serviceOf,
  THREE_EDGES,
  TOKYO,
  worldOf,
} from "./fixture.ts";

const field = fieldOf(THREE_EDGES);
const london = { client: clientOf("192.0.2.7"), located: LONDON };
const tokyo = { client: clientOf("198.51.100.7"), located: TOKYO };

function chosen(rules: Partial<Service>, said: Parameters<typeof worldOf>[1] = {}, viewer = london) {
  const rejected: string[] = [];
  const decision = select(serviceOf(THREE_EDGES, rules), viewer, field, worldOf(THREE_EDGES, said), {
    reject: (edge, reason) => rejected.push(`${edge.id} ${reason}`),
  });
  return {
    outcome: decision.outcome,
    edges: decision.edges.map((choice) => choice.edge.id),
    rejected,
    decision,
  };
}

describe("nearest", () => {
  it("orders by great-circle distance", () => {
    expect(chosen({}).edges).toEqual(["ams1", "nyc1", "sin1"]);
    expect(chosen({}, {}, tokyo).edges).toEqual(["sin1", "ams1", "nyc1"]);
  });

  it("equals a brute-force search by another formula", () => {
    const degrees = {
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    };
    fc.assert(
      fc.property(
        fc.array(fc.record(degrees), { minLength: 1, maxLength: 40 }),
        fc.record(degrees),
        (places, viewer) => {
          const edges = places.map((place, i) => edgeAt(`e${i}`, i, place.latitude, place.longitude));
          const located = { client: clientOf("192.0.2.1"), located: locatedAt(viewer) };
          const best = select(serviceOf(edges), located, fieldOf(edges), worldOf(edges)).edges[0];
          const nearest = Math.min(...edges.map((edge) => haversineKm(viewer, edge.location)));
          // Edges within a kilometre are one place, and share.
          expect(haversineKm(viewer, best?.edge.location ?? viewer)).toBeLessThanOrEqual(nearest + 1.001);
        },
      ),
    );
  });

  it("spills from a full edge to the next, and back", () => {
    expect(chosen({}, { load: [[AMSTERDAM, 1]] })).toMatchObject({
      outcome: { kind: "edges" },
      edges: ["nyc1", "sin1"],
      rejected: ["ams1 full"],
    });
    expect(chosen({}, { load: [[AMSTERDAM, 0.69]] }).edges[0]).toBe("ams1");
  });

  it("makes an edge that fills up look further away", () => {
    const rotterdam = edgeAt("rtm1", 3, 51.92, 4.48);
    const edges = [...THREE_EDGES, rotterdam];
    const best = (load: number) =>
      select(serviceOf(edges), london, fieldOf(edges), worldOf(edges, { load: [[rotterdam, load]] })).edges[0]
        ?.edge.id;
    expect([0.5, 0.99].map(best)).toEqual(["rtm1", "ams1"]);
  });

  it("shares viewers among edges at one place by weight", () => {
    const edges = [edgeAt("a", 0, 52.37, 4.9, 1), edgeAt("b", 1, 52.37, 4.9, 3)];
    const counts = new Map<string, number>();
    for (let i = 0; i < 4000; i++) {
      const client = clientOf(`10.${i >> 8}.${i & 255}.1`);
      const located = { ...LONDON, prefixLength: 24 };
      const best =
        select(serviceOf(edges), { client, located }, fieldOf(edges), worldOf(edges)).edges[0]?.edge.id ?? "";
      counts.set(best, (counts.get(best) ?? 0) + 1);
    }
    expect(counts.get("b")).toBeGreaterThan(2850);
    expect(counts.get("b")).toBeLessThan(3150);
  });

  it("serves a viewer who cannot be located by load and weight, not by order", () => {
    const counts: Record<string, number> = { ams1: 0, sin1: 0, nyc1: 0 };
    const world = worldOf(THREE_EDGES, {
      load: [
        [AMSTERDAM, 0.8],
        [SINGAPORE, 0.2],
        [NEW_YORK, 0.2],
      ],
    });
    for (let i = 0; i < 3000; i++) {
      const viewer = { client: clientOf(`10.${i >> 8}.${i & 255}.1`), located: NOWHERE };
      const best = select(serviceOf(THREE_EDGES), viewer, field, world).edges[0]?.edge.id ?? "";
      counts[best] = (counts[best] ?? 0) + 1;
    }
    // Room 0.2 : 0.8 : 0.8 of 1.8.
    expect(counts.ams1).toBeGreaterThan(250);
    expect(counts.ams1).toBeLessThan(420);
    expect(counts.sin1).toBeGreaterThan(1200);
    expect(counts.nyc1).toBeGreaterThan(1200);
  });
});

describe("the other ranks", () => {
  it("least-loaded looks at load first, then at distance; unknown is neither empty nor full", () => {
    expect(
      chosen(
        { rank: "least-loaded" },
        {
          load: [
            [AMSTERDAM, 0.6],
            [SINGAPORE, 0.1],
          ],
        },
      ).edges,
    ).toEqual(["sin1", "nyc1", "ams1"]);
    expect(chosen({ rank: "least-loaded" }).edges).toEqual(["ams1", "nyc1", "sin1"]);
  });

  it("failover keeps the listed order and skips who cannot serve", () => {
    expect(chosen({ rank: "failover", edges: [2, 1, 0] }, { down: [NEW_YORK] }).edges).toEqual([
      "sin1",
      "ams1",
    ]);
  });

  it("weighted draws by weight, weight 0 only as the last", () => {
    const edges = [edgeAt("a", 0, 0, 0, 0), edgeAt("b", 1, 0, 0, 1), edgeAt("c", 2, 0, 0, 2)];
    let c = 0;
    for (let i = 0; i < 3000; i++) {
      const viewer = { client: clientOf(`10.${i >> 8}.${i & 255}.1`), located: LONDON };
      const ids = select(
        serviceOf(edges, { rank: "weighted" }),
        viewer,
        fieldOf(edges),
        worldOf(edges),
      ).edges.map((choice) => choice.edge.id);
      expect(ids[2]).toBe("a");
      if (ids[0] === "c") c++;
    }
    expect(c / 3000).toBeCloseTo(2 / 3, 1);
  });
});

describe("an edge that is back, and is to take up load little by little", () => {
  /** Nobody more is to come to Amsterdam, though a tenth of it is in use. */
  const decide = (rules: Partial<Service>, load: [Edge, number][]) => {
    const plain = worldOf(THREE_EDGES, { load: [[AMSTERDAM, 0.1], ...load] });
    const world = { ...plain, limit: Float64Array.from(plain.limit, (_, edge) => (edge === 0 ? 0.1 : 1)) };
    const viewer = { client: clientOf("192.0.2.7"), located: LONDON };
    const { outcome, edges } = select(serviceOf(THREE_EDGES, rules), viewer, fieldOf(THREE_EDGES), world);
    return [outcome.kind, ...edges.map(({ edge }) => edge.id)];
  };
  const othersFull: [Edge, number][] = [
    [SINGAPORE, 1],
    [NEW_YORK, 1],
  ];

  it.each(["spill", "refuse"] as const)(
    "leaves viewers to others with room, with whenFull: %s",
    (whenFull) => {
      expect(decide({ whenFull }, [])).toEqual(["edges", "nyc1", "sin1"]);
    },
  );

  it.each(["spill", "refuse"] as const)(
    "takes them where nobody else has room, with whenFull: %s",
    (whenFull) => {
      expect(decide({ whenFull }, othersFull)).toEqual(["overload", "ams1"]);
      expect(decide({ whenFull, edges: [0] }, [])).toEqual(["overload", "ams1"]);
    },
  );

  it("takes nobody when it is as good as full", () => {
    const full = worldOf(THREE_EDGES, { load: THREE_EDGES.map((edge): [Edge, number] => [edge, 0.96]) });
    const world = { ...full, limit: full.limit.map(() => 0.96) };
    const viewer = { client: clientOf("192.0.2.7"), located: LONDON };
    const service = serviceOf(THREE_EDGES, { whenFull: "refuse" });
    expect(select(service, viewer, fieldOf(THREE_EDGES), world).outcome).toEqual({
      kind: "refused",
      reason: "full",
    });
  });

  it("does not stand in for one that is full and nearer, where the service does not go past that", () => {
    const world = worldOf(THREE_EDGES, {
      load: [
        [AMSTERDAM, 1],
        [NEW_YORK, 0.1],
        [SINGAPORE, 1],
      ],
    });
    const limit = Float64Array.from(world.limit, (_, edge) => (edge === NEW_YORK.index ? 0.1 : 1));
    const viewer = { client: clientOf("192.0.2.7"), located: LONDON };
    const service = serviceOf(THREE_EDGES, { whenFull: "refuse" });
    const { outcome } = select(service, viewer, fieldOf(THREE_EDGES), { ...world, limit });
    expect(outcome).toEqual({ kind: "refused", reason: "full" });
  });
});

describe("when nobody is eligible", () => {
  const fallback = { url: "https://origin.example.net", addresses: [] };
  const down = { down: THREE_EDGES };
  const full = { load: THREE_EDGES.map((edge): [Edge, number] => [edge, 1.2]) };

  it.each([
    [
      "all down, fail-open: as if all were up",
      { whenDown: "fail-open" },
      down,
      { kind: "fail-open" },
      ["ams1", "nyc1", "sin1"],
    ],
    ["all down, fallback", { whenDown: "fallback", fallback }, down, { kind: "fallback", fallback }, []],
    ["all down, refuse", { whenDown: "refuse" }, down, { kind: "refused", reason: "down" }, []],
    ["all full, spill: the least bad first", {}, full, { kind: "overload" }, ["ams1", "nyc1", "sin1"]],
    ["all full, refuse", { whenFull: "refuse" }, full, { kind: "refused", reason: "full" }, []],
    [
      "the nearest full, refuse: not the next",
      { whenFull: "refuse" },
      { load: [[AMSTERDAM, 1]] },
      { kind: "refused", reason: "full" },
      [],
    ],
    [
      "all drained: nobody new, even when failing open",
      {},
      { drain: THREE_EDGES },
      { kind: "refused", reason: "no-edges" },
      [],
    ],
    ["all off, with a fallback", { fallback }, { off: THREE_EDGES }, { kind: "fallback", fallback }, []],
    [
      "one draining, the rest down: the draining one stays out",
      {},
      { drain: [AMSTERDAM], down: [SINGAPORE, NEW_YORK] },
      { kind: "fail-open" },
      ["nyc1", "sin1"],
    ],
  ] as const)("%s", (_name, rules, said, outcome, edges) => {
    const result = chosen(rules, said as unknown as Parameters<typeof worldOf>[1]);
    expect({ outcome: result.outcome, edges: result.edges }).toEqual({ outcome, edges });
  });

  it("tells every edge that is left out with its gravest reason", () => {
    expect(chosen({}, { off: [AMSTERDAM], down: [AMSTERDAM, SINGAPORE] }).rejected.sort()).toEqual([
      "ams1 off",
      "sin1 down",
    ]);
  });
});

describe("maxDistanceKm", () => {
  it.each([
    ["leaves out who is further", { maxDistanceKm: 6000 }, {}, "edges", ["ams1", "nyc1"]],
    [
      "holds when the near ones are full",
      { maxDistanceKm: 1000 },
      { load: [[AMSTERDAM, 1]] },
      "overload",
      ["ams1"],
    ],
    [
      "holds when the near ones are down",
      { maxDistanceKm: 1000 },
      { down: [AMSTERDAM] },
      "fail-open",
      ["ams1"],
    ],
    ["refuses where nobody is near", { maxDistanceKm: 100 }, {}, "refused", []],
  ] as const)("%s", (_name, rules, said, kind, edges) => {
    const result = chosen(rules, said as unknown as Parameters<typeof worldOf>[1]);
    expect([result.outcome.kind, result.edges]).toEqual([kind, edges]);
    expect(result.rejected).toContain("sin1 too-far");
  });
});

describe("allow and deny", () => {
  const rule = (said: object) => ({ countries: [], continents: [], networks: [], asns: [], ...said });
  const network = (text: string): Prefix => parsePrefix(text) as Prefix;

  it.each([
    ["an allowed country", { allow: rule({ countries: ["GB"] }) }, "edges"],
    ["another country", { allow: rule({ countries: ["NL"] }) }, "refused"],
    ["a continent", { allow: rule({ continents: ["EU"] }) }, "edges"],
    ["a network", { allow: rule({ networks: [network("192.0.2.0/25")] }) }, "edges"],
    [
      "deny wins",
      { allow: rule({ countries: ["GB"] }), deny: rule({ networks: [network("192.0.2.0/24")] }) },
      "refused",
    ],
    ["an ASN that is not known", { allow: rule({ asns: [64500] }) }, "refused"],
    ["denied elsewhere", { deny: rule({ countries: ["FR"] }) }, "edges"],
  ])("%s", (_name, rules, kind) => {
    const result = chosen(rules);
    expect(result.outcome.kind).toBe(kind);
    if (kind === "refused")
      expect(result.rejected).toEqual(["ams1 not-allowed", "nyc1 not-allowed", "sin1 not-allowed"]);
  });

  it("holds for every address inside the scope", () => {
    const networks = ["10.0.0.0/9", "10.3.0.0/16", "10.3.4.0/26", "192.168.0.0/24"].map(network);
    const service = serviceOf(THREE_EDGES, { deny: rule({ networks }) });
    const address = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(
        fc.oneof(address, fc.integer({ min: 0x0a000000, max: 0x0affffff })),
        address,
        (asked, other) => {
          const answer = (value: number) =>
            select(
              service,
              { client: clientOf(dotted(value)), located: locatedAt(LONDON.location, 0) },
              field,
              worldOf(THREE_EDGES),
            );
          const first = answer(asked);
          const mask = first.scopePrefixLength === 0 ? 0 : (-1 << (32 - first.scopePrefixLength)) >>> 0;
          const neighbour = ((asked & mask) | (other & ~mask)) >>> 0;
          expect(answer(neighbour).outcome.kind).toBe(first.outcome.kind);
          expect(answer(neighbour).scopePrefixLength).toBe(first.scopePrefixLength);
        },
      ),
      { numRuns: 3000 },
    );
  });
});

describe("a decision for few", () => {
  const edges = Array.from({ length: 40 }, (_, i) => edgeAt(`e${i}`, i, ((i * 37) % 120) - 60, i * 9 - 180));
  const field = fieldOf(edges);
  const price = fc.option(fc.integer({ min: 0, max: 15_000 }), { freq: 2 });

  it("names the first of those that a decision for all names, whatever the prices", () => {
    const subset = fc.subarray(edges);
    fc.assert(
      fc.property(
        fc.array(price, { minLength: 40, maxLength: 40 }),
        subset,
        fc.record({
          latitude: fc.integer({ min: -90, max: 90 }),
          longitude: fc.integer({ min: -180, max: 180 }),
        }),
        fc.integer({ min: 1, max: 16 }),
        fc.constantFrom("nearest", "weighted", "least-loaded", "failover"),
        (prices, full, place, most, rank) => {
          const world = worldOf(edges, {
            load: full.map((edge) => [edge, 1]),
            price: edges.map((edge, i) => [edge, prices[i] ?? 0]),
          });
          const viewer = { client: clientOf("192.0.2.7"), located: locatedAt(place) };
          const service = serviceOf(edges, { rank });
          const few = select(service, { ...viewer, most }, field, world);
          const all = select(service, viewer, field, world);
          const answers = Math.min(all.answers ?? 0, most);
          expect(few).toEqual({ ...all, edges: all.edges.slice(0, most), answers });
        },
      ),
    );
  });

  it("knows the nearest in service, and how many are left out and why", () => {
    const { decision } = chosen({}, { load: [[AMSTERDAM, 1]], down: [SINGAPORE] });
    expect(decision.nearestKm).toBeLessThan(400);
    expect(decision.edges[0]?.distanceKm).toBeGreaterThan(5000);
    expect(REJECTION_REASONS.filter((_, i) => (decision.rejected[i] as number) > 0)).toEqual([
      "down",
      "full",
    ]);
    expect(chosen({ maxDistanceKm: 1000 }, { down: [SINGAPORE] }).decision.rejected).toEqual(
      REJECTION_REASONS.map((reason) => (reason === "too-far" ? 2 : 0)),
    );
  });
});

describe("a decision", () => {
  it("is the same for the same input", () => {
    const said = { load: [[AMSTERDAM, 0.9]] as [Edge, number][] };
    for (const rank of ["nearest", "least-loaded", "weighted", "failover"] as const)
      expect(chosen({ rank }, said).decision).toEqual(chosen({ rank }, said).decision);
  });

  it("never names an ineligible edge, whatever the world", () => {
    const edges = Array.from({ length: 12 }, (_, i) => edgeAt(`e${i}`, i, i * 10 - 60, i * 25 - 150));
    const subset = fc.subarray(edges);
    fc.assert(
      fc.property(
        subset,
        subset,
        subset,
        fc.constantFrom("nearest", "least-loaded", "weighted", "failover"),
        (down, drain, full, rank) => {
          const world = worldOf(edges, { down, drain, load: full.map((edge) => [edge, 1]) });
          const decision = select(serviceOf(edges, { rank: rank }), london, fieldOf(edges), world);
          const fit = edges.filter((edge) => ![...down, ...drain, ...full].includes(edge));
          if (decision.outcome.kind === "edges")
            expect(new Set(decision.edges.map((choice) => choice.edge))).toEqual(new Set(fit));
          else expect(fit).toEqual([]);
          expect(decision.edges.every((choice) => !drain.includes(choice.edge))).toBe(true);
        },
      ),
    );
  });

  it("does not change when a loser leaves", () => {
    const edges = Array.from({ length: 10 }, (_, i) => edgeAt(`e${i}`, i, i * 7 - 30, i * 30 - 140));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9 }),
        fc.constantFrom("nearest", "weighted", "least-loaded"),
        (loser, rank) => {
          const service = serviceOf(edges, { rank: rank as Service["rank"] });
          const best = (off: Edge[]) =>
            select(service, london, fieldOf(edges), worldOf(edges, { off })).edges[0]?.edge;
          const winner = best([]);
          const left = edges[loser] as Edge;
          if (left !== winner) expect(best([left])).toBe(winner);
        },
      ),
    );
  });

  it("for a client who tells nothing depends on nothing", () => {
    const viewer = { client: clientOf("0.0.0.0", 0), located: NOWHERE };
    expect(select(serviceOf(THREE_EDGES), viewer, field, worldOf(THREE_EDGES)).scopePrefixLength).toBe(0);
  });
});

function haversineKm(
  a: { latitude: number; longitude: number },
  b: { latitude: number; longitude: number },
): number {
  const rad = Math.PI / 180;
  const s =
    Math.sin(((b.latitude - a.latitude) * rad) / 2) ** 2 +
    Math.cos(a.latitude * rad) *
      Math.cos(b.latitude * rad) *
      Math.sin(((b.longitude - a.longitude) * rad) / 2) ** 2;
  return 2 * 6371.0088 * Math.asin(Math.min(1, Math.sqrt(s)));
}

function dotted(value: number): string {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255].join(".");
}

describe("the TTL", () => {
  const ttl = (rules: Partial<Service>, said: Parameters<typeof worldOf>[1], viewer = london): number =>
    chosen(rules, said, viewer).decision.ttlSeconds;

  it("is the service's while everything named is steady", () => {
    expect(ttl({}, {})).toBe(20);
    expect(ttl({}, { unsteady: [SINGAPORE] })).toBe(20);
    expect(ttl({}, { down: [SINGAPORE], off: [NEW_YORK] })).toBe(20);
    expect(ttl({}, { down: [AMSTERDAM] })).toBe(20);
  });

  it("is short while one of those named is in doubt", () => {
    expect(ttl({}, { unsteady: [AMSTERDAM] })).toBe(5);
    expect(ttl({}, { unsteady: [NEW_YORK] })).toBe(5);
    expect(ttl({}, { unsteady: [NEW_YORK] }, tokyo)).toBe(20);
  });

  it("is short while one of those named may soon be full, of which there is no doubt otherwise", () => {
    expect(ttl({}, { rush: [AMSTERDAM] })).toBe(5);
    expect(ttl({}, { rush: [SINGAPORE] })).toBe(20);
    expect(ttl({}, { down: [AMSTERDAM], rush: [AMSTERDAM] })).toBe(20);
    expect(chosen({}, { rush: [AMSTERDAM] }, london).decision.isInDoubt).toBe(false);
  });

  it("is short while one that would be named drains, or is about to come up", () => {
    expect(ttl({}, { drain: [AMSTERDAM] })).toBe(5);
    expect(ttl({}, { down: [AMSTERDAM], unsteady: [AMSTERDAM] })).toBe(5);
    expect(ttl({}, { drain: [SINGAPORE] })).toBe(20);
    expect(ttl({}, { drain: [AMSTERDAM], down: [AMSTERDAM] })).toBe(20);
    expect(ttl({}, { drain: [SINGAPORE], off: [NEW_YORK] })).toBe(5);
  });

  it.each(["least-loaded", "weighted", "failover"] as const)("holds for rank: %s too", (rank) => {
    const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 1 };
    const load: [Edge, number][] = THREE_EDGES.map((edge, i) => [edge, (i + 1) / 10]);
    const [first, second] = chosen({ rank, dns }, { load }).decision.edges;
    if (first === undefined || second === undefined) throw new Error("no edges");
    expect(ttl({ rank, dns }, { load, drain: [first.edge] })).toBe(5);
    expect(ttl({ rank, dns }, { load, drain: [second.edge] })).toBe(20);
    expect(ttl({ rank, dns }, { load, unsteady: [first.edge] })).toBe(5);
  });

  it("is the same whether few or all edges are asked for", () => {
    for (const said of [{ drain: [AMSTERDAM] }, { drain: [SINGAPORE] }, { unsteady: [NEW_YORK] }, {}]) {
      const all = select(serviceOf(THREE_EDGES), london, field, worldOf(THREE_EDGES, said));
      const few = select(serviceOf(THREE_EDGES), { ...london, most: 2 }, field, worldOf(THREE_EDGES, said));
      expect(few.ttlSeconds).toBe(all.ttlSeconds);
    }
  });

  it("is short while all are down, or the fallback answers; never longer than the service's", () => {
    const down = { down: [...THREE_EDGES] };
    expect(ttl({}, down)).toBe(5);
    const fallback = { url: "https://origin.example.net", addresses: [] };
    expect(ttl({ whenDown: "fallback", fallback }, down)).toBe(5);
    const dns = { ttlSeconds: 3, ttlInDoubtSeconds: 5, answers: 2 };
    expect(ttl({ dns }, down)).toBe(3);
  });

  it("tells doubt apart from a TTL that is no longer than that in doubt", () => {
    const dns = { ttlSeconds: 3, ttlInDoubtSeconds: 5, answers: 1 };
    const doubt = (said: Parameters<typeof worldOf>[1]) => chosen({ dns }, said, london).decision.isInDoubt;
    expect(doubt({})).toBe(false);
    expect(doubt({ unsteady: [AMSTERDAM] })).toBe(true);
    expect(doubt({ down: [AMSTERDAM, NEW_YORK, SINGAPORE] })).toBe(true);
  });

  it("is shorter while one that drains is missed, though its stand-in is in no doubt", () => {
    const { decision } = chosen(
      { dns: { ttlSeconds: 30, ttlInDoubtSeconds: 5, answers: 1 } },
      { drain: [AMSTERDAM] },
      london,
    );
    expect([decision.ttlSeconds, decision.isInDoubt]).toEqual([5, false]);
  });
});
