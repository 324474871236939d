/**
 * Another process in this one's place, with its sockets, so that no viewer is lost: for a new version, a new Node,
 * other addresses to listen on.
 *
 * ```
 * this process                              the next one: the same command, the code as it is on disk now
 *   starts it with the viewers' sockets ──►   reads the configuration
 *                 what is known of edges ◄─►  takes it, probes them
 *                                        ◄──  open: answers, beside this one
 *   closes the operators' door
 *                 what is known of edges ──►  takes it, opens its own
 *   answers what has come in, ends
 * ```
 *
 * Both read the same sockets for a moment. Whatever waits in them stays when one process closes them.
 */
import { type ChildProcess, spawn } from "node:child_process";
import type { RememberedChallenge } from "./acme/challenges.ts";
import { type HandedSockets, type InheritedSockets, inheritSockets } from "./base/inherited-sockets.ts";
import { yieldMemory } from "./base/out-of-memory.ts";
import type { BoardMemory } from "./condition/board-memory.ts";
import type { DnsThreads } from "./threads/dns-threads.ts";
import type { HttpThreads } from "./threads/http-threads.ts";
import type { Learned } from "./pricing/learned.ts";
import type { Unseen } from "./control/unseen.ts";

/** What the next process has to know to go on. Plain data. */
export interface Memory {
  readonly board: BoardMemory;
  readonly challenges: readonly RememberedChallenge[];
  /** Of DNS, in hexadecimal digits: cookies that resolvers hold are good at the next process. */
  readonly cookieSecret: string;
  readonly unseen: Unseen;
  readonly learned: Learned;
}

/** What listens for viewers. */
export interface ListeningDoors {
  readonly dns?: Pick<DnsThreads, "endpoints" | "handed">;
  readonly http?: Pick<HttpThreads, "endpoints" | "httpsEndpoints" | "handed">;
}

/** Every socket of the viewers' doors; `undefined` while these are not open, or where they are not all to be had. */
export function allSockets({ dns, http }: ListeningDoors): readonly HandedSockets[] | undefined {
  if (dns === undefined || http === undefined) return undefined;
  const addresses = 2 * dns.endpoints.length + http.endpoints.length + http.httpsEndpoints.length;
  const handed = [...dns.handed, ...http.handed];
  return handed.length === addresses ? handed : undefined;
}

/** The process whose place this one takes. */
export interface Predecessor {
  readonly inherited: InheritedSockets;
  /** What it knew when this one began. */
  readonly memory: Memory;
  /**
   * Tells it that the viewers' doors are open. Resolves when its other doors are closed, with what it knew last, or
   * without a word when it is gone.
   */
  relieve(): Promise<Memory | undefined>;
}

/** The process that is to take this one's place. */
export interface Successor {
  readonly pid: number;
  /** Tells it that the operators' door is closed. */
  goOn(memory: Memory): void;
}

export type SuccessorVerdict =
  | { readonly kind: "open"; readonly successor: Successor }
  /** Why there is none, and what to do about it; this process goes on. */
  | { readonly kind: "failed"; readonly reason: string };

export interface SuccessorOptions {
  readonly sockets: readonly HandedSockets[];
  readonly memory: () => Memory;
  /** Ends the attempt. */
  readonly signal: AbortSignal;
  readonly patienceMs?: number;
}

type ToSuccessor = { readonly kind: "begin" | "go-on"; readonly memory: Memory };
type ToPredecessor = { readonly kind: "begun" | "open" };

/**
 * Starts the next process, and resolves when it answers viewers or has failed; a failed one is ended. From then on this
 * process is the first to be ended where memory does not suffice for both, and until then the next one.
 */
export async function startSuccessor(options: SuccessorOptions): Promise<SuccessorVerdict> {
  const child = spawnSelf(options.sockets);
  const failure = await openingOf(child, options);
  if (failure !== undefined) {
    child.kill("SIGKILL");
    return { kind: "failed", reason: failure };
  }
  const goOn = (memory: Memory): void => {
    tell(child, { kind: "go-on", memory });
    child.disconnect();
    child.unref();
  };
  yieldMemory();
  return { kind: "open", successor: { pid: child.pid as number, goOn } };
}

/** Meets the process that started this one to take its place; `undefined` where this one takes nobody's. */
export async function meetPredecessor(): Promise<Predecessor | undefined> {
  const handed = process.env[SOCKETS_VARIABLE];
  if (handed === undefined || process.send === undefined) return undefined;
  delete process.env[SOCKETS_VARIABLE];
  const keepMemory = yieldMemory();
  const first = hear("begin");
  say("begun");
  const memory = await first;
  if (memory === undefined) throw new Error("the process to be replaced is gone");
  return {
    memory,
    inherited: inheritSockets(JSON.parse(handed) as HandedSockets[]),
    relieve() {
      const last = hear("go-on");
      keepMemory();
      say("open");
      return last;
    },
  };
}

/** Longer than a start and a first round of probes take; who asked for it waits as long. */
export const PATIENCE_MS = 60_000;

/** JSON of `HandedSockets`, with the descriptors of the process that it is for. */
const SOCKETS_VARIABLE = "EDGEWARD_SOCKETS";

/** Standard input, output and error, and the channel between both processes. */
const STDIO = ["inherit", "inherit", "inherit", "ipc"] as const;

function spawnSelf(sockets: readonly HandedSockets[]): ChildProcess {
  let fd: number = STDIO.length;
  const theirs = sockets.map((one): HandedSockets => ({ ...one, fds: one.fds.map(() => fd++) }));
  // Who watches over this process watches over the next one, whatever its number.
  const { WATCHDOG_PID: _, ...environment } = process.env;
  return spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    stdio: [...STDIO, ...sockets.flatMap(({ fds }) => fds)],
    env: { ...environment, [SOCKETS_VARIABLE]: JSON.stringify(theirs) },
  });
}

/** `undefined`: it is open; otherwise why it will never be. */
function openingOf(
  child: ChildProcess,
  { memory, signal, patienceMs = PATIENCE_MS }: SuccessorOptions,
): Promise<string | undefined> {
  const timeout = AbortSignal.timeout(patienceMs);
  return new Promise((resolve) => {
    child.on("message", ({ kind }: ToPredecessor) => {
      if (kind === "begun") tell(child, { kind: "begin", memory: memory() });
      else resolve(undefined);
    });
    child.once("error", ({ message }) => resolve(`the new process could not be started: ${message}`));
    child.once("exit", (code, signal) => resolve(endText(code, signal)));
    AbortSignal.any([signal, timeout]).addEventListener("abort", () =>
      resolve(
        signal.aborted ? "this process stops" : `the new process did not serve within ${patienceMs / 1000} s`,
      ),
    );
  });
}

function endText(code: number | null, signal: string | null): string {
  if (code === WRONG_CONFIGURATION) return "the configuration is wrong: `edgeward check` lists its problems";
  if (signal === "SIGKILL") return KILLED;
  return `the new process ended before it served (${signal ?? `exit code ${code}`}): the log says why`;
}

const KILLED =
  "the new process was killed before it served: perhaps there is not memory enough for two at once, within MemoryMax= or at all";

/** As the commands end with. */
const WRONG_CONFIGURATION = 3;

/** One that has ended hears nothing. */
function tell(child: ChildProcess, message: ToSuccessor): void {
  child.send(message, () => {});
}

function say(kind: ToPredecessor["kind"]): void {
  if (process.connected) process.send?.({ kind } satisfies ToPredecessor, () => {});
}

/** `undefined`: the predecessor is gone without a word. */
function hear(kind: ToSuccessor["kind"]): Promise<Memory | undefined> {
  if (!process.connected) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const heard = (message: ToSuccessor): void => {
      if (message.kind === kind) end(message.memory);
    };
    const gone = (): void => end(undefined);
    const end = (memory: Memory | undefined): void => {
      process.off("message", heard).off("disconnect", gone);
      resolve(memory);
    };
    process.on("message", heard).on("disconnect", gone);
  });
}
