import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { solve, type Transport } from "../../src/pricing/solve.ts";

/** The auction's promise, per viewer. */
const EPSILON_KM = 15;

function transportOf(demand: number[], capacity: number[], distance: number[][]): Transport {
  const width = capacity.length;
  const order = new Uint16Array(demand.length * width);
  distance.forEach((row, region) => {
    const edges = row.map((_, edge) => edge).sort((a, b) => (row[a] as number) - (row[b] as number));
    order.set(edges, region * width);
  });
  return {
    demand: Float64Array.from(demand),
    capacity: Float64Array.from(capacity),
    distanceKm: Float32Array.from(distance.flat()),
    order,
  };
}

const km = fc.integer({ min: 0, max: 9000 });
const scenes = fc
  .tuple(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 6 }))
  .chain(([regions, edges]) =>
    fc.record({
      demand: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: regions, maxLength: regions }),
      capacity: fc.array(fc.integer({ min: 0, max: 300 }), { minLength: edges, maxLength: edges }),
      distance: fc.array(fc.array(km, { minLength: edges, maxLength: edges }), {
        minLength: regions,
        maxLength: regions,
      }),
    }),
  );

describe("solve", () => {
  it("leaves the nearest free of charge while there is room", () => {
    const { priceKm, load } = solve(
      transportOf(
        [10, 10],
        [100, 100],
        [
          [1, 900],
          [900, 1],
        ],
      ),
    );
    expect([...priceKm]).toEqual([0, 0]);
    expect([...load]).toEqual([10, 10]);
  });

  it("makes an edge that cannot hold those who have no other no dearer than keeps away those who have", () => {
    const far = Number.POSITIVE_INFINITY;
    const { priceKm } = solve(
      transportOf(
        [400, 30, 30],
        [100, 100, 100],
        [
          [10, far, far],
          [20, 900, 5000],
          [40, 100, 700],
        ],
      ),
    );
    expect(priceKm[0]).toBeGreaterThan(880);
    expect(priceKm[0]).toBeLessThan(880 + 2 * EPSILON_KM);
    expect([...priceKm].slice(1)).toEqual([0, 0]);
  });

  it("does so with two of which each may take who has no third, and with nobody else about", () => {
    const far = Number.POSITIVE_INFINITY;
    const rows = [
      [10, 60, far],
      [70, 20, far],
    ];
    const both = solve(transportOf([400, 200, 10], [100, 100, 100], [...rows, [30, 40, 800]])).priceKm;
    expect(Math.min(both[0] as number, both[1] as number)).toBeGreaterThan(750);
    expect(Math.max(both[0] as number, both[1] as number)).toBeLessThan(900);
    const alone = solve(transportOf([400], [100, 100], [[10, far]])).priceKm;
    expect([...alone]).toEqual([0, 0]);
  });

  it("places nobody where there is hardly any room, and does not stumble over it", () => {
    const { priceKm, load } = solve(transportOf([100], [1e-9, 200], [[10, 500]]));
    expect(load[0]).toBeLessThan(1e-3);
    expect(load[1]).toBeCloseTo(100, 3);
    expect(priceKm[0]).toBeGreaterThan(400);
  });

  it("moves whoever loses least by it", () => {
    // Both regions are nearest to edge 0, which has room for one; the second has another edge close by.
    const { priceKm, load } = solve(
      transportOf(
        [10, 10],
        [10, 100],
        [
          [0, 5000],
          [0, 300],
        ],
      ),
    );
    expect([...load]).toEqual([10, 10]);
    expect(priceKm[0]).toBeGreaterThanOrEqual(300);
    expect(priceKm[1]).toBe(0);
  });

  it("fills nobody beyond capacity, prices only the full, and is near the optimum by its own dual", () => {
    fc.assert(
      fc.property(scenes, ({ demand, capacity, distance }) => {
        const wanted = demand.reduce((sum, d) => sum + d, 0);
        const room = capacity.reduce((sum, c) => sum + c, 0);
        const { priceKm, load } = solve(transportOf(demand, capacity, distance));
        for (const [edge, carried] of load.entries()) {
          expect(carried).toBeLessThanOrEqual((capacity[edge] as number) + 1e-3);
          if ((priceKm[edge] as number) > 0)
            expect(carried).toBeGreaterThan((capacity[edge] as number) * 0.99 - 1);
        }
        if (wanted > room * 0.99) return;
        const placed = load.reduce((sum, carried) => sum + carried, 0);
        expect(placed).toBeCloseTo(wanted, 2);
        // Weak duality: no placement can cost less than this.
        const paid = demand.reduce((sum, d, region) => {
          const costs = (distance[region] as number[]).flatMap((away, edge) =>
            capacity[edge] === 0 ? [] : [away + (priceKm[edge] as number)],
          );
          // Where no edge has room, there is nobody to place.
          return d === 0 ? sum : sum + d * Math.min(...costs);
        }, 0);
        const bound = paid - capacity.reduce((sum, c, edge) => sum + c * (priceKm[edge] as number), 0);
        expect(bound).toBeLessThanOrEqual(bestOf(demand, capacity, distance) + 1e-6);
        expect(bound).toBeGreaterThanOrEqual(
          bestOf(demand, capacity, distance) - (EPSILON_KM + 1) * wanted - 1,
        );
      }),
      { numRuns: 200, examples: [[{ demand: [0], capacity: [0], distance: [[0]] }]] },
    );
  });

  it("has an answer where there is no room, none at all, and nobody to place", () => {
    expect([...solve(transportOf([100], [10], [[5]])).load][0]).toBeCloseTo(9.95, 1);
    expect([...solve(transportOf([100], [0], [[5]])).load]).toEqual([0]);
    expect([...solve(transportOf([], [10], [])).priceKm]).toEqual([0]);
    expect([...solve(transportOf([100], [Infinity], [[5]])).load]).toEqual([100]);
  });
});

/** The least total distance, by successive shortest paths on whole viewers. */
function bestOf(demand: number[], capacity: number[], distance: number[][]): number {
  const left = [...capacity];
  const flow = demand.map(() => capacity.map(() => 0));
  let total = 0;
  for (let region = 0; region < demand.length; region++) {
    let toPlace = demand[region] as number;
    while (toPlace > 0) {
      const path = cheapestPath(region, left, flow, distance);
      const amount = Math.min(toPlace, ...path.limits);
      for (const { from, edge, back } of path.steps) {
        (flow[from] as number[])[edge] = ((flow[from] as number[])[edge] as number) + amount;
        if (back !== undefined)
          (flow[from] as number[])[back] = ((flow[from] as number[])[back] as number) - amount;
      }
      left[path.end] = (left[path.end] as number) - amount;
      total += amount * path.cost;
      toPlace -= amount;
    }
  }
  return total;
}

interface Path {
  readonly cost: number;
  readonly end: number;
  readonly limits: number[];
  readonly steps: { from: number; edge: number; back: number | undefined }[];
}

/** Bellman-Ford from a region over edges: an edge may push one of its viewers on to another edge. */
function cheapestPath(region: number, left: number[], flow: number[][], distance: number[][]): Path {
  const width = left.length;
  const cost = (distance[region] as number[]).slice();
  const via = Array.from<undefined | { edge: number; who: number }>({ length: width });
  for (let round = 0; round < width; round++)
    for (let edge = 0; edge < width; edge++)
      for (let who = 0; who < flow.length; who++) {
        if ((flow[who] as number[])[edge] === 0) continue;
        for (let other = 0; other < width; other++) {
          const row = distance[who] as number[];
          const moved = (cost[edge] as number) + (row[other] as number) - (row[edge] as number);
          if (moved < (cost[other] as number) - 1e-9) {
            cost[other] = moved;
            via[other] = { edge, who };
          }
        }
      }
  const open = [...left.keys()].filter((edge) => (left[edge] as number) > 0);
  const end = open.reduce((a, b) => ((cost[a] as number) <= (cost[b] as number) ? a : b));
  const steps: Path["steps"] = [];
  const limits = [left[end] as number];
  let edge = end;
  for (let hop = via[edge]; hop !== undefined; hop = via[edge]) {
    steps.push({ from: hop.who, edge, back: hop.edge });
    limits.push((flow[hop.who] as number[])[hop.edge] as number);
    edge = hop.edge;
  }
  steps.push({ from: region, edge, back: undefined });
  return { cost: cost[end] as number, end, limits, steps };
}
