import type { Worker } from "node:worker_threads";
import { superviseThread, type ThreadDeath } from "../base/supervise.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { DecisionSample } from "../ops/api.ts";
import type { PackedArrivals } from "../pricing/ledger.ts";
import type { ThreadNews, ThreadOrder } from "./serving-thread.ts";

/** One of the threads that answer, whichever thread it is now: one that dies is replaced, with the same task. */
export interface Member {
  /** Resolves when it answers for the first time, with where; rejects, the thread being ended, if it cannot begin. */
  readonly ready: Promise<readonly Endpoint[]>;
  tell(order: ThreadOrder): void;
  /** @param graceMs as of the order to stop */
  stop(graceMs: number): Promise<void>;
}

export interface MemberOptions<Task> {
  /** What it answers, for the log: `DNS`, `HTTP`. */
  readonly label: string;
  readonly log: Log;
  /** Has it look for orders. */
  readonly wake: () => void;
  /** Of one that takes nobody's place `isFirst` is true. */
  readonly newWorker: (task: Task, isFirst: boolean) => Worker;
  /** As of `CrewOptions`. */
  readonly settled: (task: Task, endpoints: readonly Endpoint[]) => Task;
  readonly onArrivals: (generation: number, packed: PackedArrivals) => void;
  readonly onDecision: (sample: DecisionSample) => void;
  readonly onOwnNews: (news: unknown) => void;
  /** It has died after it had begun, and another will take its place. */
  readonly onDeath: (task: Task) => void;
}

export function startMember<Task>(first: Task, options: MemberOptions<Task>): Member {
  const { label, log, wake } = options;
  let task = first;
  let hasBegun = false;
  let resolve: (endpoints: readonly Endpoint[]) => void;
  let reject: (error: Error) => void;
  const ready = new Promise<readonly Endpoint[]>((begun, failed) => {
    [resolve, reject] = [begun, failed];
  });

  const hear = (news: ThreadNews): void => {
    switch (news.kind) {
      case "ready":
        hasBegun = true;
        task = options.settled(task, news.endpoints);
        return resolve(news.endpoints);
      case "failed":
        if (hasBegun) return log.error({ reason: news.message }, `a ${label} thread cannot begin again`);
        return failed(Object.assign(new Error(news.message), { code: news.code }));
      case "arrivals":
        return options.onArrivals(news.generation, news.packed);
      case "decision":
        // What it decides before is made up.
        if (hasBegun) options.onDecision(news.sample);
        return;
      case "log":
        return log[news.level](news.fields, news.message);
      case "own":
        return options.onOwnNews(news.news);
    }
  };

  const died = (death: ThreadDeath): void => {
    if (!hasBegun) return failed(new Error(`a ${label} thread cannot begin: ${death.reason}`));
    options.onDeath(task);
    log.error({ ...death }, `a ${label} thread has died and is replaced`);
  };

  const end = (graceMs: number): Promise<void> => {
    const order: ThreadOrder = { kind: "stop", graceMs };
    return thread.stop(order, graceMs + UNWINDING_MS);
  };

  const failed = (error: Error): void => {
    void end(0);
    reject(error);
  };

  const thread = superviseThread({
    start: () => options.newWorker(task, !hasBegun),
    onMessage: (message) => hear(message as ThreadNews),
    onDeath: died,
  });
  return {
    ready,
    tell(order) {
      thread.post(order);
      wake();
    },
    stop(graceMs) {
      const ended = end(graceMs);
      wake();
      return ended;
    },
  };
}

/** For what a thread does after it has been told to stop, beside the grace. */
const UNWINDING_MS = 500;
