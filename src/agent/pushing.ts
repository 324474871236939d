import { type Clock, systemClock } from "../base/clock.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Log } from "../model/log.ts";
import { backoffMs } from "./backoff.ts";
import type { Delivery } from "./deliver.ts";

export interface PushingOptions {
  readonly deliver: (report: LoadReport) => Promise<Delivery>;
  /** What is known now, asked right before each delivery; undefined: nothing any more. */
  readonly newest: () => LoadReport | undefined;
  /** The least time between two deliveries. */
  readonly intervalMs: number;
  readonly log: Log;
  readonly clock?: Clock;
  /** 0 <= x < 1 */
  readonly random?: () => number;
}

/** Delivers what is read, one report at a time. */
export interface Pushing {
  /** There is something new to deliver. */
  offer(): void;
  stop(): void;
}

/**
 * Whatever is offered is delivered once: at once, or when the last delivery is `intervalMs` old. After a failure it
 * waits longer each time, and then delivers what is newest by then: nothing queues up.
 */
export function startPushing(options: PushingOptions): Pushing {
  const { deliver, newest, intervalMs, log, clock = systemClock, random = Math.random } = options;
  let isNew = false;
  let isBusy = false;
  let isStopped = false;
  let failed: Failures = { inARow: 0 };
  let cancelWait: (() => void) | undefined;

  const deliverOne = async (): Promise<void> => {
    isNew = false;
    const report = newest();
    if (report === undefined) {
      isBusy = false;
      return;
    }
    const startedMs = clock.monotonicMs();
    const delivery = await deliver(report);
    if (isStopped) return;
    failed = tell(delivery, failed, log);
    const tookMs = clock.monotonicMs() - startedMs;
    const waitMs = failed.inARow === 0 ? Math.max(intervalMs - tookMs, 0) : backoffMs(failed.inARow, random);
    // What was not taken is still to be told, in its newest form.
    if (failed.inARow > 0) isNew = true;
    cancelWait = clock.after(waitMs, () => {
      isBusy = false;
      if (isNew) begin();
    });
  };

  const begin = (): void => {
    if (isBusy || isStopped) return;
    isBusy = true;
    void deliverOne();
  };

  return {
    offer() {
      isNew = true;
      begin();
    },
    stop() {
      isStopped = true;
      cancelWait?.();
    },
  };
}

interface Failures {
  readonly inARow: number;
  /** Of the last, in words. */
  readonly problem?: string;
}

/** Logs the first failure of a row, each that has another reason than the one before, and the end of the row. */
function tell(delivery: Delivery, before: Failures, log: Log): Failures {
  if (delivery.kind === "taken") {
    if (before.inARow > 0) log.info({ failures: before.inARow }, "reports are taken again");
    return { inARow: 0 };
  }
  const { problem } = delivery;
  if (problem !== before.problem) log.warn(delivery, "the service does not take reports; trying on");
  return { inARow: before.inARow + 1, problem };
}
