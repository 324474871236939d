import { type App, startApp } from "../app.ts";
import { formatEndpoint } from "../base/endpoint.ts";
import { findServiceManager, type ServiceManager } from "../base/notify.ts";
import { setFlagsFromString } from "node:v8";
import { keepLargePiecesApart } from "../base/give-back.ts";
import { type Libc, loadLibc } from "../base/libc.ts";
import { reasonOf } from "../base/reason.ts";
import { letHelpersStandBack } from "../base/stand-back.ts";
import { takeLongTurns } from "../base/turns.ts";
import { type Answer, done } from "../cli/answer.ts";
import { withCompiledNames } from "../control/compiled-names.ts";
import { loadConfigInThread } from "../config/thread.ts";
import { startDemoEdges } from "../demo/edges.ts";
import { withoutAbsentIpv6 } from "../demo/endpoints.ts";
import { demoHelp } from "../demo/help.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import { createLog, type LogWriter } from "../ops/log.ts";
import { createReplacing } from "../replacing.ts";
import { meetPredecessor } from "../succession.ts";

export interface ServeOptions {
  readonly inventory: Inventory;
  readonly configFile: string;
  /** Also start the demo edges, and say on the console what to try. */
  readonly demo: boolean;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/**
 * Nobody who answers is to wait for V8's own threads, which have the processor last. Collecting what has just become
 * garbage is over sooner by itself; and while one of them compiles for a thread, that thread can collect no garbage
 * until the other comes to a point where it may. What is said here of compiling, and of turns, is for threads that
 * start later; those who answer choose shorter ones.
 */
function settleThreads(libc: Libc | undefined): void {
  if (libc !== undefined) takeLongTurns(libc);
  setFlagsFromString("--no-parallel-scavenge");
  setFlagsFromString("--no-concurrent-recompilation");
  // What the command line says is for the first thread: V8 would let it take the place of the others' own limits.
  setFlagsFromString("--max-semi-space-size=0");
}

/**
 * On a processor that is not enough for all, V8's own threads have a thirtieth of what those who answer have, once
 * they do.
 */
const HELPERS_NICE = 15;

/**
 * Runs until a signal: SIGTERM and SIGINT stop in order, a second one at once; SIGHUP reads the configuration again;
 * SIGUSR1 opens the query log anew; SIGUSR2 puts another process in this one's place.
 */
export async function serve(given: ServeOptions): Promise<Answer<void>> {
  const { version, environment } = given;
  keepLargePiecesApart();
  const loaded = loadLibc();
  const libc = loaded.kind === "loaded" ? loaded.libc : undefined;
  settleThreads(libc);
  const log = createLog({ level: given.demo ? "warn" : "info", destination: 2 });
  const inventory = given.demo
    ? withoutAbsentIpv6(given.inventory, (endpoint) =>
        log.warn({ endpoint: formatEndpoint(endpoint) }, "not listening there: this machine has no IPv6"),
      )
    : given.inventory;
  const options = { ...given, inventory };
  const manager = findServiceManager(environment);
  const stopped = new AbortController();
  const stopping = onSignals(() => stopped.abort());
  const uncaught = (error: unknown): void => {
    log.error({ error }, "a fault that nobody caught; going on");
  };
  process.on("unhandledRejection", uncaught);
  const demo = options.demo ? await startDemoEdges(inventory.edges, log) : undefined;
  try {
    const predecessor = await meetPredecessor();
    const replacing = createReplacing({
      log,
      manager,
      app: () => app,
      isDemo: options.demo,
      check: () => problemsNow(options),
      stopped: stopped.signal,
    });
    const { replace } = replacing;
    const app: App = await startApp({
      inventory,
      environment,
      log,
      version,
      metrics: [log.metrics],
      replace,
      ...(predecessor && { predecessor }),
    });
    stopping.reload = () => void reload(app, manager);
    stopping.replace = () => void replace();
    stopping.reopen = () => app.reopenLog();
    const signalled = aborted(stopped.signal);
    const watchdog = keepAlive(manager);
    try {
      const endpoints = await Promise.race([app.opened, signalled]);
      if (endpoints !== undefined) {
        letHelpersStandBack(libc, HELPERS_NICE);
        if (demo !== undefined) process.stdout.write(consoleText(options, demo));
        log.info({ version, ...endpoints }, "edgeward serves");
        manager?.ready();
      }
      await Promise.race([signalled, aborted(replacing.replaced)]);
    } finally {
      clearInterval(watchdog);
      await replacing.leave();
    }
    return done(undefined);
  } catch (error) {
    return { kind: "no", message: reasonOf(error) };
  } finally {
    await demo?.stop();
    await goodbye(log);
    process.off("unhandledRejection", uncaught);
    stopping.off();
  }
}

/** Of the configuration that another process would be given. */
async function problemsNow({ inventory, environment }: ServeOptions): Promise<readonly Problem[]> {
  const options = { environment, nowMs: Date.now(), generation: 1 };
  const loaded = await withCompiledNames(await loadConfigInThread(inventory.file, options));
  return loaded.kind === "problems" ? loaded.problems : [];
}

async function reload(app: App, manager: ServiceManager | undefined): Promise<void> {
  manager?.reloading();
  await app.reload();
  manager?.ready();
}

/** Tells whoever watches that this process does not hang, twice as often as it wants to hear it. */
function keepAlive(manager: ServiceManager | undefined): NodeJS.Timeout | undefined {
  if (manager?.watchdogMs === undefined) return undefined;
  return setInterval(() => manager.alive(), manager.watchdogMs / 2);
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined));
  });
}

async function goodbye(log: LogWriter): Promise<void> {
  log.info({}, "edgeward has stopped");
  await log.stop();
}

/** Exit code of a process that a signal ended at once: 128 + SIGTERM. */
const KILLED = 143;

interface Signals {
  reload: () => void;
  reopen: () => void;
  replace: () => void;
  readonly off: () => void;
}

function onSignals(stop: () => void): Signals {
  let asked = false;
  const end = (): void => {
    if (asked) process.exit(KILLED);
    asked = true;
    stop();
  };
  const hangup = (): void => handlers.reload();
  const reopen = (): void => handlers.reopen();
  const replace = (): void => handlers.replace();
  const listeners = [
    ["SIGTERM", end],
    ["SIGINT", end],
    ["SIGHUP", hangup],
    ["SIGUSR1", reopen],
    ["SIGUSR2", replace],
  ] as const;
  const handlers: Signals = {
    reload: () => {},
    reopen: () => {},
    replace: () => {},
    off() {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    },
  };
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return handlers;
}

function consoleText(
  { inventory, configFile }: ServeOptions,
  demo: Awaited<ReturnType<typeof startDemoEdges>>,
) {
  const flags = configFile === "config/edgeward.yaml" ? "" : `-c ${configFile}`;
  return `${demoHelp(inventory, demo.started, demo.skipped, flags)}\nIP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0. Stop with Ctrl-C.\n`;
}
