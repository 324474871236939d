import { describe, expect, it } from "vitest";
import { isSurplus } from "../../src/selection/surplus.ts";
import { clientOf } from "./fixture.ts";

/** Of ten thousand viewers. */
function leaving(loadRatio: number): Set<number> {
  const leave = new Set<number>();
  for (let i = 0; i < 10_000; i++)
    if (isSurplus(clientOf(`198.18.${i >> 8}.${i & 255}`), loadRatio)) leave.add(i);
  return leave;
}

describe("viewers who are too many", () => {
  it.each([0, 0.5, 1, Number.NaN])("are none at a load of %d", (loadRatio) => {
    expect(leaving(loadRatio).size).toBe(0);
  });

  it("are as many as are beyond the capacity", () => {
    expect(Math.abs(leaving(1.25).size / 10_000 - 0.2)).toBeLessThan(0.01);
    expect(Math.abs(leaving(2).size / 10_000 - 0.5)).toBeLessThan(0.02);
  });

  it("are the same ones first", () => {
    const [few, more] = [leaving(1.1), leaving(1.3)];
    expect(few.size).toBeGreaterThan(500);
    expect([...few].filter((viewer) => !more.has(viewer))).toEqual([]);
  });
});
