import { expect, it } from "vitest";
import { drainMetrics } from "../../src/draining/metrics.ts";
import type { DrainView } from "../../src/model/drain.ts";

const NOW_MS = Date.UTC(2030, 0, 1);

function samplesOf(view: Partial<DrainView>): Record<string, number> {
  const drains = new Map([["ams1", { steeredHere: 3, movedShare: 0.25, ...view }]]);
  return Object.fromEntries(
    drainMetrics(drains, NOW_MS).flatMap((family) =>
      family.kind === "histogram" ? [] : family.samples.map(({ value }) => [family.name, value]),
    ),
  );
}

it("tells how far a drain has come, as far as that is known", () => {
  expect(samplesOf({})).toEqual({ drain_moved_ratio: 0.25 });
  expect(samplesOf({ viewersLeft: 7, emptyAtMs: NOW_MS + 90_000, deadlineMs: NOW_MS - 5000 })).toEqual({
    drain_viewers_left: 7,
    drain_moved_ratio: 0.25,
    drain_empty_seconds: 90,
    drain_deadline_seconds: -5,
  });
  expect(samplesOf({ viewersLeft: 0, emptySinceMs: NOW_MS - 60_000 })).toMatchObject({
    drain_empty_seconds: 0,
  });
  expect(
    drainMetrics(new Map(), NOW_MS).every((one) => one.kind === "gauge" && one.samples.length === 0),
  ).toBe(true);
});
