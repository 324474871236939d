import { describe, expect, it } from "vitest";
import type { Capacity } from "../../src/model/edge.ts";
import { withAlternative } from "../../src/steering/alternatives.ts";
import { choiceOf } from "../http/fixture.ts";
import { edgeAt } from "../selection/fixture.ts";

const IDS = ["ams1", "fra1", "lon1", "par1"];

function choices(loads: readonly number[], capacity: Capacity = { viewers: 1000 }) {
  return loads.map((loadRatio, i) => ({
    ...choiceOf({ ...edgeAt(IDS[i] as string, i, 50, i), capacity }, 100 * i),
    loadRatio,
  }));
}

/** Of a thousand players, how many would go where first when ams1 is lost. */
function seconds(given: ReturnType<typeof choices>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < 1000; i++) {
    const [first, second] = withAlternative(given, (i + 0.5) / 1000).map(({ edge }) => edge.id);
    expect(first).toBe("ams1");
    counts[second as string] = (counts[second as string] ?? 0) + 1;
  }
  return counts;
}

describe("where players go when their edge is lost", () => {
  it("is the next best while it has room for all of them", () => {
    expect(seconds(choices([0.2, 0.5, 0, 0]))).toEqual({ fra1: 1000 });
  });

  it("is each of the next ones as far as it has room", () => {
    expect(seconds(choices([0.8, 0.6, 0.2, 0.1]))).toEqual({ fra1: 250, lon1: 500, par1: 250 });
  });

  it("is each by its share where room is short", () => {
    expect(seconds(choices([1, 0.9, 0.9, 0.8]))).toEqual({ fra1: 250, lon1: 250, par1: 500 });
  });

  it("is no edge that is beyond full", () => {
    expect(seconds(choices([0.5, 1.2, 0.5, 0.5]))).toEqual({ lon1: 500, par1: 500 });
  });

  it("is judged by bandwidth where that is the capacity", () => {
    expect(seconds(choices([0.8, 0.6, 0.2, 0.1], { bandwidth: 1e9 }))).toEqual({
      fra1: 250,
      lon1: 500,
      par1: 250,
    });
  });

  it("is the next best where loads or capacities are unknown, or all are full", () => {
    expect(seconds(choices([0.8, Number.NaN, 0.2, 0.1]))).toEqual({ fra1: 1000 });
    expect(seconds(choices([0.8, 0.6, 0.2, 0.1], {}))).toEqual({ fra1: 1000 });
    expect(seconds(choices([0.8, 1, 1, 1]))).toEqual({ fra1: 1000 });
  });

  it("loses and doubles nobody", () => {
    const given = choices([0.8, 0.6, 0.2, 0.1]);
    for (const lot of [0, 0.3, 0.6, 0.99, 1])
      expect(withAlternative(given, lot).toSorted((a, b) => a.distanceKm - b.distanceKm)).toEqual(given);
    expect(withAlternative([], 0.5)).toEqual([]);
  });
});
