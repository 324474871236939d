import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { added, addedRun, copyRun, isSameRun } from "../../src/dns/words.ts";

const LENGTH = 40;
const words = fc
  .array(fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), { minLength: LENGTH, maxLength: LENGTH })
  .map((values) => Int32Array.from(values));
/** Where a run starts, and ends. */
const run = fc.tuple(fc.nat(20), fc.nat(20)).map(([start, count]) => [start, start + count] as const);
const offset = fc.integer({ min: -20, max: 20 });

describe("runs of words", () => {
  it("are added like one word after the other", () => {
    fc.assert(
      fc.property(words, run, fc.integer(), (own, [start, end], sum) => {
        let one = sum | 0;
        for (let i = start; i < end; i++) one = added(one, i, own[i] ?? 0);
        expect(addedRun(sum | 0, own, start, end)).toBe(one);
      }),
    );
  });

  it("are copied, and nothing beside them is touched", () => {
    fc.assert(
      fc.property(words, words, run, offset, (own, others, [start, end], by) => {
        fc.pre(start + by >= 0 && end + by <= LENGTH);
        const expected = own.map((word, i) => (i < start || i >= end ? word : (others[i + by] ?? 0)));
        copyRun(own, start, end, others, by);
        expect(own).toEqual(expected);
      }),
    );
  });

  it("are the same if each word of them is, whatever is beside them", () => {
    fc.assert(
      fc.property(words, words, run, offset, fc.nat(LENGTH - 1), (own, others, [start, end], by, at) => {
        fc.pre(start + by >= 0 && end + by <= LENGTH);
        copyRun(own, start, end, others, by);
        expect(isSameRun(own, start, end, others, by)).toBe(true);
        own[at] = (own[at] ?? 0) ^ 1;
        expect(isSameRun(own, start, end, others, by)).toBe(at < start || at >= end);
      }),
    );
  });
});
