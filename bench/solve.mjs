// npm run bench -- solve
import { solve } from "../dist/pricing/solve.js";
import { distanceKm } from "../dist/base/sphere.js";
import { publish } from "./lib/publish.mjs";
import { randomOf } from "./selection/random.mjs";
import { CITIES } from "./selection/cities.mjs";

const REGIONS = 2000;
const EDGES = 500;
const VIEWERS = 50_000;
/** Capacity over demand. */
const ROOMS = [1.35, 1.1, 1.05, 1.02];
const LATER_SOLVES = 8;
/** By how much demand differs from one solve to the next, up or down, in each region. */
const CHANGE = 0.02;
/** As far as a price may fall from one solve to the next in `src/pricing/look-ahead.ts`. */
const FALL_KM = 45;

publish({
  bench: "solve",
  question: "How long does a solution of the prices take?",
  tables: [
    {
      title: `${EDGES} edges, ${REGIONS.toLocaleString("en-US")} regions; from no prices, and from those of a moment ago with other demand`,
      columns: ["capacity / demand", "ms of CPU from none", "ms of CPU from the last, at most"],
      rows: ROOMS.map((room) => row(room)),
    },
  ],
});

/** @param {number} room */
function row(room) {
  const random = randomOf(1, "solve");
  const transport = transportOf(room, random);
  const first = timed(() => solve(transport));
  let { priceKm } = first.solution;
  let longest = 0;
  for (let i = 0; i < LATER_SOLVES; i++) {
    transport.demand.forEach((viewers, region) => {
      transport.demand[region] = viewers * (1 + CHANGE * (2 * random() - 1));
    });
    const start = priceKm.map((price) => Math.max(0, price - FALL_KM));
    const next = timed(() => solve(transport, start));
    priceKm = next.solution.priceKm;
    longest = Math.max(longest, next.ms);
  }
  return [String(room), first.ms, longest];
}

/** @param {() => ReturnType<typeof solve>} work */
function timed(work) {
  const before = process.cpuUsage();
  const solution = work();
  const { user, system } = process.cpuUsage(before);
  return { solution, ms: (user + system) / 1000 };
}

/**
 * Edges of very different size in large cities, regions that are the world's cities.
 * @param {number} room
 * @param {() => number} random
 */
function transportOf(room, random) {
  const cities = CITIES.slice(0, REGIONS);
  const people = cities.reduce((sum, { share }) => sum + share, 0);
  const edges = Array.from({ length: EDGES }, () => ({
    place: CITIES[Math.floor(random() * 800)].vector,
    size: 0.5 + 3 * random(),
  }));
  const sizes = edges.reduce((sum, { size }) => sum + size, 0);
  const distances = new Float32Array(REGIONS * EDGES);
  const order = new Uint16Array(REGIONS * EDGES);
  cities.forEach(({ vector }, region) => {
    const row = Float32Array.from(edges, ({ place }) => distanceKm(vector, place));
    distances.set(row, region * EDGES);
    order.set(
      Uint16Array.from(row.keys()).sort((a, b) => row[a] - row[b]),
      region * EDGES,
    );
  });
  return {
    demand: Float64Array.from(cities, ({ share }) => (share / people) * VIEWERS),
    capacity: Float64Array.from(edges, ({ size }) => (size / sizes) * VIEWERS * room),
    distanceKm: distances,
    order,
  };
}
