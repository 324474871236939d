import { expect, it } from "vitest";
import { finished, inPortions } from "../../src/base/steps.ts";

it.each([
  [0, 0],
  [9, 0],
  [10, 1],
  [25, 2],
])("%d things, ten in a step, are seen in their order, with %d pauses", (count, pauses) => {
  const all = Array.from({ length: count }, (_, i) => i);
  const seen: number[] = [];
  const steps = inPortions(all, 10, (one) => seen.push(one));
  let paused = 0;
  while (steps.next().done !== true) {
    paused++;
    expect(seen).toHaveLength(10 * paused);
  }
  expect(paused).toBe(pauses);
  expect(seen).toEqual(all);
});

it("what is left is done at once", () => {
  const seen: number[] = [];
  finished(inPortions([1, 2, 3], 1, (one) => seen.push(one)));
  expect(seen).toEqual([1, 2, 3]);
});
