import { expect, it } from "vitest";
import { createLags } from "../../src/pricing/lags.ts";

/** Redirects by second, the same every time. */
function redirectsBy(seconds: number): (atMs: number) => number {
  let seed = 11;
  const totals = [0];
  for (let s = 1; s <= seconds; s++) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    totals.push((totals[s - 1] as number) + ((seed >>> 16) % 5));
  }
  return (atMs) => totals[Math.max(0, Math.round(atMs / 1000))] ?? 0;
}

/** Reports every 5 s that are so old when they come. */
function report(lags: ReturnType<typeof createLags>, slot: number, oldMs: number, reports: number): void {
  const by = redirectsBy(reports * 5);
  for (let n = 1; n <= reports; n++) {
    const [fromMs, toMs] = [(n - 1) * 5000, n * 5000];
    const redirected = (lagMs: number) => by(toMs - lagMs) - by(fromMs - lagMs);
    lags.observe(slot, redirected(oldMs) - 3, redirected, -3, 10);
  }
}

it("learns how old reports are when they come, by edge", () => {
  const lags = createLags();
  expect(lags.of(0)).toBe(0);
  report(lags, 0, 10_000, 200);
  report(lags, 1, 3000, 200);
  expect(lags.of(0)).toBe(10_000);
  expect(lags.of(1)).toBe(3000);
});

it("takes reports for new where nothing speaks against it", () => {
  const lags = createLags();
  report(lags, 0, 0, 200);
  expect(lags.of(0)).toBe(0);
  // A count that jumps a hundred times fits no lag.
  for (let n = 0; n < 50; n++) lags.observe(1, 100_000, (lagMs) => lagMs / 1000, 0, 10);
  expect(lags.of(1)).toBe(0);
});
