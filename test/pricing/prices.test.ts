import { beforeEach, expect, it } from "vitest";
import { createPrices, type EdgeOutlook, type Outlook, type Prices } from "../../src/pricing/prices.ts";
import type { Outcome } from "../../src/pricing/look-ahead.ts";
import type { Solver } from "../../src/pricing/solver.ts";
import { edgeAt } from "../selection/fixture.ts";

/** Finds what it is told to. */
let foundKm = [0];
let nowMs = 0;
let prices: Prices;

const solver: Solver = {
  take: () => undefined,
  solve(outcomes, _isSudden, follow) {
    asked = outcomes;
    follow(Float64Array.from(foundKm));
  },
  stop: async () => {},
};

/** Two seconds later it finds this price. */
let asked: readonly Outcome[] = [];

function find(km: number, { capacity = 100, isSudden = false } = {}): number {
  nowMs += 2000;
  foundKm = [km];
  const edges: EdgeOutlook[] = [{ capacity, margin: 0.004, viewers: 99 }];
  prices.solve({ regions: () => [], edges, unpriced: () => 0, departureRate: 1 / 3000 }, isSudden, nowMs);
  return prices.km[0] as number;
}

beforeEach(() => {
  prices = createPrices(solver, () => undefined);
  prices.take([edgeAt("ams1", 0, 52.37, 4.9)], [], [-1]);
  find(300, { isSudden: true });
});

it("does not swing with a city that two edges cost the same", () => {
  const seen = Array.from({ length: 200 }, (_, i) => find(i % 20 < 10 ? 0 : 300));
  expect(Math.min(...seen)).toBeGreaterThan(260);
  expect(Math.max(...seen)).toBeLessThanOrEqual(300);
});

it("rises by nine tenths within seven solutions", () => {
  for (let i = 0; i < 7; i++) find(1300);
  expect(prices.km[0]).toBeGreaterThan(1200);
});

it("falls by nine tenths within nine minutes", () => {
  for (let i = 0; i < 250; i++) find(0);
  expect(prices.km[0]).toBeLessThan(30);
});

it("falls at once where something has come or gone", () => {
  expect(find(40, { isSudden: true })).toBe(40);
});

it("follows what has come or gone with the answer that knows of it, not with one that was asked for before", () => {
  const answers: ((found: Float64Array) => void)[] = [];
  let followed = 0;
  const later = createPrices(
    { ...solver, solve: (_outcomes, _isSudden, follow) => void answers.push(follow) },
    () => followed++,
  );
  later.take([edgeAt("ams1", 0, 52.37, 4.9)], [], [-1]);
  const ask = (isSudden: boolean): void => {
    nowMs += 1000;
    const edges: EdgeOutlook[] = [{ capacity: 100, margin: 0.004, viewers: 99 }];
    later.solve({ regions: () => [], edges, unpriced: () => 0, departureRate: 1 / 3000 }, isSudden, nowMs);
  };
  ask(false);
  ask(true);
  answers[0]?.(Float64Array.of(100));
  expect([later.km[0], followed]).toEqual([30, 0]);
  answers[1]?.(Float64Array.of(1000));
  expect([later.km[0], followed]).toEqual([1000, 1]);
});

it.each([
  ["that takes nobody", 0],
  ["whose end nobody knows", Number.POSITIVE_INFINITY],
])("is 0 at once for an edge %s", (_, capacity) => {
  expect(find(300, { capacity })).toBe(0);
});

it("has no room for those who come whatever it costs, nor what services leave free", () => {
  const edges: EdgeOutlook[] = [{ capacity: 100, margin: 0.2, viewers: 50 }];
  const unpriced = (_edge: number, seconds: number) => seconds / 60;
  prices.solve({ regions: () => [], edges, unpriced, departureRate: 1e-9 }, false, nowMs + 1);
  expect(asked[0]?.at(-1)?.room[0]).toBeCloseTo(100 - 20 - 50 - 2, 3);
});

it.each([
  ["asks for two outcomes where a crowd may go on or end", 130, [100, 130]],
  ["asks for one where that would make no difference", 100.5, [100.5]],
])("%s", (_, lasting, viewers) => {
  const edges: EdgeOutlook[] = [{ capacity: 100, margin: 0, viewers: 50 }];
  const regions: Outlook["regions"] = (_seconds, growth) => [
    { pool: 0, latitude: 50, longitude: 8, viewers: growth === "lasts" ? lasting : 100 },
  ];
  prices.solve({ regions, edges, unpriced: () => 0, departureRate: 1 / 3000 }, false, nowMs + 1);
  expect(asked.map(([furthest]) => furthest?.regions[0]?.viewers)).toEqual(viewers);
});
