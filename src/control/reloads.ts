import { setImmediate as nextTurn } from "node:timers/promises";
import { type Clock, systemClock } from "../base/clock.ts";
import { oneAtATime } from "../base/one-at-a-time.ts";
import { type ConfigChange, describeChange } from "../config/change.ts";
import type { Steps } from "../base/steps.ts";
import type { LoadedConfig } from "../config/load.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import type { Problem } from "../model/problem.ts";
import type { ReloadVerdict, ReloadView } from "../ops/api.ts";
import { createSecondLook } from "./second-look.ts";

export interface Reloads {
  /** Reads the configuration again. One runs at a time; calls that come meanwhile share the next one. */
  readonly reload: () => Promise<ReloadVerdict>;
  /** The files have changed: reads them again, unless that has been done since, as after an edit and SIGHUP. */
  readonly edited: () => Promise<void>;
  /** Resolves when none is on its way: while one settles in, the world is of another inventory than the one in use. */
  readonly settled: () => Promise<void>;
  last(): ReloadView;
  readonly metrics: MetricSource;
}

export interface ReloadOptions<Prepared> {
  readonly log: Log;
  readonly load: () => Promise<LoadedConfig>;
  /** As `LoadedConfig.digest`, of the files as they are. */
  readonly digest: () => Promise<string>;
  readonly current: () => Inventory;
  /** What may take its time, before the new configuration is taken; it is handed on to `take`. */
  readonly prepare: (next: Inventory) => Promise<Prepared>;
  readonly settle: Settle;
  /** Hands it to everyone who answers, in one turn. */
  readonly take: (next: Inventory, prepared: Prepared) => void;
  readonly told: (verdict: ReloadVerdict) => void;
  /** Once it is aborted nothing is taken any more, and what is settling in goes no further. */
  readonly stopped: AbortSignal;
  readonly clock?: Clock;
}

/**
 * What can be made ready for the next inventory without a viewer noticing, each, or each step of it, in a turn of its
 * own: thousands of edges take long.
 */
export type Settle = readonly ((next: Inventory) => Steps<unknown> | undefined)[];

/** A part of it that cannot be divided. */
export function inOneTurn(take: (next: Inventory) => unknown): (next: Inventory) => undefined {
  return (next) => void take(next);
}

/** Replaces the configuration whole, or leaves the running one in place and says why. */
export function createReloads<Prepared>(options: ReloadOptions<Prepared>): Reloads {
  const { log, load, digest, current, prepare, settle, take, told, stopped, clock = systemClock } = options;
  let last: ReloadView = { successful: true, atMs: Date.now(), problems: [] };
  let lastSuccessMs = last.atMs;
  /** Of what was read last, whether it was taken or refused. */
  let read: string | undefined;
  const once = async (): Promise<ReloadVerdict> => {
    if (stopped.aborted) return tooLate();
    const loaded = await load();
    if (loaded.kind === "problems") {
      read = loaded.digest;
      return refused(loaded.problems);
    }
    const prepared = await prepare(loaded.inventory);
    const changed = changedPaths(await describeChange(current(), loaded.inventory));
    await settleIn(settle, loaded.inventory, stopped);
    if (stopped.aborted) return tooLate();
    take(loaded.inventory, prepared);
    read = loaded.digest;
    last = { successful: true, atMs: Date.now(), problems: [] };
    lastSuccessMs = last.atMs;
    log.info({ generation: loaded.inventory.generation, changed }, "configuration taken");
    if (changed.includes("listen"))
      log.warn({}, "listen addresses change with `edgeward replace` or a restart");
    if (changed.includes("stateFile"))
      log.warn({}, "drains are kept in the new state file from `edgeward replace` or a restart on");
    return { kind: "taken", changed };
  };
  const refused = (problems: readonly Problem[]): ReloadVerdict => {
    last = { successful: false, atMs: Date.now(), problems };
    for (const problem of problems) log.error({ ...problem }, "configuration refused; the running one stays");
    return { kind: "refused", problems };
  };
  /** A fault of ours on the way: what had settled in by then stays, until a configuration is taken. */
  const broken = (error: unknown): ReloadVerdict => {
    log.error({ error }, "a fault while a configuration was taken");
    read = undefined;
    return refused([wholly("was not taken, for a fault that the log tells of; reload again, or restart")]);
  };
  const tooLate = (): ReloadVerdict => {
    return { kind: "refused", problems: [wholly("was not taken: this process is ending")] };
  };
  const wholly = (message: string): Problem => {
    return { file: current().file, line: 1, column: 1, path: "", message };
  };
  const runs = oneAtATime(async () => {
    const verdict = await once().catch(broken);
    told(verdict);
    lookAgain();
    return verdict;
  });

  const isEdited = async (): Promise<boolean> => {
    await runs.last()?.catch(() => undefined);
    return read === undefined || read !== (await digest());
  };
  const edited = async (): Promise<void> => {
    if (await isEdited()) await runs.run();
  };
  const lookNow = async (): Promise<void> => {
    if (await isEdited()) await runs.run();
    else lookAgain();
  };
  const lookAgain = (): void => {
    if (last.successful || stopped.aborted) secondLook.done();
    else secondLook.plan(read !== undefined);
  };
  const secondLook = createSecondLook(clock, () => void lookNow());
  stopped.addEventListener("abort", secondLook.cancel);

  return {
    reload: runs.run,
    edited,
    settled: runs.idle,
    last: () => last,
    metrics: () => reloadMetrics(last.successful, lastSuccessMs),
  };
}

/** In turns, in between which whoever waits is answered, until the process is stopped. */
async function settleIn(settle: Settle, next: Inventory, stopped: AbortSignal): Promise<void> {
  await nextTurn();
  for (const step of settle) {
    if (stopped.aborted) return;
    const steps = step(next);
    while (steps?.next().done === false) await nextTurn();
    await nextTurn();
  }
}

/** @param lastSuccessMs milliseconds since 1970 */
function reloadMetrics(isSuccessful: boolean, lastSuccessMs: number): readonly SimpleFamily[] {
  return [
    {
      kind: "gauge",
      name: "config_last_reload_successful",
      help: "1 if the configuration was right when it was last read, 0 if an older one is running.",
      samples: [{ labels: {}, value: isSuccessful ? 1 : 0 }],
    },
    {
      kind: "gauge",
      name: "config_last_reload_success_timestamp_seconds",
      help: "When the running configuration was taken.",
      samples: [{ labels: {}, value: lastSuccessMs / 1000 }],
    },
  ];
}

/** `edges.ams1`, with `+` or `-` before what came or went. */
function changedPaths({ other, ...named }: ConfigChange): string[] {
  const paths = Object.entries(named).flatMap(([kind, { added, removed, changed }]) => [
    ...added.map((name) => `+${kind}.${name}`),
    ...removed.map((name) => `-${kind}.${name}`),
    ...changed.map((name) => `${kind}.${name}`),
  ]);
  return [...paths, ...other];
}
