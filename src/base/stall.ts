import type { Clock } from "./clock.ts";

/** How long this process has stood still (stopped, swapped out, or busy with something else). */
export interface StallMeter {
  /** Milliseconds since the start; grows while a standstill is being noticed. */
  readonly stalledMs: () => number;
  readonly stop: () => void;
}

const BEAT_MS = 100;
/** Lateness that is ordinary. */
const TOLERANCE_MS = 25;

export function startStallMeter(clock: Clock): StallMeter {
  let totalMs = 0;
  let dueMs = clock.monotonicMs() + BEAT_MS;
  const overdueMs = (): number => {
    const lateMs = clock.monotonicMs() - dueMs;
    return lateMs > TOLERANCE_MS ? lateMs : 0;
  };
  const beat = (): void => {
    totalMs += overdueMs();
    dueMs = clock.monotonicMs() + BEAT_MS;
    cancel = clock.after(BEAT_MS, beat);
  };
  let cancel = clock.after(BEAT_MS, beat);
  return { stalledMs: () => totalMs + overdueMs(), stop: () => cancel() };
}
