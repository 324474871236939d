import { expect, it } from "vitest";
import { oneAtATime } from "../../src/base/one-at-a-time.ts";

/** Runs that end when they are told to, each with its number, and how many are under way. */
function heldRuns() {
  const ends: ((fault?: Error) => void)[] = [];
  let underWay = 0;
  let most = 0;
  const runs = oneAtATime(async () => {
    most = Math.max(most, ++underWay);
    const number = ends.length + 1;
    await new Promise<void>((resolve, reject) => {
      ends.push((fault) => (fault === undefined ? resolve() : reject(fault)));
    }).finally(() => underWay--);
    return number;
  });
  return { runs, ends, most: () => most };
}

it("those who ask while one is under way share the next, which begins when it has ended", async () => {
  const { runs, ends, most } = heldRuns();
  const first = runs.run();
  const [second, third] = [runs.run(), runs.run()];
  expect(ends).toHaveLength(1);
  expect(runs.last()).toBe(second);
  ends[0]?.();
  expect(await first).toBe(1);
  await expect.poll(() => ends.length).toBe(2);
  ends[1]?.();
  expect(await Promise.all([second, third])).toEqual([2, 2]);
  expect(most()).toBe(1);
  expect(runs.last()).toBeUndefined();
});

it("one that fails does not keep the next from running", async () => {
  const { runs, ends } = heldRuns();
  const first = runs.run();
  const second = runs.run();
  ends[0]?.(new Error("a bug"));
  await expect(first).rejects.toThrow("a bug");
  await expect.poll(() => ends.length).toBe(2);
  ends[1]?.();
  expect(await second).toBe(2);
});

it("is idle once the run under way has ended, or at once", async () => {
  const { runs, ends } = heldRuns();
  await runs.idle();
  const done: string[] = [];
  const run = runs.run().then(() => done.push("run"));
  const idle = runs.idle().then(() => done.push("idle"));
  ends[0]?.();
  await Promise.all([run, idle]);
  expect(done).toEqual(["run", "idle"]);
});
