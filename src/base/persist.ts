import { setTimeout as pause } from "node:timers/promises";

export interface Attempts {
  /** Told of each one that failed. */
  readonly failed: (error: unknown) => void;
  readonly pauseMs: number;
  /** Ends them. */
  readonly signal: AbortSignal;
}

/**
 * Attempts something until it succeeds.
 * @throws what the last attempt threw, once the signal is aborted
 */
export async function persist<T>(attempt: () => Promise<T>, attempts: Attempts): Promise<T> {
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (attempts.signal.aborted) throw error;
      attempts.failed(error);
    }
    await pause(attempts.pauseMs, undefined, { signal: attempts.signal }).catch(() => {});
  }
}
