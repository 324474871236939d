import type { Worker } from "node:worker_threads";
import { type Clock, systemClock } from "./clock.ts";
import { reasonOf } from "./reason.ts";

/** A thread that is replaced when it dies. */
export interface SupervisedThread {
  /** For the thread that runs now; one that takes its place knows what `start` gives it. */
  post(message: unknown): void;
  /** Asks it to end with a last message, and ends it if it does not within the patience, milliseconds. */
  stop(message: unknown, patienceMs?: number): Promise<void>;
}

export interface SupervisedThreadOptions {
  /** May throw, as `new Worker` does where the system has no thread left: later that is tried again. */
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

/** @throws what the first `start` throws */
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
      reason = reasonOf(error);
    });
    worker.on("exit", (code) => {
      worker = undefined;
      if (!isStopping) replace(reason || `ended with ${code}`, clock.monotonicMs() - startedMs);
    });
  };

  const replace = (reason: string, livedMs: number): void => {
    pauseMs = nextPause(pauseMs, livedMs);
    cancelRestart = clock.after(pauseMs, () => {
      try {
        run();
      } catch (error) {
        replace(reasonOf(error), 0);
      }
    });
    onDeath({ reason, pauseMs });
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
