import { describe, expect, it } from "vitest";
import { createDemand, type Demand, type Growth } from "../../src/pricing/demand.ts";
import type { Arrivals } from "../../src/pricing/ledger.ts";

const NOBODY_WAITS = () => 0;
const RATE = 1 / 3000;
const ONE_EACH = { viewers: () => 1, keptShare: () => 1 };

/** So many redirects a second from one place. */
function come(demand: Demand, perSecond: number, seconds: number, edge = 0): void {
  const arrivals: Arrivals = [
    new Map([
      [{ layer: "none", latitude: 50, longitude: 8 }, new Map([[edge, { http: perSecond, dns: 0 }]])],
    ]),
  ];
  for (let s = 0; s < seconds; s++) {
    demand.pass(1, RATE);
    demand.add(arrivals, new Map(), ONE_EACH);
  }
}

/** If what grows goes on to grow. */
function expected(demand: Demand, seconds: number, growth: Growth = "lasts"): number {
  return demand.forecast(seconds, RATE, growth, NOBODY_WAITS).reduce((sum, { viewers }) => sum + viewers, 0);
}

describe("demand", () => {
  it("is of the pool that has taken another's place, together with what is there, or of none", () => {
    const demand = createDemand();
    come(demand, 2, 1800);
    const [before] = demand.forecast(100, RATE, "lasts", NOBODY_WAITS);
    demand.renumber((pool) => pool + 3);
    expect(demand.forecast(100, RATE, "lasts", NOBODY_WAITS)).toEqual([{ ...before, pool: 3 }]);
    const present = demand.presentAt(0);
    come(demand, 2, 1800);
    demand.renumber(() => 1);
    const [one, ...others] = demand.forecast(100, RATE, "lasts", NOBODY_WAITS);
    expect([one?.pool, others]).toEqual([1, []]);
    expect(one?.viewers).toBeGreaterThan(before?.viewers ?? 0);
    expect(demand.presentAt(0)).toBeGreaterThan(present);
    demand.renumber(() => undefined);
    expect([demand.forecast(100, RATE, "lasts", NOBODY_WAITS), demand.presentAt(0)]).toEqual([[], 0]);
  });

  it("is no region's where viewers are sent by another order, but takes room where they go", () => {
    const demand = createDemand((pool) => pool !== 0);
    const arrivals: Arrivals = [
      new Map([[{ layer: "none", latitude: 50, longitude: 8 }, new Map([[3, { http: 1, dns: 2 }]])]]),
    ];
    for (let s = 0; s < 3600; s++) {
      demand.pass(1, RATE);
      demand.add(arrivals, new Map(), ONE_EACH);
    }
    expect(demand.forecast(100, RATE, "lasts", NOBODY_WAITS)).toEqual([]);
    expect(demand.unpricedAt(3, 100, RATE) / 300).toBeCloseTo(0.97, 1);
    expect(demand.unpricedAt(4, 100, RATE)).toBe(0);
    demand.forget(3);
    expect(demand.unpricedAt(3, 100, RATE)).toBe(0);
  });

  it("is as much as came, from half an hour after a start on, and never more", () => {
    const demand = createDemand();
    const after = (seconds: number): number => {
      come(demand, 2, seconds);
      return expected(demand, 100) / 200;
    };
    expect(after(60)).toBeLessThan(0.7);
    expect(after(240)).toBeLessThan(1);
    expect(after(1500)).toBeGreaterThan(0.8);
    expect(after(1800)).toBeCloseTo(1, 1);
  });

  it("follows a crowd within a few minutes, and its end", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    come(demand, 6, 180);
    expect(expected(demand, 60)).toBeGreaterThan(0.8 * 6 * 60);
    come(demand, 6, 1200);
    come(demand, 2, 180);
    expect(expected(demand, 60)).toBeLessThan(1.3 * 2 * 60);
  });

  it("takes a crowd that has just come to last as long again, not for good", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    come(demand, 6, 60);
    const forGood = (6 * (1 - Math.exp(-3000 * RATE))) / RATE;
    expect(expected(demand, 3000)).toBeLessThan(0.6 * forGood);
  });

  it("takes one that has come for seconds to last a minute and a half", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    come(demand, 60, 5);
    const inHalfAMinute = expected(demand, 30);
    expect(expected(demand, 90)).toBeGreaterThan(2.8 * inHalfAMinute);
    expect(expected(demand, 180)).toBeLessThan(4 * inHalfAMinute);
  });

  it("takes no longer than that for a rush", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    come(demand, 60, 60);
    const foreseen = expected(demand, 90);
    expect(foreseen).toBeGreaterThan(0.7 * 60 * 90);
    expect(expected(demand, 180) - foreseen).toBeLessThan(0.2 * foreseen);
  });

  it("takes none of a crowd for usual while it grows", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    const before = expected(demand, 3000);
    come(demand, 60, 80);
    const crowd = expected(demand, 3000) - before;
    expect(crowd).toBeGreaterThan(0.7 * 58 * 90);
    expect(crowd).toBeLessThan(1.1 * 58 * 90);
    demand.renumber((pool) => pool + 1);
    expect(expected(demand, 3000) - before).toBeCloseTo(crowd, 6);
  });

  it("has as many as before a crowd, if that ends now", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    const before = expected(demand, 3000);
    come(demand, 60, 80);
    expect(expected(demand, 3000, "ends")).toBeCloseTo(before, -2);
  });

  it("takes nobody for a crowd that may end, until it knows what is usual", () => {
    const demand = createDemand();
    come(demand, 2, 600);
    expect(expected(demand, 3000, "ends")).toBe(expected(demand, 3000, "lasts"));
    demand.renumber((pool) => pool + 1);
    expect(expected(demand, 3000, "ends")).toBe(expected(demand, 3000, "lasts"));
    const successor = createDemand();
    successor.remember(0, demand.memory(1, String), Number);
    come(successor, 60, 80);
    expect(expected(successor, 3000, "ends")).toBeLessThan(0.5 * expected(successor, 3000, "lasts"));
  });

  it("takes one that has come for an hour for usual", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    come(demand, 6, 3600);
    const forGood = (6 * (1 - Math.exp(-3000 * RATE))) / RATE;
    expect(expected(demand, 3000)).toBeGreaterThan(0.9 * forGood);
    expect(expected(demand, 3000)).toBeLessThan(1.01 * forGood);
  });

  it("awaits nobody who came back before it was known that his edge is lost, nor takes him for a growth", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    const before = expected(demand, 600);
    // Four seconds, in which many of the thousand ask again.
    come(demand, 52, 4, 1);
    expect(expected(demand, 600)).toBeGreaterThan(1.2 * before);
    const awaited = demand.lose(0, 1000).reduce((sum, { http }) => sum + http, 0);
    expect(awaited).toBeGreaterThan(790);
    expect(awaited).toBeLessThan(830);
    expect(expected(demand, 600) / before).toBeCloseTo(1, 1);
    expect(demand.presentAt(1)).toBeCloseTo(208, -1);
  });

  it("awaits all who are lost where no more came than usual", () => {
    const demand = createDemand();
    come(demand, 2, 3600);
    const [lost] = demand.lose(0, 1000);
    expect(lost?.http).toBeCloseTo(1000, -1);
  });
});
