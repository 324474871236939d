/**
 * Starts the service in order and stops it in reverse: the parts, reloads, the operators' door, the viewers' doors.
 *
 * A new configuration is read beside the running one and then handed to everyone in one turn of the event loop, so
 * that no answer is made of a mixture.
 */
import { randomBytes } from "node:crypto";
import { createAcmeApi } from "./acme/api.ts";
import { createServiceTable } from "./base/service-table.ts";
import type { HandedSockets } from "./base/inherited-sockets.ts";
import { digestOfFiles } from "./config/digest.ts";
import { loadConfigInThread } from "./config/thread.ts";
import { watchFromNow } from "./config/watch.ts";
import { withCompiledNames } from "./control/compiled-names.ts";
import { createOpsApi } from "./control/ops-api.ts";
import { createReloads, inOneTurn, type Reloads } from "./control/reloads.ts";
import { createExclusiveDoors } from "./exclusive-doors.ts";
import { memoryOf, remember } from "./handing-over.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { MetricSource } from "./model/metrics.ts";
import { type Endpoints, openDoors } from "./opening.ts";
import type { OpsApi, ReloadVerdict, ReplaceVerdict } from "./ops/api.ts";
import { answerBy, assemble, type Parts } from "./parts.ts";
import { allSockets, type Memory, type Predecessor } from "./succession.ts";
import { packInSteps } from "./threads/packed-inventory.ts";
import { closeToNewcomers } from "./viewers-doors.ts";

export interface AppOptions {
  /** As loaded at start. */
  readonly inventory: Inventory;
  /** Where `${NAME}` comes from at a reload. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Log;
  readonly version: string;
  /** Of rooms that live outside, as the log. */
  readonly metrics: readonly MetricSource[];
  /** Puts another process in this one's place. */
  readonly replace: () => Promise<ReplaceVerdict>;
  /** The process whose place this one takes; left out: there is none. */
  readonly predecessor?: Predecessor;
}

export interface App {
  /**
   * Resolves when the viewers' doors are open, after the first round of probes, with where they really listen.
   * Rejects if an address cannot be listened on, with that address and the reason.
   */
  readonly opened: Promise<Endpoints>;
  /** Opens the query log's file anew too. */
  reload(): Promise<ReloadVerdict>;
  /** That alone. */
  reopenLog(): void;
  /** The sockets of the viewers' doors; `undefined` while they are not open, or where they cannot be handed over. */
  sockets(): readonly HandedSockets[] | undefined;
  /** What another process has to know to go on. */
  memory(): Memory;
  /** At any time; doors that are not open yet stay closed. */
  stop(): Promise<void>;
  /**
   * As `stop`, for a process that viewers can reach at another one: first the doors that both cannot have open.
   * @param freed called when they are closed
   */
  leave(freed: () => void): Promise<void>;
}

/**
 * Runs edgeward. Resolves when the operators' door is open.
 * @throws if that address cannot be listened on, with the address and the reason; then nothing is left running
 */
export async function startApp(options: AppOptions): Promise<App> {
  const closing: (() => unknown)[] = [];
  try {
    return await start(options, closing);
  } catch (error) {
    await stopAll(closing);
    throw error;
  }
}

/** @param closing is given a way to stop for everything that is started */
async function start(options: AppOptions, closing: (() => unknown)[]): Promise<App> {
  const { log, version, predecessor } = options;
  const onStop = (stop: () => unknown): void => void closing.push(stop);
  const metrics: MetricSource[] = [...options.metrics];
  const stopped = new AbortController();
  const watch = watchFromNow(options.inventory.file);
  onStop(watch.stop);
  const parts = await assemble({ inventory: options.inventory, log, onStop });
  const { now, mist, watchers } = parts;
  if (predecessor !== undefined) remember(parts, predecessor.memory);
  const cookieSecret = predecessor?.memory.cookieSecret ?? randomBytes(16).toString("hex");
  const reloads = reloadsOf(parts, options, stopped.signal, (next) => exclusive.take(next));
  const exclusive = createExclusiveDoors({
    inventory: () => now.inventory,
    api: apiOf(parts, options, reloads, metrics),
    mistContext: mist.context,
    version,
    log,
  });
  onStop(() => exclusive.stop());
  metrics.push(...parts.metrics, reloads.metrics, exclusive.metrics);
  if (predecessor === undefined) await exclusive.openOps();
  watchers.begin();
  watch.start(() => void reloads.edited());

  let graceMs: number | undefined;
  const open = async (): Promise<Endpoints> => {
    const endpoints = await openDoors({
      parts,
      metrics,
      exclusive,
      reloads,
      predecessor,
      cookieSecret: Buffer.from(cookieSecret, "hex"),
      log,
      stopped: stopped.signal,
      graceMs: () => graceMs,
      onStop,
    });
    if (stopped.signal.aborted) {
      await exclusive.stop();
      await stopAll(closing);
    }
    return endpoints;
  };
  return {
    opened: open(),
    reload() {
      now.doors.dns?.reopenLog();
      return reloads.reload();
    },
    reopenLog: () => now.doors.dns?.reopenLog(),
    sockets: () => allSockets(now.doors),
    memory: () => memoryOf(parts, cookieSecret),
    async stop() {
      stopped.abort();
      await closeToNewcomers(now.doors);
      await stopAll(closing);
    },
    async leave(freed) {
      stopped.abort();
      graceMs = LEAVING_GRACE_MS;
      await exclusive.stop();
      freed();
      await stopAll(closing);
    },
  };
}

/** Nobody waits for a process that has been replaced, but slow clients who reached it. */
const LEAVING_GRACE_MS = 4000;

function reloadsOf(
  parts: Parts,
  { environment, log }: AppOptions,
  stopped: AbortSignal,
  onTaken: (next: Inventory) => void,
): Reloads {
  const { now, events, geo, redirector, conditions, experience, worlds, challenges, watchers } = parts;
  return createReloads({
    stopped,
    log,
    load: () =>
      loadConfigInThread(now.inventory.file, {
        environment,
        nowMs: Date.now(),
        generation: now.inventory.generation + 1,
        areCertificatesInUse: true,
      }).then(withCompiledNames),
    digest: () => digestOfFiles(now.inventory.file),
    current: () => now.inventory,
    prepare: (next) => geo.prepareFiles(next.geoip),
    settle: [
      packInSteps,
      (next) => redirector.prepareInSteps(next),
      inOneTurn(() => worlds.hold()),
      ...conditions.settle,
      ...watchers.settle,
      inOneTurn((next) => worlds.take(next)),
    ],
    take(next, useDatabases) {
      now.inventory = next;
      useDatabases();
      geo.setPlaces(next.places);
      answerBy(worlds.release(), now, redirector);
      onTaken(next);
      challenges.keep((hostname) => isServed(next, hostname));
      experience.take(next);
    },
    told: (verdict) => events.emit({ kind: "reload", atMs: Date.now(), verdict }),
  });
}

function apiOf(
  parts: Parts,
  { version, replace }: AppOptions,
  reloads: Reloads,
  metrics: readonly MetricSource[],
): OpsApi {
  const { now, geo, redirector, conditions, drains, drainWatch, worlds, challenges, watchers } = parts;
  const { board, failStatic, saved } = conditions;
  return createOpsApi({
    version,
    metrics,
    board,
    failStatic,
    worlds,
    drains: { view: (id) => drains.view(id), refresh: () => drainWatch.refresh() },
    geo,
    redirector,
    reloads,
    replace,
    acme: createAcmeApi(
      challenges,
      () => now.inventory.acme.accounts,
      (hostname) => isServed(now.inventory, hostname),
    ),
    saved,
    inventory: () => now.inventory,
    certificates: () => now.doors.http?.certificates() ?? [],
    loadFailures: watchers.loadFailures,
    staleStreams: watchers.staleStreams,
    waitingFor: () => (now.doors.http === undefined ? ["the first round of probes is not complete"] : []),
    subscribe: parts.decisionWatch.subscribe,
  });
}

/** Whether the hostname, or the wildcard over it, is a service's. */
function isServed({ services }: Inventory, hostname: string): boolean {
  const find = createServiceTable(services);
  return find(hostname) !== undefined || find(`*.${hostname}`) !== undefined;
}

async function stopAll(closing: (() => unknown)[]): Promise<void> {
  for (let stop = closing.pop(); stop !== undefined; stop = closing.pop()) await stop();
}
