import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { createPacedPricing, type PacedPricing } from "../../src/control/paced-pricing.ts";
import type { Learned } from "../../src/pricing/learned.ts";
import type { Pricing } from "../../src/pricing/pricing.ts";
import type { Facts } from "../../src/model/world.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it.each<[keyof Pricing, (pricing: PacedPricing) => unknown]>([
  ["take", (pricing) => pricing.take([], [])],
  ["begin", (pricing) => pricing.begin()],
  ["memory", (pricing) => pricing.memory()],
  ["remember", (pricing) => pricing.remember({} as Learned)],
  ["world", (pricing) => pricing.world({} as Facts, 0)],
])("takes in the rest of a second before %s", (name, ask) => {
  const done: string[] = [];
  const fake = {
    *tickInSteps() {
      for (const portion of ["first", "second"]) {
        done.push(portion);
        yield;
      }
    },
    [name]: () => void done.push(name),
  };
  const onTicked = vi.fn<() => void>();
  const pricing = createPacedPricing(fake as unknown as Pricing, onTicked);
  pricing.tick([], 0);
  vi.advanceTimersToNextTimer();
  expect(done).toEqual(["first"]);
  ask(pricing);
  expect(done).toEqual(["first", "second", name]);
  vi.runAllTimers();
  expect(onTicked).not.toHaveBeenCalled();
});
