import { mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AdminState } from "../model/edge.ts";
import type { Log } from "../model/log.ts";
import type { Override } from "./override.ts";

/** Where operators' drains are kept over a restart. */
export interface StateFile {
  /**
   * At start. No file is no override. One that makes no sense is set aside as `.corrupt`, and said so; one that cannot be
   * read, and is no folder, is set aside as `.unread` before the first write.
   */
  read(): Promise<Override[]>;
  /**
   * Replaces the whole, durably, so that a crash at any moment leaves the old file or the new one. Writes
   * follow each other in the order of the calls. Never rejects: whoever drained must be told that it will not last.
   */
  write(overrides: readonly Override[]): Promise<WriteResult>;
}

export type WriteResult =
  | { readonly kind: "written" }
  /** In words. */
  | { readonly kind: "failed"; readonly problem: string };

const VERSION = 1;

/** @param file absolute path; its folder is made if need be */
export function createStateFile(file: string, log: Log): StateFile {
  let last: Promise<unknown> = Promise.resolve();
  let isUnread = false;
  const setAside = async (): Promise<void> => {
    if (isUnread) await rename(file, `${file}.unread`);
    isUnread = false;
  };
  return {
    async read() {
      const found = await readIfThere(file);
      if (found.kind === "absent") return [];
      if (found.kind === "unreadable") {
        isUnread = found.code !== "EISDIR";
        log.error({ file, code: found.code }, "state file cannot be read: drains set before are forgotten");
        return [];
      }
      const { text } = found;
      const overrides = parseState(text);
      if (overrides !== undefined) return overrides;
      const aside = `${file}.corrupt`;
      await rename(file, aside).catch(() => {});
      log.error({ file, aside }, "state file makes no sense: set aside, drains set before are forgotten");
      return [];
    },
    write(overrides) {
      const text = `${JSON.stringify({ version: VERSION, overrides }, undefined, 2)}\n`;
      const written = last
        .then(setAside)
        .then(() => replaceFile(file, text))
        .then(
          (): WriteResult => ({ kind: "written" }),
          (error: unknown): WriteResult => {
            const problem = `the state file ${file} cannot be written: ${codeOf(error)}`;
            log.error(
              { file, code: codeOf(error) },
              "state file cannot be written: drains will not outlast a restart",
            );
            return { kind: "failed", problem };
          },
        );
      last = written;
      return written;
    },
  };
}

type Found =
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly code: string }
  | { readonly kind: "read"; readonly text: string };

async function readIfThere(file: string): Promise<Found> {
  try {
    return { kind: "read", text: await readFile(file, "utf8") };
  } catch (error) {
    const code = codeOf(error);
    return code === "ENOENT" ? { kind: "absent" } : { kind: "unreadable", code };
  }
}

/** Temporary file beside it, flushed, renamed over it, and the rename flushed too. */
async function replaceFile(file: string, text: string): Promise<void> {
  const folder = dirname(file);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const temporary = join(folder, `.${basename(file)}.${process.pid}.tmp`);
  try {
    await writeFlushed(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw error;
  }
  await flushFolder(folder);
}

async function writeFlushed(file: string, text: string): Promise<void> {
  const handle = await open(file, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function flushFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Undefined unless the whole makes sense. */
function parseState(text: string): Override[] | undefined {
  const document = parseJson(text) as { version?: unknown; overrides?: unknown } | null | undefined;
  if (typeof document !== "object" || document === null || document.version !== VERSION) return undefined;
  const { overrides } = document;
  return Array.isArray(overrides) && overrides.every(isOverride) ? overrides : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isOverride(value: unknown): value is Override {
  if (typeof value !== "object" || value === null) return false;
  const { edgeId, state, by, reason, atMs, untilMs, deadlineMs, absentSinceMs, fileState } = value as {
    [key: string]: unknown;
  };
  return (
    [edgeId, by, reason].every((text) => typeof text === "string") &&
    isState(state) &&
    isState(fileState) &&
    Number.isFinite(atMs) &&
    [untilMs, deadlineMs, absentSinceMs].every((time) => time === undefined || Number.isFinite(time))
  );
}

function isState(value: unknown): value is AdminState {
  return value === "active" || value === "drain" || value === "off";
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? "unknown error";
}
