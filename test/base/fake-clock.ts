import { setImmediate } from "node:timers/promises";
import type { Clock } from "../../src/base/clock.ts";

/** Time that passes only when told to. */
export interface FakeClock extends Clock {
  /** Runs what is due within the next `ms`, in order, letting promises settle in between. */
  advance(ms: number): Promise<void>;
  /** Time passes while nothing runs, as under SIGSTOP; what became due then runs late. */
  standStill(ms: number): Promise<void>;
  /** Somebody sets the wall clock. */
  setWall(wallMs: number): void;
}

export function createFakeClock(startWallMs = Date.UTC(2026, 0, 1)): FakeClock {
  let nowMs = 0;
  let wallOffsetMs = startWallMs;
  const timers = new Set<{ dueMs: number; act: () => void }>();

  const runDue = async (untilMs: number): Promise<void> => {
    for (;;) {
      const [next] = [...timers].filter(({ dueMs }) => dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
      if (next === undefined) return;
      timers.delete(next);
      nowMs = Math.max(nowMs, next.dueMs);
      next.act();
      await setImmediate();
    }
  };

  return {
    monotonicMs: () => nowMs,
    wallMs: () => wallOffsetMs + nowMs,
    after(delayMs, act) {
      const timer = { dueMs: nowMs + Math.max(0, delayMs), act };
      timers.add(timer);
      return () => void timers.delete(timer);
    },
    async advance(ms) {
      const untilMs = nowMs + ms;
      await setImmediate();
      await runDue(untilMs);
      nowMs = untilMs;
    },
    async standStill(ms) {
      nowMs += ms;
      await runDue(nowMs);
    },
    setWall(wallMs) {
      wallOffsetMs = wallMs - nowMs;
    },
  };
}
