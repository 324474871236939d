/**
 * Prices are found without knowing what players' reports add to distances. They go by what edges report, so that
 * nobody overflows all the same; what it costs in kilometres is bounded here.
 */
import { describe, expect, it } from "vitest";
import { firstBits } from "../../src/base/network-group.ts";
import { distanceKm, unitVector } from "../../src/base/sphere.ts";
import { newTripleTable } from "../../src/base/triple-table.ts";
import { ANY_EDGE, type Corrections, GROUP_BITS } from "../../src/model/corrections.ts";
import type { Question } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Location } from "../../src/model/location.ts";
import { createPricing } from "../../src/pricing/pricing.ts";
import { solve } from "../../src/pricing/solve.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { plainInventory } from "../inventory.ts";
import { clientOf, edgeAt, serviceOf } from "../selection/fixture.ts";
import { factsOfReports } from "../pricing/facts.ts";
import { sharesFrom } from "../random.ts";

const ROOM = 500;
const capped = (edge: Edge): Edge => ({ ...edge, capacity: { viewers: ROOM } });
const AMS = capped(edgeAt("ams1", 0, 52.37, 4.9));
const FRA = capped(edgeAt("fra1", 1, 50.11, 8.68));
const LON = capped(edgeAt("lon1", 2, 51.51, -0.13));
const EDGES = [AMS, FRA, LON];
/** Between the three and around them. */
const PLACES = [
  [52.09, 5.12],
  [51.92, 4.48],
  [50.85, 4.35],
  [50.94, 6.96],
  [52.37, 9.73],
  [50.11, 8.68],
  [48.86, 2.35],
  [50.63, 3.06],
  [51.51, -0.13],
  [52.48, -1.9],
  [53.55, 9.99],
  [48.14, 11.58],
].map(([latitude = 0, longitude = 0]) => ({ layer: "city", latitude, longitude }) as const);
/** Third octets at which two groups of networks begin, at the same places; reports are about the first. */
const [REPORTED, OTHERS] = [0, 64];
const SERVICE = serviceOf(EDGES, { experience: { maxKm: 500, networks: 5 } });
const INVENTORY = plainInventory({ edges: EDGES, services: [SERVICE] });

const SECONDS = 5400;
const STAY_SECONDS = 600;
const VIEWERS = 1200;
/** From when on distances count: until then the edges fill up. */
const SETTLED_SECONDS = 2700;
const REPORT_SECONDS = 5;

function correctionsOf(km: readonly number[]): Corrections | undefined {
  if (km.every((one) => one === 0)) return undefined;
  const group = firstBits(clientOf(`81.2.${REPORTED}.1`).address, GROUP_BITS[4]);
  return newTripleTable([
    { key: [0, group, ANY_EDGE], value: 1 },
    ...km.flatMap((value, edge) => (value === 0 ? [] : [{ key: [0, group, edge] as const, value }])),
  ]);
}

interface Day {
  /** At any edge at any time. */
  readonly mostViewers: number;
  /** Of who came once all was settled: distance, and what reports add to it. */
  readonly meanKm: number;
  readonly refused: number;
}

/** An hour and a half of viewers from one place. @param shareReported of them, in the group that reports are about */
function live(km: readonly number[], shareReported: number): Day {
  const random = sharesFrom(7);
  const corrections = correctionsOf(km);
  const pricing = createPricing({ rampUpMs: 0 });
  pricing.take(EDGES, [SERVICE]);
  const redirector = createRedirector(() => ({ location: { layer: "none" }, prefixLength: 24 }));
  const there = [0, 0, 0];
  const leaving: number[][] = Array.from({ length: SECONDS + 1 }, () => []);
  const reported = new Float64Array(3).fill(Number.NaN);
  const reportedAtMs = new Float64Array(3).fill(Number.NaN);
  let [mostViewers, sumKm, came, refused] = [0, 0, 0, 0];
  for (let second = 0; second < SECONDS; second++) {
    const nowMs = second * 1000;
    for (const edge of leaving[second] ?? []) there[edge] = (there[edge] as number) - 1;
    for (const edge of [0, 1, 2])
      if (second % REPORT_SECONDS === edge) {
        reported[edge] = there[edge] as number;
        reportedAtMs[edge] = nowMs;
      }
    pricing.tick(redirector.takeArrivals(), nowMs);
    const world = pricing.world(factsOfReports(reported, reportedAtMs, ROOM), nowMs);
    redirector.take(INVENTORY, corrections === undefined ? world : { ...world, corrections });
    for (let due = VIEWERS / STAY_SECONDS; random() < due; due--) {
      const question = questionOf(random, shareReported);
      const decision = redirector.decide(question, "http");
      const best = decision?.edges[0];
      if (decision?.outcome.kind !== "edges" || best === undefined) {
        refused++;
        continue;
      }
      const { index } = best.edge;
      there[index] = (there[index] as number) + 1;
      mostViewers = Math.max(mostViewers, there[index]);
      const until = second + 1 + Math.floor(-Math.log(1 - random()) * STAY_SECONDS);
      leaving[until]?.push(index);
      if (second < SETTLED_SECONDS) continue;
      sumKm += best.distanceKm + (best.correctionKm ?? 0);
      came++;
    }
  }
  return { mostViewers, meanKm: sumKm / came, refused };
}

/** One more viewer, somewhere. */
function questionOf(random: () => number, shareReported: number): Question {
  const group = random() < shareReported ? REPORTED : OTHERS;
  const [third, fourth] = [Math.floor(random() * 64), Math.floor(random() * 256)];
  const client = clientOf(`81.2.${group + third}.${fourth}`);
  const location = PLACES[Math.floor(random() * PLACES.length)] as Location;
  return { hostname: "live.example.net", client, path: "/x", location };
}

/**
 * No choice of edges has a lower mean: by duality, for whatever prices. Found with those that know the corrections.
 */
function leastKm(km: readonly number[], shareReported: number): number {
  const regions = PLACES.flatMap((place) =>
    [true, false].map((isReported) => ({
      viewers: (VIEWERS / PLACES.length) * (isReported ? shareReported : 1 - shareReported),
      km: EDGES.map(
        ({ location, index }) =>
          distanceKm(unitVector(location), unitVector(place)) + (isReported ? (km[index] as number) : 0),
      ),
    })),
  );
  const { priceKm } = solve({
    demand: Float64Array.from(regions, ({ viewers }) => viewers),
    capacity: new Float64Array(EDGES.length).fill(ROOM),
    distanceKm: Float32Array.from(regions.flatMap((region) => region.km)),
    order: Uint16Array.from(
      regions.flatMap((region) =>
        EDGES.map(({ index }) => index).sort((a, b) => (region.km[a] as number) - (region.km[b] as number)),
      ),
    ),
  });
  const paid = regions.reduce(
    (sum, region) =>
      sum + region.viewers * Math.min(...region.km.map((one, edge) => one + (priceKm[edge] as number))),
    0,
  );
  return (paid - ROOM * priceKm.reduce((sum, price) => sum + price, 0)) / VIEWERS;
}

describe("prices that do not know what players report", () => {
  it.each([
    { what: "nothing", km: [0, 0, 0], share: 0.5, ratio: 1.1 },
    { what: "one edge, by a quarter of the viewers", km: [500, 0, 0], share: 0.25, ratio: 1.1 },
    { what: "one edge, by half of them", km: [500, 0, 0], share: 0.5, ratio: 1.1 },
    { what: "one edge, by nearly all", km: [500, 0, 0], share: 0.9, ratio: 1.25 },
    { what: "another edge", km: [0, 500, 0], share: 0.5, ratio: 1.1 },
    { what: "two of three edges", km: [500, 500, 0], share: 0.5, ratio: 1.1 },
  ])("fill nobody beyond what chance does, near the least distance: $what", ({ km, share, ratio }) => {
    const { mostViewers, meanKm, refused } = live(km, share);
    expect(refused).toBe(0);
    // Who leaves between two reports is not known.
    expect(mostViewers).toBeLessThanOrEqual(ROOM + 3);
    expect(meanKm / leastKm(km, share)).toBeLessThan(ratio);
  });
});
