import { describe, expect, it } from "vitest";
import type { Location } from "../../src/model/location.ts";
import type { Arrivals, Arrived } from "../../src/pricing/ledger.ts";
import { createReturns } from "../../src/pricing/returns.ts";
import { askersKey, squareKey } from "../../src/pricing/squares.ts";

const PARIS: Location = { layer: "none", latitude: 48.9, longitude: 2.4 };
const LYON: Location = { layer: "none", latitude: 45.8, longitude: 4.8 };
const NONE: Arrivals = [];
const PARIS_SQUARE = squareKey(0, 48.9, 2.4);
const IN_PARIS = askersKey(PARIS_SQUARE, false);
const PARIS_SUBNETS = askersKey(PARIS_SQUARE, true);
const LYON_SQUARE = squareKey(0, 45.8, 4.8);

/** As several threads tell: the same place may be there twice. */
const arrivalsOf = (...places: [Location, Arrived][]): Arrivals => [
  new Map(places.map(([place, arrived], edge) => [{ ...place }, new Map([[edge, arrived]])])),
];

describe("viewers of a lost edge", () => {
  it("come back one by one with redirects, and together with the answer to their resolver", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 30, dns: 40, heldUntilMs: [10, 20] }], 0);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(70);
    expect([...returns.next(30)]).toEqual([[IN_PARIS, 20]]);

    const first = returns.take(arrivalsOf([PARIS, { http: 10, dns: 1 }]), 30);
    expect(first.get(IN_PARIS)).toEqual({ httpShare: 1, perAnswer: 20 });
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(40);

    // Nobody is left whom a third answer could bring.
    const second = returns.take(arrivalsOf([PARIS, { http: 30, dns: 1 }], [PARIS, { http: 10, dns: 1 }]), 40);
    expect(second.get(IN_PARIS)).toEqual({ httpShare: 0.5, perAnswer: 10 });
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(0);
  });

  it("do not come while their resolver holds on to the lost edge", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 0, dns: 40, heldUntilMs: [20_000, 5000] }], 0);
    expect(returns.next(4000).size).toBe(0);
    expect(returns.take(arrivalsOf([PARIS, { http: 0, dns: 3 }]), 4000).get(IN_PARIS)?.perAnswer).toBe(0);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(40);
    expect(returns.next(6000).get(IN_PARIS)).toBe(20);
    expect(returns.take(arrivalsOf([PARIS, { http: 0, dns: 1 }]), 6000).get(IN_PARIS)?.perAnswer).toBe(20);
    expect(returns.next(7000).size).toBe(0);
    expect(returns.next(20_000).get(IN_PARIS)).toBe(20);
  });

  it("come with the first answer where nobody knows who asked for them", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 0, dns: 40, heldUntilMs: [] }], 0);
    expect(returns.next(1).get(IN_PARIS)).toBe(40);
  });

  it("are waited for where they were lost, and not for ever", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 30, dns: 30, heldUntilMs: [0] }], 0);
    expect(returns.take(arrivalsOf([LYON, { http: 5, dns: 5 }]), 1000).size).toBe(0);
    expect(returns.waitingAt(LYON_SQUARE)).toBe(0);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(60);
    returns.take(NONE, 30_000);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(30);
    returns.take(NONE, 61_000);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(0);
    expect(returns.next(61_000).size).toBe(0);
  });

  it("of two edges wait together", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 1, dns: 10, heldUntilMs: [3000] }], 0);
    returns.lose([{ askers: IN_PARIS, http: 2, dns: 20, heldUntilMs: [2000, 1000] }], 500);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(33);
    expect(returns.next(1500).get(IN_PARIS)).toBe(10);
  });

  it("are bound for another edge as far as those who ask for them hold answers for it", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 30, dns: 40, heldUntilMs: [10, 20] }], 0);
    const held = new Map([
      [5, new Map([[IN_PARIS, 1]])],
      [6, new Map([[IN_PARIS, 1]])],
      [7, new Map([[askersKey(LYON_SQUARE, false), 3]])],
    ]);
    expect(returns.bind(held)).toEqual([
      { askers: IN_PARIS, edge: 5, viewers: 10 },
      { askers: IN_PARIS, edge: 6, viewers: 10 },
    ]);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(50);
    expect(returns.next(30).get(IN_PARIS)).toBe(10);
  });

  it("are bound as a whole where nobody holds on to the lost edge", () => {
    const returns = createReturns();
    returns.lose([{ askers: IN_PARIS, http: 0, dns: 40, heldUntilMs: [] }], 0);
    expect(returns.bind(new Map([[5, new Map([[IN_PARIS, 4]])]]))).toEqual([
      { askers: IN_PARIS, edge: 5, viewers: 40 },
    ]);
    expect(returns.next(1).size).toBe(0);
  });

  it("wait for a resolver apart from those whose askers name their subnet", () => {
    const returns = createReturns();
    const lost = [
      { askers: IN_PARIS, http: 10, dns: 200, heldUntilMs: [0] },
      { askers: PARIS_SUBNETS, http: 0, dns: 12, heldUntilMs: [0, 0, 0] },
    ];
    returns.lose(lost, 0);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(222);
    expect([...returns.next(1)]).toEqual([
      [IN_PARIS, 200],
      [PARIS_SUBNETS, 4],
    ]);
    const back = returns.take(arrivalsOf([PARIS, { http: 0, dns: 2, subnets: 2 }]), 1);
    expect(back.get(PARIS_SUBNETS)).toEqual({ httpShare: 0, perAnswer: 4 });
    expect(back.get(IN_PARIS)?.perAnswer).toBe(0);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(214);
  });

  it("wait in their own pool where another stands before it, and together where two become one", () => {
    const returns = createReturns();
    const inOther = askersKey(squareKey(1, 48.9, 2.4), false);
    returns.lose([{ askers: IN_PARIS, http: 10, dns: 200, heldUntilMs: [0] }], 0);
    returns.renumber((pool) => pool + 1);
    expect([...returns.next(1)]).toEqual([[inOther, 200]]);
    returns.lose([{ askers: IN_PARIS, http: 0, dns: 20, heldUntilMs: [0] }], 0);
    returns.renumber(() => 0);
    expect([...returns.next(1)]).toEqual([[IN_PARIS, 110]]);
    expect(returns.waitingAt(PARIS_SQUARE)).toBe(230);
    returns.renumber(() => undefined);
    expect(returns.areAwaited()).toBe(false);
  });
});
