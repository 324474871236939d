import { expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";

it("never calls early, even when set late in a long turn of the event loop", async () => {
  const turnEndMs = performance.now() + 100;
  while (performance.now() < turnEndMs);
  const setAtMs = systemClock.monotonicMs();
  await new Promise<void>((resolve) => systemClock.after(80, resolve));
  expect(systemClock.monotonicMs() - setAtMs).toBeGreaterThanOrEqual(79);
});

it("takes delays that are too long for setTimeout, and cancels", async () => {
  let called = false;
  const cancel = systemClock.after(2 ** 40, () => {
    called = true;
  });
  await new Promise((resolve) => setTimeout(resolve, 20));
  cancel();
  expect(called).toBe(false);
});
