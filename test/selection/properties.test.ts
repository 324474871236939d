/** What holds for every choice, whatever the edges, the world, the viewer and the rules. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatAddress, maskBytes } from "../../src/base/address.ts";
import type { Client } from "../../src/model/client.ts";
import type { Decision, RejectionReason, Unreachable } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Located, Location } from "../../src/model/location.ts";
import type { Affinity, Service } from "../../src/model/service.ts";
import type { ViewerRule } from "../../src/model/viewer-rule.ts";
import type { World } from "../../src/model/world.ts";
import { addViewers, newStreamHeat } from "../../src/selection/heat.ts";
import { select } from "../../src/selection/select.ts";
import type { Viewer } from "../../src/selection/viewer.ts";
import { hashText } from "../../src/selection/spread.ts";
import { streamKeyOf } from "../../src/selection/stream.ts";
import { edgeAt, fieldOf, serviceOf, worldOf } from "./fixture.ts";

interface Scene {
  readonly edges: readonly Edge[];
  readonly service: Service;
  readonly world: World;
  readonly viewer: Viewer;
}

const place = fc.record({
  latitude: fc.oneof(fc.double({ min: -90, max: 90, noNaN: true }), fc.constantFrom(-90, 90, 0)),
  longitude: fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), fc.constantFrom(-180, 180, 179.999)),
});
const asn = fc.constantFrom(64500, 64501, 64502);
const country = fc.constantFrom("NL", "SG", "US");
/** Networks of 10/8 with borders where clients are. */
const network = fc
  .record({ bytes: fc.uint8Array({ minLength: 3, maxLength: 3 }), length: fc.integer({ min: 8, max: 32 }) })
  .map(({ bytes, length }) => ({
    family: 4 as const,
    length,
    bytes: maskBytes(Uint8Array.of(10, ...bytes.map((byte) => byte % 4)), length),
  }));
const rule: fc.Arbitrary<ViewerRule> = fc.record({
  countries: fc.array(country, { maxLength: 2 }),
  continents: fc.constant([]),
  networks: fc.array(network, { maxLength: 3 }),
  asns: fc.array(asn, { maxLength: 1 }),
});

const location: fc.Arbitrary<Location> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ layer: fc.constant("city" as const), country }, { requiredKeys: ["layer"] }),
  },
  { weight: 1, arbitrary: fc.constant({ layer: "none" as const }) },
);

const scene: fc.Arbitrary<Scene> = fc
  .record({
    sites: fc.array(
      fc.record({
        place,
        weight: fc.constantFrom(1, 2, 0.5),
        preferredFor: fc.option(rule, { freq: 4, nil: undefined }),
        up: fc.constantFrom(1, 1, 1, 0),
        state: fc.constantFrom(0, 0, 0, 0, 1, 2),
        load: fc.constantFrom(Number.NaN, 0, 0.5, 0.95, 0.995, 1, 3),
        price: fc.constantFrom(0, 0, 5, 300, 4000),
      }),
      { minLength: 1, maxLength: 24 },
    ),
    viewerPlace: place,
    location,
    radiusKm: fc.constantFrom(undefined, undefined, 20, 900),
    isCountry: fc.boolean(),
    viewerAsn: fc.option(asn, { nil: undefined }),
    depth: fc.integer({ min: 8, max: 24 }),
    address: fc.uint8Array({ minLength: 3, maxLength: 3 }),
    rank: fc.constantFrom("nearest", "nearest", "nearest", "least-loaded", "weighted", "failover"),
    affinity: fc.constantFrom<Affinity>("none", "stream", "viewer"),
    stream: fc.constantFrom(undefined, "/live/one", "/live/two"),
    maxDistanceKm: fc.constantFrom(Number.POSITIVE_INFINITY, 6000),
    whenFull: fc.constantFrom("spill" as const, "refuse" as const),
    allow: fc.option(rule, { freq: 4, nil: undefined }),
    deny: fc.option(rule, { freq: 4, nil: undefined }),
    answers: fc.integer({ min: 1, max: 4 }),
    heat: fc.array(fc.nat({ max: 400 }), { maxLength: 24 }),
  })
  .map((drawn) => {
    const edges = drawn.sites.map(({ place: at, weight, preferredFor }, i) => ({
      ...edgeAt(`e${i}`, i, at.latitude, at.longitude, weight),
      ...(preferredFor === undefined ? {} : { preferredFor }),
    }));
    const service = serviceOf(edges, {
      rank: drawn.rank,
      affinity: drawn.affinity,
      affinityWithin: { km: 500, share: 0.2 },
      maxDistanceKm: drawn.maxDistanceKm,
      whenFull: drawn.whenFull,
      dns: {
        ttlSeconds: 20,
        ttlInDoubtSeconds: 5,
        answers: drawn.answers,
        answersWithin: { km: 500, share: 0.2 },
      },
      ...(drawn.allow === undefined ? {} : { allow: drawn.allow }),
      ...(drawn.deny === undefined ? {} : { deny: drawn.deny }),
    });
    const heat = newStreamHeat(1 << 10);
    drawn.heat.forEach((viewers, i) =>
      addViewers(heat, streamKeyOf("/live/one"), hashText(`e${i}`), viewers),
    );
    const world: World = {
      ...worldOf(edges),
      up: Uint8Array.from(drawn.sites, ({ up }) => up),
      state: Uint8Array.from(drawn.sites, ({ state }) => state),
      loadRatio: Float64Array.from(drawn.sites, ({ load }) => load),
      priceKm: Float64Array.from(drawn.sites, ({ price }) => price),
      perViewer: new Float64Array(edges.length).fill(0.001),
      heat,
    };
    const located: Located = {
      location:
        drawn.location.layer === "none"
          ? drawn.location
          : {
              ...drawn.location,
              ...drawn.viewerPlace,
              layer: drawn.isCountry ? "country" : "city",
              ...(drawn.radiusKm === undefined ? {} : { accuracyRadiusKm: drawn.radiusKm }),
            },
      prefixLength: drawn.depth,
      ...(drawn.viewerAsn === undefined ? {} : { asn: drawn.viewerAsn }),
    };
    const client = clientAt(Uint8Array.of(10, ...drawn.address.map((byte) => byte % 4)));
    const viewer = { client, located, ...(drawn.stream === undefined ? {} : { stream: drawn.stream }) };
    return { edges, service, world, viewer };
  });

function clientAt(bytes: Uint8Array): Client {
  return { address: { family: 4, bytes }, prefixLength: 32, from: "source" };
}

function decide({ edges, service, world, viewer }: Scene): Decision {
  return select(service, viewer, fieldOf(edges), world);
}
const ids = ({ edges }: Decision): string[] => edges.map(({ edge }) => edge.id);
const RUNS = { numRuns: 500 };
/** Shrinking takes long. */
const LONG_MS = 120_000;

describe("whatever is chosen", () => {
  it(
    "is never an edge that is not eligible",
    () => {
      fc.assert(
        fc.property(scene, (drawn) => {
          const { world, service } = drawn;
          const { outcome, edges } = decide(drawn);
          for (const { edge, distanceKm } of edges) {
            expect(world.state[edge.index]).toBe(0);
            expect(distanceKm > service.maxDistanceKm).toBe(false);
            const load = world.loadRatio[edge.index] as number;
            if (outcome.kind === "edges") expect([world.up[edge.index], load >= 1]).toEqual([1, false]);
            if (outcome.kind === "overload") expect([world.up[edge.index], load >= 1]).toEqual([1, true]);
            if (outcome.kind === "fail-open") expect(world.up[edge.index]).toBe(0);
          }
        }),
        RUNS,
      );
    },
    LONG_MS,
  );

  it(
    "is chosen or rejected with a reason, each edge once",
    () => {
      fc.assert(
        fc.property(scene, (drawn) => {
          const rejected: [string, RejectionReason | Unreachable][] = [];
          const { service, viewer, world, edges } = drawn;
          const decision = select(service, viewer, fieldOf(edges), world, {
            reject: (edge, reason) => void rejected.push([edge.id, reason]),
          });
          expect([...ids(decision), ...rejected.map(([id]) => id)].sort()).toEqual(
            edges.map(({ id }) => id).sort(),
          );
        }),
        RUNS,
      );
    },
    LONG_MS,
  );

  it(
    "comes in the order of what explain adds up: distance + price - favour",
    () => {
      fc.assert(
        fc.property(scene, (drawn) => {
          const { location: at } = drawn.viewer.located;
          const bandKm = Math.max(1, at.accuracyRadiusKm ?? 0);
          const { edges, outcome } = decide(drawn);
          if (drawn.service.rank !== "nearest" || at.latitude === undefined || outcome.kind !== "edges")
            return;
          const scores = edges.map(
            ({ distanceKm, priceKm, favour }) => distanceKm + priceKm - (favour?.km ?? 0),
          );
          scores.forEach((score, i) => {
            const worst = Math.max(...scores.slice(0, i));
            expect(score, "within the band of equals the lot decides").toBeGreaterThanOrEqual(
              worst - bandKm - 0.01,
            );
          });
        }),
        RUNS,
      );
    },
    LONG_MS,
  );

  it(
    "does not change when an edge that lost is taken away",
    () => {
      fc.assert(
        fc.property(scene, fc.nat(), (drawn, n) => {
          const { service, world } = drawn;
          const before = decide(drawn);
          const [winner, ...others] = before.edges;
          // Whoever is nearer or cheaper and lost by lot, or to a favourite, is what the winner was measured by.
          const losers = others
            .filter(({ distanceKm, priceKm }) => {
              const isWorse = distanceKm + priceKm >= (winner?.distanceKm ?? 0) + (winner?.priceKm ?? 0);
              return Number.isNaN(distanceKm) || (isWorse && distanceKm >= (winner?.distanceKm ?? 0));
            })
            .map(({ edge }) => edge.id);
          fc.pre(before.outcome.kind === "edges" && losers.length > 0);
          // `refuse` stops at a full place unless somebody there has room.
          fc.pre(service.whenFull === "spill" || world.loadRatio.every((load) => !(load >= 1)));
          const gone = losers[n % losers.length];
          const without = { ...service, edges: service.edges.filter((i) => drawn.edges[i]?.id !== gone) };
          const after = decide({ ...drawn, service: without });
          expect(ids(after)[0]).toBe(ids(before)[0]);
        }),
        RUNS,
      );
    },
    LONG_MS,
  );

  it(
    "is the same for every address inside the scope",
    () => {
      fc.assert(
        fc.property(scene, fc.uint8Array({ minLength: 4, maxLength: 4 }), (drawn, noise) => {
          const { client } = drawn.viewer;
          const decision = decide(drawn);
          const length = decision.scopePrefixLength;
          const inside = maskBytes(client.address.bytes, length);
          const rest = maskBytes(noise, length);
          const bytes = inside.map((byte, i) => byte | ((noise[i] as number) ^ (rest[i] as number)));
          const other = decide({ ...drawn, viewer: { ...drawn.viewer, client: clientAt(bytes) } });
          const what = `${formatAddress(client.address)} and ${formatAddress({ family: 4, bytes })}/${length}`;
          expect([other.outcome, ids(other), other.answers, other.scopePrefixLength], what).toEqual([
            decision.outcome,
            ids(decision),
            decision.answers,
            length,
          ]);
        }),
        RUNS,
      );
    },
    LONG_MS,
  );
});

describe("a strictly better edge", () => {
  it("never loses: moved nearer than the winner and as cheap, it wins", () => {
    fc.assert(
      fc.property(place, fc.array(place, { minLength: 2, maxLength: 20 }), fc.nat(), (at, places, n) => {
        const edges = places.map(({ latitude, longitude }, i) => edgeAt(`e${i}`, i, latitude, longitude));
        const located: Located = { location: { layer: "city", ...at }, prefixLength: 16 };
        const viewer = { client: clientAt(Uint8Array.of(10, 0, 0, 1)), located };
        const i = n % edges.length;
        const better = edges.with(i, edgeAt(`e${i}`, i, at.latitude, at.longitude));
        const [first, second] = select(serviceOf(better), viewer, fieldOf(better), worldOf(better)).edges;
        // Whoever is at the same place draws lots with it.
        if ((second?.distanceKm ?? Number.POSITIVE_INFINITY) > 2) expect(first?.edge.id).toBe(`e${i}`);
      }),
    );
  });

  it(
    "never loses: made cheaper, whoever won wins still",
    () => {
      fc.assert(
        fc.property(scene, (drawn) => {
          const { world } = drawn;
          const before = decide(drawn);
          const winner = before.edges[0]?.edge.index;
          fc.pre(winner !== undefined && drawn.service.rank === "nearest");
          const priceKm = world.priceKm.with(winner, 0);
          // A vague place spreads by lot whom a lower price makes equals.
          fc.pre(drawn.viewer.located.location.accuracyRadiusKm === undefined);
          const after = decide({ ...drawn, world: { ...world, priceKm } });
          const isLot = after.edges[0]?.favour?.why === "stream" || after.edges[0]?.favour?.why === "warm";
          if (!isLot) expect(ids(after)[0]).toBe(ids(before)[0]);
        }),
        RUNS,
      );
    },
    LONG_MS,
  );
});
