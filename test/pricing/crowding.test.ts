import { expect, it } from "vitest";
import { createCrowding } from "../../src/pricing/crowding.ts";

const PER_VIEWER = 1 / 1000;

it("an edge is crowded while a rush matters to it, and twenty seconds after", () => {
  const crowding = createCrowding();
  expect(crowding.isCrowded(3, 1, PER_VIEWER, 0)).toBe(false);
  expect(crowding.isCrowded(3, 50, PER_VIEWER, 1000)).toBe(true);
  expect(crowding.isCrowded(3, 0, PER_VIEWER, 20_999)).toBe(true);
  expect(crowding.isCrowded(3, 0, PER_VIEWER, 21_000)).toBe(false);
});

it("an edge without a limit is never crowded, nor is one that has the place of another", () => {
  const crowding = createCrowding();
  expect(crowding.isCrowded(0, 1e6, 0, 0)).toBe(false);
  crowding.isCrowded(3, 50, PER_VIEWER, 0);
  crowding.forget(3);
  expect(crowding.isCrowded(3, 0, PER_VIEWER, 1000)).toBe(false);
});
