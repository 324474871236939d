import { expect, it } from "vitest";
import { perViewerOf } from "../../src/condition/merge.ts";

it.each([
  ["by the capacity in viewers", {}, { viewers: 700 }, 1 / 700],
  ["by a usual bit rate where only bandwidth is limited", {}, { bandwidth: 1e9 }, 0.004],
  ["measured where enough are there", { viewers: 100, bandwidth: 2e8 }, { bandwidth: 1e9 }, 0.002],
  ["by a usual bit rate where too few are there", { viewers: 2, bandwidth: 2e8 }, { bandwidth: 1e9 }, 0.004],
  ["by whichever binds", { viewers: 100, bandwidth: 9e8 }, { viewers: 1000, bandwidth: 1e9 }, 0.009],
  ["nothing where nothing is limited", { viewers: 100 }, {}, 0],
])("a viewer takes his share %s", (_name, load, capacity, share) => {
  const ratios = [
    (load as { viewers?: number }).viewers ?? Number.NaN,
    (load as { bandwidth?: number }).bandwidth ?? Number.NaN,
  ];
  const limits = [
    (capacity as { viewers?: number }).viewers ?? Number.NaN,
    (capacity as { bandwidth?: number }).bandwidth ?? Number.NaN,
  ];
  const known = ratios.map((used, i) => used / (limits[i] as number)).filter((ratio) => !Number.isNaN(ratio));
  expect(perViewerOf(load, capacity, known.length === 0 ? Number.NaN : Math.max(...known))).toBeCloseTo(
    share,
    6,
  );
});
