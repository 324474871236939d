import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { poolsInSteps, poolsOf } from "../../src/pricing/pools.ts";

const ANYWHERE = Number.POSITIVE_INFINITY;
const near = (...edges: number[]) => ({ edges, maxDistanceKm: 500 });
const far = (...edges: number[]) => ({ edges, maxDistanceKm: ANYWHERE });

describe("pools", () => {
  it("are services with the same edges in any order, sent equally far", () => {
    const services = [far(0, 2, 1), far(1, 0, 2), near(0, 1, 2), far(0, 1), far(2, 1, 0), far()];
    expect(poolsOf(services)).toEqual({
      pools: [far(0, 2, 1), near(0, 1, 2), far(0, 1), far()],
      ofService: [0, 0, 1, 2, 0, 3],
    });
  });

  it("are those that sorting the edges would find", () => {
    const services = fc.array(
      fc.record({
        edges: fc.uniqueArray(fc.nat(6), { maxLength: 5 }),
        maxDistanceKm: fc.constantFrom(500, ANYWHERE),
      }),
    );
    fc.assert(
      fc.property(services, (services) => {
        const { pools, ofService } = poolsOf(services);
        const keyOf = ({ edges, maxDistanceKm }: (typeof services)[number]): string =>
          `${maxDistanceKm} ${edges.toSorted((a, b) => a - b).join(" ")}`;
        const keys = [...new Set(services.map(keyOf))];
        expect(ofService).toEqual(services.map((service) => keys.indexOf(keyOf(service))));
        expect(pools.length).toBe(keys.length);
      }),
    );
  });

  it("are found in steps, however many services there are", () => {
    const edges = Array.from({ length: 500 }, (_, i) => i);
    const services = Array.from({ length: 1000 }, () => ({ edges, maxDistanceKm: ANYWHERE }));
    const steps = poolsInSteps(services);
    let count = 1;
    while (steps.next().done !== true) count++;
    expect(count).toBeGreaterThan(20);
  });
});
