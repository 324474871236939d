/** A start without a predecessor finds edges nearly full, of which nobody knows yet who wants them. */
import { expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import { createPricing } from "../../src/pricing/pricing.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { plainInventory } from "../inventory.ts";
import { clientOf, edgeAt, serviceOf } from "../selection/fixture.ts";
import { factsOfReports } from "../pricing/facts.ts";
import { sharesFrom } from "../random.ts";

const ROOM = 500;
const capped = (edge: Edge): Edge => ({ ...edge, capacity: { viewers: ROOM } });
const EDGES = [
  edgeAt("ams1", 0, 52.37, 4.9),
  edgeAt("fra1", 1, 50.11, 8.68),
  edgeAt("lon1", 2, 51.51, -0.13),
];
const INVENTORY = plainInventory({ edges: EDGES.map(capped), services: [serviceOf(EDGES)] });
/** Two thirds of all viewers are nearest to Amsterdam, which has room for a third of them. */
const PLACES = [
  [52.09, 5.12],
  [51.92, 4.48],
  [52.37, 4.9],
  [51.44, 5.47],
  [50.11, 8.68],
  [51.51, -0.13],
].map(([latitude = 0, longitude = 0]) => ({ layer: "city", latitude, longitude }) as const);
const STAY_SECONDS = 600;
const REPORT_SECONDS = 5;

/**
 * The first quarter of an hour, with as many viewers as at the start.
 * @returns by second: viewers of each edge, and Amsterdam's price
 */
function live(started: readonly number[]) {
  const random = sharesFrom(7);
  const pricing = createPricing({ rampUpMs: 60_000 });
  pricing.take(INVENTORY.edges, INVENTORY.services);
  pricing.begin();
  const redirector = createRedirector(() => ({ location: { layer: "none" }, prefixLength: 24 }));
  const total = started.reduce((sum, viewers) => sum + viewers, 0);
  const [there, reported] = [started.slice(), Float64Array.from(started)];
  const reportedAtMs = new Float64Array(EDGES.length);
  const course: { readonly there: readonly number[]; readonly priceKm: number }[] = [];
  for (let second = 0; second < 900; second++) {
    const nowMs = second * 1000;
    for (const edge of EDGES.keys()) {
      for (let i = there[edge] as number; i > 0; i--)
        if (random() < 1 / STAY_SECONDS) there[edge] = (there[edge] as number) - 1;
      if (second % REPORT_SECONDS !== edge) continue;
      reported[edge] = there[edge] as number;
      reportedAtMs[edge] = nowMs;
    }
    pricing.tick(redirector.takeArrivals(), nowMs);
    const world = pricing.world(factsOfReports(reported, reportedAtMs, ROOM), nowMs);
    redirector.take(INVENTORY, world);
    for (let due = total / STAY_SECONDS; random() < due; due--) {
      const client = clientOf(`81.2.${Math.floor(random() * 256)}.${Math.floor(random() * 256)}`);
      const location = PLACES[Math.floor(random() * PLACES.length)] as (typeof PLACES)[number];
      const decision = redirector.decide(
        { hostname: "live.example.net", client, path: "/x", location },
        "http",
      );
      expect(decision?.outcome.kind).toBe("edges");
      const index = decision?.edges[0]?.edge.index as number;
      there[index] = (there[index] as number) + 1;
    }
    course.push({ there: there.slice(), priceKm: world.priceKm[0] as number });
  }
  return course;
}

it.each([
  [475, 470, 465],
  [495, 480, 480],
])(
  "with %d, %d and %d of 500: nobody goes beyond capacity, and prices come within a minute",
  (...started) => {
    const course = live(started);
    expect(Math.max(...course.flatMap(({ there }) => there))).toBeLessThanOrEqual(ROOM);
    expect(course[60]?.priceKm).toBeGreaterThan(100);
  },
);
