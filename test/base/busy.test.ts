import { expect, it } from "vitest";
import { createBusyShare } from "../../src/base/busy.ts";

it("is the active share of the last two seconds or more", () => {
  let now = 0;
  let usage = { active: 0, idle: 0, utilization: 0 };
  const busy = createBusyShare(
    () => usage,
    () => now,
  );
  expect(busy()).toBe(0);
  [now, usage] = [1000, { active: 1000, idle: 0, utilization: 1 }];
  expect(busy()).toBe(0);
  [now, usage] = [2000, { active: 1900, idle: 100, utilization: 1 }];
  expect(busy()).toBeCloseTo(0.95);
  [now, usage] = [4000, { active: 1900, idle: 2100, utilization: 1 }];
  expect(busy()).toBe(0);
  // Nobody asked for a minute, at whose start there was a rush.
  [now, usage] = [64_000, { active: 61_000, idle: 3000, utilization: 1 }];
  expect(busy()).toBe(0);
  [now, usage] = [66_000, { active: 63_000, idle: 3000, utilization: 1 }];
  expect(busy()).toBe(1);
});
