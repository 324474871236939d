import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Rank } from "../../src/model/service.ts";
import { poolsInSteps, poolsOf } from "../../src/pricing/pools.ts";

const ANYWHERE = Number.POSITIVE_INFINITY;
const pool = (edges: number[], maxDistanceKm: number, ttlSeconds: number) => ({
  edges,
  maxDistanceKm,
  ttlSeconds,
  isPriced: true,
});
const served = ({ edges, maxDistanceKm, ttlSeconds }: ReturnType<typeof pool>, rank: Rank = "nearest") => ({
  edges,
  maxDistanceKm,
  rank,
  dns: { ttlSeconds },
});
const near = (...edges: number[]) => pool(edges, 500, 20);
const far = (...edges: number[]) => pool(edges, ANYWHERE, 20);

describe("pools", () => {
  it("are services with the same edges in any order, sent equally far and for as long", () => {
    const long = pool([0, 1, 2], ANYWHERE, 300);
    const services = [far(0, 2, 1), far(1, 0, 2), near(0, 1, 2), far(0, 1), far(2, 1, 0), far(), long];
    expect(poolsOf(services.map((service) => served(service)))).toEqual({
      pools: [far(0, 2, 1), near(0, 1, 2), far(0, 1), far(), long],
      ofService: [0, 0, 1, 2, 0, 3, 4],
    });
  });

  it("are others where viewers do not go by prices", () => {
    const services = [served(far(0, 1)), served(far(0, 1), "weighted"), served(far(1, 0), "failover")];
    const { pools, ofService } = poolsOf(services);
    expect(pools.map(({ isPriced }) => isPriced)).toEqual([true, false]);
    expect(ofService).toEqual([0, 1, 1]);
  });

  it("are those that sorting the edges would find", () => {
    const services = fc.array(
      fc.record({
        edges: fc.uniqueArray(fc.nat(6), { maxLength: 5 }),
        maxDistanceKm: fc.constantFrom(500, ANYWHERE),
        rank: fc.constantFrom<Rank>("nearest", "weighted"),
        dns: fc.record({ ttlSeconds: fc.constantFrom(5, 20) }),
      }),
    );
    fc.assert(
      fc.property(services, (services) => {
        const { pools, ofService } = poolsOf(services);
        const keyOf = ({ edges, maxDistanceKm, dns, rank }: (typeof services)[number]): string =>
          `${rank} ${maxDistanceKm} ${dns.ttlSeconds} ${edges.toSorted((a, b) => a - b).join(" ")}`;
        const keys = [...new Set(services.map(keyOf))];
        expect(ofService).toEqual(services.map((service) => keys.indexOf(keyOf(service))));
        expect(pools.length).toBe(keys.length);
      }),
    );
  });

  it("are found in steps, however many services there are", () => {
    const edges = Array.from({ length: 500 }, (_, i) => i);
    const services = Array.from({ length: 1000 }, () => served(far(...edges)));
    const steps = poolsInSteps(services);
    let count = 1;
    while (steps.next().done !== true) count++;
    expect(count).toBeGreaterThan(20);
  });
});
