import type { Clock } from "./clock.ts";

/** Jobs that repeat, spread over their intervals, only so many at once. */
export interface Scheduler {
  /**
   * Runs `act` after `firstDelayMs`, once more at a random point of the interval, and from then on every
   * `intervalMs` give or take 5 %; never twice at once. `act` must not reject. Returns the way to stop.
   */
  every(intervalMs: number, firstDelayMs: number, act: () => Promise<void>): () => void;
  /** Stops every job; those that run are not interrupted. */
  stop(): void;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  /** 0 <= x < 1 */
  readonly random: () => number;
  /** How many jobs may run at once; the others queue. */
  readonly concurrency: number;
}

/** A job this late was held up by a standstill of this process, as all others were. */
const STANDSTILL_MS = 1000;
const JITTER = 0.05;

export function createScheduler({ clock, random, concurrency }: SchedulerOptions): Scheduler {
  const jobs = new Set<Job>();
  const queue: Job[] = [];
  let running = 0;

  const wait = (job: Job, delayMs: number): void => {
    const dueMs = clock.monotonicMs() + delayMs;
    job.cancel = clock.after(delayMs, () => {
      const isLate = clock.monotonicMs() - dueMs > STANDSTILL_MS;
      if (isLate && !job.wasSpread) {
        job.wasSpread = true;
        wait(job, random() * job.intervalMs);
        return;
      }
      job.wasSpread = false;
      queue.push(job);
      startQueued();
    });
  };

  const startQueued = (): void => {
    for (let job = nextQueued(); job !== undefined; job = nextQueued()) if (jobs.has(job)) void run(job);
  };

  const nextQueued = (): Job | undefined => (running < concurrency ? queue.shift() : undefined);

  const run = async (job: Job): Promise<void> => {
    const startMs = clock.monotonicMs();
    running++;
    try {
      await job.act();
    } finally {
      running--;
      if (jobs.has(job)) wait(job, pauseAfter(job, startMs));
      startQueued();
    }
  };

  const pauseAfter = (job: Job, startMs: number): number => {
    const nextMs = startMs + job.intervalMs * (1 - JITTER + 2 * JITTER * random());
    const pauseMs = nextMs - clock.monotonicMs();
    const needsSpread = job.isFirst || pauseMs < -STANDSTILL_MS;
    job.isFirst = false;
    return needsSpread ? random() * job.intervalMs : Math.max(0, pauseMs);
  };

  const remove = (job: Job): void => {
    jobs.delete(job);
    job.cancel();
  };

  return {
    every(intervalMs, firstDelayMs, act) {
      const job: Job = { intervalMs, act, isFirst: true, wasSpread: false, cancel: () => {} };
      jobs.add(job);
      wait(job, firstDelayMs);
      return () => remove(job);
    },
    stop() {
      for (const job of jobs) remove(job);
    },
  };
}

interface Job {
  readonly intervalMs: number;
  readonly act: () => Promise<void>;
  isFirst: boolean;
  wasSpread: boolean;
  cancel: () => void;
}
