import type { Clock } from "./clock.ts";

export interface RunningTime {
  readonly clock: Clock;
  /** How long our own event loop has stood still so far. */
  readonly stalledMs?: () => number;
}

/**
 * Calls `act` once, after so many milliseconds in which the event loop ran: its own standstills put that off.
 * Returns the way to cancel.
 */
export function afterRunning(ms: number, running: RunningTime, act: () => void): () => void {
  const { clock, stalledMs = () => 0 } = running;
  const startMs = clock.monotonicMs();
  const stalledBeforeMs = stalledMs();
  const leftMs = (): number => ms - (clock.monotonicMs() - startMs) + (stalledMs() - stalledBeforeMs);
  const wait = (): (() => void) =>
    clock.after(leftMs(), () => {
      if (leftMs() > 1) cancel = wait();
      else act();
    });
  let cancel = wait();
  return () => cancel();
}
