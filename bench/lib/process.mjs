import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createSocket } from "node:dgram";
import { availableParallelism, tmpdir } from "node:os";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const PROJECT = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** The server has a core of its own, and so has who asks it. */
export const SERVER_CORE = 0;
export const LOAD_CORE = 1;

/** @param {string} program @returns {boolean} whether it is installed */
export function isInstalled(program) {
  return pathOf(program) !== undefined;
}

/** @param {string} program @returns {string | undefined} */
export function pathOf(program) {
  const path = `${process.env.PATH ?? ""}:/usr/sbin:/sbin`;
  try {
    const found = execFileSync("sh", ["-c", `command -v "$1"`, "sh", program], { env: { PATH: path } });
    return found.toString().trim();
  } catch {
    return undefined;
  }
}

const canPin = isInstalled("taskset") && availableParallelism() > LOAD_CORE;

/** Said where figures are published that no core of their own stands behind. */
export const PINNING_NOTE = canPin
  ? `Server pinned to core ${SERVER_CORE}, load to core ${LOAD_CORE}.`
  : "Not pinned: that takes taskset and two cores. The figures will vary.";

/**
 * The command that runs a program on one core, or several as in `0,1`; the process keeps its id.
 * @param {number | string} core
 * @param {readonly string[]} command
 * @returns {[string, ...string[]]}
 */
export function pinned(core, command) {
  const [program = "", ...args] = command;
  return canPin ? ["taskset", "-c", String(core), program, ...args] : [program, ...args];
}

/**
 * @typedef {object} Child
 * @property {number} pid
 * @property {import("node:child_process").ChildProcess} process
 * @property {() => string} output what it said, the last 64 KiB
 * @property {(text: string) => Promise<void>} says resolves when it has said this; rejects when it ends before
 * @property {() => Promise<void>} stop
 */

/**
 * Starts a program on a core, or several as in `0,1`, and listens to what it says.
 * @param {number | string} core
 * @param {readonly string[]} command
 * @param {{ ipc?: boolean, cwd?: string }} [options]
 * @returns {Child}
 */
export function start(core, command, { ipc = false, cwd = PROJECT } = {}) {
  const [program, ...args] = pinned(core, command);
  /** @type {import("node:child_process").StdioOptions} */
  const stdio = ["ignore", "pipe", "pipe", ...(ipc ? [/** @type {const} */ ("ipc")] : [])];
  const child = spawn(program, args, { cwd, stdio });
  let said = "";
  /** @type {Set<() => void>} */
  const listeners = new Set();
  const tell = () => {
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk) => {
      said = (said + String(chunk)).slice(-65_536);
      tell();
    });
  let isRunning = true;
  const ended = new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
    const end = () => {
      isRunning = false;
      tell();
      resolve();
    };
    child.on("exit", end);
    child.on("error", end);
  });
  return {
    pid: child.pid ?? -1,
    process: child,
    output: () => said,
    says: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (said.includes(text)) resolve();
          else if (!isRunning)
            reject(new Error(`${program} ${args.join(" ")} has ended:\n${said.slice(-2000)}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    async stop() {
      if (isRunning) child.kill("SIGTERM");
      const patience = setTimeout(() => child.kill("SIGKILL"), 5000);
      await ended;
      clearTimeout(patience);
    },
  };
}

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"]));

/**
 * User and system time of all threads, in steps of one tick (10 ms).
 * @param {number} pid
 */
export function cpuSeconds(pid) {
  return secondsIn(`/proc/${pid}/stat`);
}

/**
 * The same of the main thread alone.
 * @param {number} pid
 */
export function mainThreadSeconds(pid) {
  return secondsIn(`/proc/${pid}/task/${pid}/stat`);
}

/** @param {string} file of /proc */
function secondsIn(file) {
  const text = readFileSync(file, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

const QUIET_SHARE = 0.05;
const QUIET_PATIENCE_MS = 60_000;

/**
 * Resolves when what a process does once after its start is done: when it has taken hardly any CPU time for a second.
 * @param {number} pid
 */
export async function untilQuiet(pid) {
  const untilMs = performance.now() + QUIET_PATIENCE_MS;
  let before = cpuSeconds(pid);
  while (performance.now() < untilMs) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const now = cpuSeconds(pid);
    if (now - before < QUIET_SHARE) return;
    before = now;
  }
}

/** @param {number} pid */
export function residentMiB(pid) {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "latin1"));
  return Number(found?.[1] ?? Number.NaN) / 1024;
}

/** Private memory and the process's share of what it has in common with others (PSS). @param {number} pid */
export function proportionalMiB(pid) {
  const found = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1"));
  return Number(found?.[1] ?? Number.NaN) / 1024;
}

/** A port that was free for UDP and TCP a moment ago. @returns {Promise<number>} */
export async function freePort() {
  for (;;) {
    const port = await freeTcpPort();
    if (await isFreeForUdp(port)) return port;
  }
}

/** @returns {Promise<number>} */
function freeTcpPort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/** @param {number} port @returns {Promise<boolean>} */
function isFreeForUdp(port) {
  return new Promise((resolve) => {
    const socket = createSocket("udp4");
    socket.once("error", () => resolve(false));
    socket.bind(port, "127.0.0.1", () => socket.close(() => resolve(true)));
  });
}

/**
 * Runs with a folder of its own, which is removed afterwards.
 * @template T
 * @param {(folder: string) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function inScratch(work) {
  const folder = mkdtempSync(join(tmpdir(), "edgeward-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
