import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { verdictOn } from "../../src/experience/verdict.ts";

const RULES = { networks: 5, maxKm: 1000 };
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const on = (...edges: (readonly number[])[]): number[] => {
  const verdict = verdictOn(new Map(edges.map((told, i) => [`edge${i}`, sorted(told)])), RULES);
  return edges.map((_, i) => verdict.get(`edge${i}`) ?? Number.NaN);
};
const all = (count: number, value: number): number[] => Array<number>(count).fill(value);

describe("the verdict on edges", () => {
  it("is as much further as the medians differ, up to the most", () => {
    expect(on(all(10, 1e6), all(10, 4e6))).toEqual([1000, 0]);
    expect(on(all(10, 2e6), all(10, 4e6), all(10, 3e6))).toEqual([500, 0, expect.closeTo(207.5, 0)]);
    expect(on(all(10, 1e6), all(10, 1e9))).toEqual([1000, 0]);
  });

  it("is that they are alike, where they overlap or hardly differ", () => {
    expect(on(all(10, 4.0e6), all(10, 4.3e6))).toEqual([0, 0]);
    expect(
      on(
        [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((x) => x * 1e6),
        [4, 5, 6, 7, 8, 9, 10, 11, 12, 13].map((x) => x * 1e6),
      ),
    ).toEqual([0, 0]);
  });

  it("is none without enough networks at two edges", () => {
    expect(on(all(4, 1e6), all(50, 9e6))).toEqual([Number.NaN, Number.NaN]);
    expect(on(all(50, 1e6))).toEqual([Number.NaN]);
    expect(on(all(5, 1e6), all(5, 9e6), all(4, 1))).toEqual([1000, 0, Number.NaN]);
  });

  const upperQuartile = (told: readonly number[]): number =>
    sorted(told)[Math.ceil(0.75 * (told.length - 1))] as number;
  const lowerQuartile = (told: readonly number[]): number =>
    sorted(told)[Math.floor(0.25 * (told.length - 1))] as number;

  it("is not moved by a fifth that lies, whatever it says at whichever edge, be the edges ever so nearly different", () => {
    const throughput = fc.integer({ min: 10_000, max: 1_000_000_000 });
    const honest = fc.array(throughput, { minLength: 8, maxLength: 60 });
    const lie = fc.oneof(throughput, fc.constantFrom(1, 1e12));
    const lies = fc.oneof(
      fc.array(lie, { minLength: 15, maxLength: 15 }),
      fc.constantFrom(all(15, 1), all(15, 1e12)),
    );
    fc.assert(
      fc.property(honest, honest, lies, lies, (a, b, liesAtA, liesAtB) => {
        const withFifth = (told: number[], lies: number[]): number[] => [
          ...told,
          ...lies.slice(0, Math.floor(told.length / 4)),
        ];
        // By what the honest ones say, the quartiles just meet.
        const better = b.map((value) => (value * upperQuartile(a)) / lowerQuartile(b));
        expect(on(withFifth(a, liesAtA), withFifth(better, liesAtB))[0]).toBe(0);
      }),
      { numRuns: 5000 },
    );
  });
});
