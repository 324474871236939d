import { describe, expect, it } from "vitest";
import type { Location } from "../../src/model/location.ts";
import type { Arrivals, Arrived } from "../../src/pricing/ledger.ts";
import { createReturns } from "../../src/pricing/returns.ts";
import { squareKey } from "../../src/pricing/squares.ts";

const PARIS: Location = { layer: "none", latitude: 48.9, longitude: 2.4 };
const LYON: Location = { layer: "none", latitude: 45.8, longitude: 4.8 };
const IN_PARIS = squareKey(0, 48.9, 2.4);
const IN_LYON = squareKey(0, 45.8, 4.8);

/** As several threads tell: the same place may be there twice. */
const arrivalsOf = (...places: [Location, Arrived][]): Arrivals => [
  new Map(places.map(([place, arrived], edge) => [{ ...place }, new Map([[edge, arrived]])])),
];

describe("viewers of a lost edge", () => {
  it("come back one by one with redirects, and together with the answer to their resolver", () => {
    const returns = createReturns();
    returns.lose([{ square: IN_PARIS, http: 30, dns: 40, askers: 2 }]);
    expect(returns.waitingAt(IN_PARIS)).toBe(70);
    expect(returns.next()).toEqual({ mean: 20, greatest: 20 });

    const first = returns.take(arrivalsOf([PARIS, { http: 10, dns: 1 }]), 0);
    expect(first.get(IN_PARIS)).toEqual({ httpShare: 1, perAnswer: 20 });
    expect(returns.waitingAt(IN_PARIS)).toBe(40);

    // Nobody is left whom a third answer could bring.
    const second = returns.take(arrivalsOf([PARIS, { http: 30, dns: 1 }], [PARIS, { http: 10, dns: 1 }]), 0);
    expect(second.get(IN_PARIS)).toEqual({ httpShare: 0.5, perAnswer: 10 });
    expect(returns.waitingAt(IN_PARIS)).toBe(0);
  });

  it("are waited for where they were lost, and not for ever", () => {
    const returns = createReturns();
    returns.lose([{ square: IN_PARIS, http: 30, dns: 30, askers: 1 }]);
    expect(returns.take(arrivalsOf([LYON, { http: 5, dns: 5 }]), 1).size).toBe(0);
    expect(returns.waitingAt(IN_LYON)).toBe(0);
    expect(returns.waitingAt(IN_PARIS)).toBeGreaterThan(55);
    for (let s = 0; s < 600; s++) returns.take([], 1);
    expect(returns.waitingAt(IN_PARIS)).toBe(0);
    expect(returns.next()).toEqual({ mean: 0, greatest: 0 });
  });

  it("of two edges wait together", () => {
    const returns = createReturns();
    returns.lose([{ square: IN_PARIS, http: 1, dns: 10, askers: 1 }]);
    returns.lose([{ square: IN_PARIS, http: 2, dns: 20, askers: 2 }]);
    expect(returns.waitingAt(IN_PARIS)).toBe(33);
    expect(returns.next().mean).toBe(10);
  });
});
