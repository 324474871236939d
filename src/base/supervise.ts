import type { Worker } from "node:worker_threads";
import { type Clock, systemClock } from "./clock.ts";

/** A thread that is replaced when it dies. */
export interface SupervisedThread {
  /** For the thread that runs now; one that takes its place knows what `start` gives it. */
  post(message: unknown): void;
  /** Asks it to end with a last message, and ends it if it does not within the patience, milliseconds. */
  stop(message: unknown, patienceMs?: number): Promise<void>;
}

export interface SupervisedThreadOptions {
  readonly start: () => Worker;
  readonly onMessage: (message: unknown) => void;
  /** It has ended unasked; the next one starts after the pause. */
  readonly onDeath: (death: ThreadDeath) => void;
  readonly clock?: Pick<Clock, "monotonicMs" | "after">;
}

export interface ThreadDeath {
  readonly reason: string;
  readonly pauseMs: number;
}

/** How long a thread may take to end when it is asked to. */
const STOP_PATIENCE_MS = 1000;
/** A thread that has run for so long is replaced at once. */
const STABLE_MS = 10_000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5000;

export function superviseThread(options: SupervisedThreadOptions): SupervisedThread {
  const { start, onMessage, onDeath, clock = systemClock } = options;
  let worker: Worker | undefined;
  let isStopping = false;
  let pauseMs = 0;
  let cancelRestart: (() => void) | undefined;

  const run = (): void => {
    const startedMs = clock.monotonicMs();
    let reason = "";
    worker = start();
    worker.on("message", onMessage);
    worker.on("error", (error) => {
      reason = error instanceof Error ? error.message : String(error);
    });
    worker.on("exit", (code) => {
      worker = undefined;
      if (isStopping) return;
      pauseMs = nextPause(pauseMs, clock.monotonicMs() - startedMs);
      cancelRestart = clock.after(pauseMs, run);
      onDeath({ reason: reason || `ended with ${code}`, pauseMs });
    });
  };

  run();
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    post: (message) => worker?.postMessage(message),
    async stop(message, patienceMs = STOP_PATIENCE_MS) {
      isStopping = true;
      cancelRestart?.();
      const leaving = worker;
      if (leaving === undefined) return;
      const cancel = clock.after(patienceMs, () => void leaving.terminate());
      const exit = new Promise<void>((resolve) => {
        leaving.once("exit", () => resolve());
      });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
      leaving.postMessage(message);
      await exit;
      cancel();
    },
  };
}

/** None for the first death of a thread that had run well, then twice the last. */
function nextPause(pauseMs: number, livedMs: number): number {
  if (livedMs >= STABLE_MS) return 0;
  return Math.min(LONGEST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, pauseMs * 2));
}
