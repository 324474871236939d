import type { Clock } from "../base/clock.ts";

/** Starts things one after the other, never faster than a fixed pace. */
export interface Pacer {
  /** Asks again at once, or as soon as the pace allows, whether something is due. */
  wake(): void;
  stop(): void;
}

/**
 * @param gapMs between two starts
 * @param startNext starts what is due and returns 0, or returns the milliseconds until something will be;
 *   infinity waits for `wake`
 */
export function startPacer(clock: Clock, gapMs: number, startNext: () => number): Pacer {
  let freeAtMs = clock.monotonicMs();
  let cancel: (() => void) | undefined;
  const tick = (): void => {
    const dueInMs = startNext();
    if (dueInMs === 0) freeAtMs = clock.monotonicMs() + gapMs;
    if (dueInMs !== Number.POSITIVE_INFINITY) cancel = clock.after(Math.max(dueInMs, untilFreeMs()), tick);
  };
  const untilFreeMs = (): number => Math.max(0, freeAtMs - clock.monotonicMs());
  return {
    wake() {
      cancel?.();
      cancel = clock.after(untilFreeMs(), tick);
    },
    stop: () => cancel?.(),
  };
}
