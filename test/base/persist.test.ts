import { expect, it } from "vitest";
import { persist } from "../../src/base/persist.ts";

it("attempts until it succeeds, and tells of each failure", async () => {
  const failures: unknown[] = [];
  let attempts = 0;
  const attempt = async (): Promise<number> => {
    if (++attempts < 3) throw new Error(`no ${attempts}`);
    return attempts;
  };
  const failed = (error: unknown): void => void failures.push((error as Error).message);
  const { signal } = new AbortController();
  expect(await persist(attempt, { failed, pauseMs: 1, signal })).toBe(3);
  expect(failures).toEqual(["no 1", "no 2"]);
});

it("gives up when it is told to, in the middle of a pause too", async () => {
  const stop = new AbortController();
  const attempt = async (): Promise<never> => {
    throw new Error("no");
  };
  const failed = (): void => void setTimeout(() => stop.abort(), 5);
  await expect(persist(attempt, { failed, pauseMs: 60_000, signal: stop.signal })).rejects.toThrow("no");
});
