import { startApp } from "./app.ts";
import { letHelpersStandBack } from "./base/stand-back.ts";
import { type Answer, done } from "./cli/answer.ts";
import { startDemoEdges } from "./demo/edges.ts";
import { demoHelp } from "./demo/help.ts";
import type { Inventory } from "./model/inventory.ts";
import { createLog, type LogWriter } from "./ops/log.ts";

export interface ServeOptions {
  readonly inventory: Inventory;
  readonly configFile: string;
  /** Also start the demo edges, and say on the console what to try. */
  readonly demo: boolean;
  readonly version: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** A tenth of what those who answer have of a processor that is not enough for both. */
const HELPERS_NICE = 10;

/** Runs until a signal: SIGTERM and SIGINT stop in order, a second one at once; SIGHUP reads the configuration again. */
export async function serve(options: ServeOptions): Promise<Answer<void>> {
  const { inventory, version, environment } = options;
  letHelpersStandBack(HELPERS_NICE);
  const log = createLog({ level: options.demo ? "warn" : "info", destination: 2 });
  const stopped = new AbortController();
  const stopping = onSignals(() => stopped.abort());
  const uncaught = (error: unknown): void => {
    log.error({ error }, "a fault that nobody caught; going on");
  };
  process.on("unhandledRejection", uncaught);
  const demo = options.demo ? await startDemoEdges(inventory.edges, log) : undefined;
  try {
    const app = await startApp({ inventory, environment, log, version, metrics: [log.metrics] });
    stopping.reload = () => void app.reload();
    const signalled = aborted(stopped.signal);
    try {
      const endpoints = await Promise.race([app.opened, signalled]);
      if (endpoints !== undefined) {
        if (demo !== undefined) process.stdout.write(consoleText(options, demo));
        log.info({ version, ...endpoints }, "edgeward serves");
      }
      await signalled;
    } finally {
      await app.stop();
    }
    return done(undefined);
  } catch (error) {
    return { kind: "no", message: error instanceof Error ? error.message : String(error) };
  } finally {
    await demo?.stop();
    await goodbye(log);
    process.off("unhandledRejection", uncaught);
    stopping.off();
  }
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

function onSignals(stop: () => void): { reload: () => void; off: () => void } {
  let asked = false;
  const end = (): void => {
    if (asked) process.exit(KILLED);
    asked = true;
    stop();
  };
  const hangup = (): void => handlers.reload();
  const handlers = {
    reload: () => {},
    off: () => {
      process.off("SIGTERM", end).off("SIGINT", end).off("SIGHUP", hangup);
    },
  };
  process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", hangup);
  return handlers;
}

function consoleText(
  { inventory, configFile }: ServeOptions,
  demo: Awaited<ReturnType<typeof startDemoEdges>>,
) {
  const flags = configFile === "config/edgeward.yaml" ? "" : `-c ${configFile}`;
  return `${demoHelp(inventory, demo.started, demo.skipped, flags)}\nIP Geolocation by DB-IP (https://db-ip.com), CC BY 4.0. Stop with Ctrl-C.\n`;
}
