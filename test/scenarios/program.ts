/** Runs the program as its users do, `node dist/main.js`. */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll } from "vitest";

export const ROOT = resolve(import.meta.dirname, "../..");
const PROGRAM = join(ROOT, "dist/main.js");

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Child {
  readonly process: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly exited: Promise<Run>;
}

/** Those of a test that failed or timed out before it stopped them end with its file. */
const running = new Set<ChildProcess>();
const endAll = (): void => {
  for (const child of running) child.kill("SIGKILL");
};
process.once("exit", endAll);
afterAll(endAll);

/** Runs a command that goes on until it is told to stop. */
export function spawnEdgeward(args: readonly string[], environment: Record<string, string> = {}): Child {
  if (!existsSync(PROGRAM)) throw new Error("dist/main.js is missing: run npm run build first");
  // By its temporary folder it is found at the end of the run, should this process be killed.
  const { PATH = "", TMPDIR = tmpdir() } = process.env;
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: ROOT,
    env: { PATH, TMPDIR, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  child.once("close", () => running.delete(child));
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
  const stdout = (): string => Buffer.concat(out).toString();
  const stderr = (): string => Buffer.concat(err).toString();
  const exited = new Promise<Run>((resolve) => {
    child.once("close", (code) => resolve({ code, stdout: stdout(), stderr: stderr() }));
  });
  return { process: child, stdout, stderr, exited };
}

/** Runs one command to its end. */
export function edgeward(...args: string[]): Promise<Run> {
  return spawnEdgeward(args).exited;
}
