import { describe, expect, it } from "vitest";
import { CHOICE_WORDS, ChoiceTable, type PlaceChoice } from "../../src/selection/choice-table.ts";

function choice(edges: readonly number[], { condition = 1, answers = edges.length } = {}): PlaceChoice {
  const words = new Uint32Array(CHOICE_WORDS);
  new Uint16Array(words.buffer).set(edges);
  return { condition, words, count: edges.length, answers };
}

describe("numbers of choices", () => {
  it("are of the same edges in the same order, as many of them answered, in the same condition", () => {
    const table = new ChoiceTable();
    table.put(choice([3, 1, 2]), 7);
    expect(table.find(choice([3, 1, 2]))).toBe(7);
    expect(table.find(choice([3, 2, 1]))).toBe(-1);
    expect(table.find(choice([3, 1]))).toBe(-1);
    expect(table.find(choice([3, 1, 2, 0]))).toBe(-1);
    expect(table.find(choice([3, 1, 2], { answers: 2 }))).toBe(-1);
    expect(table.find(choice([3, 1, 2], { condition: 2 }))).toBe(-1);
    table.put(choice([3, 1, 2]), 8);
    expect(table.find(choice([3, 1, 2]))).toBe(8);
  });

  it("are right or unknown, however many there have been", () => {
    const table = new ChoiceTable();
    const numberOf = (i: number): number => table.find(choice([i & 0xff, i >> 8], { condition: i % 3 }));
    const wrong: (readonly [of: number, number: number])[] = [];
    let found = 0;
    for (let i = 0; i < 20_000; i++) {
      table.put(choice([i & 0xff, i >> 8], { condition: i % 3 }), i);
      if (numberOf(i) !== i) wrong.push([i, numberOf(i)]);
      const old = Math.max(0, i - 500);
      const number = numberOf(old);
      if (number === old) found++;
      else if (number >= 0) wrong.push([old, number]);
    }
    expect(wrong).toEqual([]);
    expect(found).toBeGreaterThan(10_000);
  });
});
