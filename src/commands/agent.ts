/**
 * `edgeward agent`: reads a server's load beside it and brings it to the operators' door, for edges that cannot be
 * reached from outside.
 */
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createDeliverer, type Deliverer } from "../agent/deliver.ts";
import { startPushing } from "../agent/pushing.ts";
import { parsePrefix } from "../base/address.ts";
import { systemClock } from "../base/clock.ts";
import type { AgentOptions } from "../cli/actions.ts";
import { type Answer, done, type Failure } from "../cli/answer.ts";
import { mergeReports, type Received } from "../condition/merge.ts";
import { withoutPageCache } from "../condition/page-cache.ts";
import { type AgentSettings, agentFor, loadAgent, type LoadedAgent } from "../config/agent.ts";
import { pullOnce } from "../load/once.ts";
import { type PullInventory, startPullers } from "../load/puller.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Log } from "../model/log.ts";
import type { LoadSource } from "../model/edge.ts";
import { createLog } from "../ops/log.ts";

/** What is to be read, and to whom it is brought. */
interface Task {
  readonly edgeId: string;
  readonly server: URL;
  readonly token: string | undefined;
  readonly ca: string | undefined;
  readonly load: readonly LoadSource[];
}

export async function runAgent(options: AgentOptions): Promise<Answer<void>> {
  const read = await readTask(options);
  if ("kind" in read) return read;
  return options.once ? once(read) : untilSignal(options, read);
}

/** Or what is wrong with it. */
async function readTask(options: AgentOptions): Promise<Task | Failure> {
  const loaded = await settingsOf(options);
  if (loaded.kind === "problems") return { kind: "wrong-configuration", problems: loaded.problems };
  const task = await taskOf(options, loaded.settings);
  return typeof task === "string" ? { kind: "wrong-usage", message: task } : task;
}

function delivererFor({ server, edgeId, token, ca }: Task): Deliverer {
  return createDeliverer({
    server,
    edgeId,
    ...(token === undefined ? {} : { token }),
    ...(ca === undefined ? {} : { ca }),
  });
}

async function once(task: Task): Promise<Answer<void>> {
  const deliverer = delivererFor(task);
  try {
    return await readAndDeliver(task, deliverer);
  } finally {
    await deliverer.close();
  }
}

function settingsOf({ file, source, url }: AgentOptions): Promise<LoadedAgent> | LoadedAgent {
  return file === undefined ? agentFor(source ?? "", url ?? "") : loadAgent(file, process.env);
}

/** Or what is missing. What the command line says is stronger than the file. */
async function taskOf(options: AgentOptions, settings: AgentSettings): Promise<Task | string> {
  const edgeId = options.edge ?? settings.edge;
  const server = options.server ?? settings.server;
  if (edgeId === undefined) return "which edge this is remains unsaid; add --edge ID, or edge: to the file";
  if (server === undefined)
    return "where the operators' door is remains unsaid; add --server URL, or server: to the file";
  const token = await textIn(options.tokenFile);
  const ca = await textIn(options.caFile);
  for (const read of [token, ca]) if (read?.kind === "unreadable") return read.problem;
  if (ca?.kind === "text" && !isCertificate(ca.text))
    return `--ca: ${options.caFile} holds no certificate in PEM`;
  return {
    edgeId,
    server: new URL(server),
    token: (token?.kind === "text" ? token.text.trim() : undefined) ?? settings.token ?? options.token,
    ca: ca?.kind === "text" ? ca.text : undefined,
    load: settings.load,
  };
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== "";
  } catch {
    return false;
  }
}

type Read =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "unreadable"; readonly problem: string };

async function textIn(file: string | undefined): Promise<Read | undefined> {
  if (file === undefined) return undefined;
  try {
    return { kind: "text", text: await readFile(file, "utf8") };
  } catch (error) {
    const { code = "unknown error" } = error as NodeJS.ErrnoException;
    return { kind: "unreadable", problem: `${file} cannot be read (${code})` };
  }
}

/** For cron: one reading, one delivery. */
async function readAndDeliver({ load, server }: Task, deliverer: Deliverer): Promise<Answer<void>> {
  const sources = await pullOnce({ load }, BESIDE);
  const received = sources.map(({ report }, index) => ({
    report: reportOf(load[index], report),
    atMs: 0,
    staleAfterMs: Infinity,
  }));
  const report = mergeReports(received, 0);
  if (isEmpty(report)) {
    const problems = sources.map(({ type, problem }) => `${type}: ${problem ?? "it tells nothing"}`);
    return { kind: "no", message: `nothing could be read: ${problems.join("; ")}` };
  }
  const delivery = await deliverer.deliver(report);
  if (delivery.kind === "taken") return done(undefined);
  const message = `the service at ${server.href} does not take the report: ${delivery.problem}`;
  return { kind: delivery.kind === "refused" ? "no" : "unreachable", message };
}

/** SIGHUP has everything read again; what is wrong then leaves the agent as it was. */
async function untilSignal(options: AgentOptions, first: Task): Promise<Answer<void>> {
  const log = createLog({ level: "info", destination: 2 });
  let stop: () => Promise<void>;
  const readAgain = async (): Promise<void> => {
    const read = await readTask(options);
    if ("kind" in read) return log.error({ ...read }, "not read again: the agent goes on as before");
    await stop();
    stop = start(read, log);
  };
  let turn: Promise<void> = Promise.resolve();
  const ended = untilEnded(() => {
    turn = turn.then(readAgain);
  });
  stop = start(first, log);
  await ended;
  await turn;
  await stop();
  await log.stop();
  return done(undefined);
}

function start(task: Task, log: Log): () => Promise<void> {
  warnOfClearText(task, log);
  const deliverer = delivererFor(task);
  const stop = startAgent(task, deliverer, log);
  log.info({ edge: task.edgeId, server: task.server.origin }, "agent reports");
  return async () => {
    stop();
    await deliverer.close();
  };
}

function startAgent({ edgeId, load }: Task, { deliver }: Deliverer, log: Log): () => void {
  const received: (Received | undefined)[] = load.map(() => undefined);
  const pushing = startPushing({
    deliver,
    newest: () => {
      const report = mergeReports(received, systemClock.monotonicMs());
      return isEmpty(report) ? undefined : report;
    },
    intervalMs: Math.min(...load.map(intervalOf)),
    log,
  });
  const pullers = startPullers({
    log,
    onReport: (_, index, read) => {
      received[index] = {
        report: reportOf(load[index], read),
        atMs: systemClock.monotonicMs(),
        staleAfterMs: MISSED_MAX * intervalOf(load[index]),
      };
      pushing.offer();
    },
  });
  pullers.take({ ...BESIDE, edges: [{ id: edgeId, load }] });
  return () => {
    pullers.stop();
    pushing.stop();
  };
}

/**
 * A source that failed so often in a row is left out of what is brought; the service lets reports grow old on its
 * own.
 */
const MISSED_MAX = 2.5;

function intervalOf(source: LoadSource | undefined): number {
  return source === undefined || source.type === "push" ? Infinity : source.intervalMs;
}

/** What the service can go by, which does not see of which server a report is. */
function reportOf(source: LoadSource | undefined, report: LoadReport): LoadReport {
  return source === undefined ? report : withoutPageCache(report, source);
}

function isEmpty(report: LoadReport): boolean {
  return Object.keys(report).length === 0;
}

/** What an agent reads is mostly on its own machine, by whatever name. */
const BESIDE: PullInventory = {
  allowedProbeNetworks: ["127.0.0.0/8", "::1/128"].flatMap((text) => parsePrefix(text) ?? []),
  listen: { dns: [], http: [], ops: { host: "127.0.0.1", port: 0 } },
  edges: [],
};

function warnOfClearText({ server, token }: Task, log: Log): void {
  const isLocal = /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(server.hostname);
  if (server.protocol === "https:" || isLocal || token === undefined) return;
  log.warn({ server: server.origin }, "the token travels in the clear: use https, or a private network");
}

/** Resolves at SIGTERM or SIGINT. @param onHangUp at each SIGHUP until then */
function untilEnded(onHangUp: () => void): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      process.off("SIGTERM", end).off("SIGINT", end).off("SIGHUP", onHangUp);
      resolve();
    };
    process.on("SIGTERM", end).on("SIGINT", end).on("SIGHUP", onHangUp);
  });
}
