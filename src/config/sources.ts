import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isMachineTrouble } from "../base/machine-trouble.ts";
import type { Findings } from "./findings.ts";

/** Reading and checking takes memory and time in proportion. */
const maxOctets = 2 ** 20;
const readAttempts = 3;

/** A file as it was at one moment. */
export interface SourceFile {
  readonly file: string;
  readonly text: string;
  readonly mtimeMs: number;
}

/** Where more edges may stand: `edges.d` beside the main file. */
export function edgesFolder(mainFile: string): string {
  return join(dirname(mainFile), "edges.d");
}

/**
 * The main file and the files of `edges.d`, in order of their names: what changes when any of them comes or goes.
 * @throws where this machine cannot list them for now
 */
export async function listFiles(mainFile: string): Promise<string[]> {
  const more = await edgeFiles(edgesFolder(mainFile));
  return [mainFile, ...(typeof more === "string" ? [] : more)];
}

/** Reads every file there is; what cannot be read goes to `findings`. */
export async function readSources(mainFile: string, findings: Findings): Promise<SourceFile[]> {
  const folder = edgesFolder(mainFile);
  const more = await edgeFiles(folder).catch((error: NodeJS.ErrnoException) => folderProblem(error.code));
  if (typeof more === "string") findings.add({ file: folder, line: 1, column: 1 }, [], more);
  const sources: SourceFile[] = [];
  for (const file of [mainFile, ...(typeof more === "string" ? [] : more)]) {
    const source = await readSource(file, findings);
    if (source !== undefined) sources.push(source);
  }
  return sources;
}

/**
 * The files in a folder, none without a folder; or why they cannot be listed, lest their edges be taken for removed.
 * @throws where this machine cannot list them for now
 */
async function edgeFiles(folder: string): Promise<string[] | string> {
  try {
    const names = await readdir(folder);
    const wanted = names.filter((name) => /\.ya?ml$/.test(name) && !name.startsWith("."));
    return wanted.sort().map((name) => join(folder, name));
  } catch (error) {
    if (isMachineTrouble(error)) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return (await isThere(folder)) ? folderProblem(code) : [];
  }
}

/** A link too that leads nowhere. */
async function isThere(file: string): Promise<boolean> {
  return lstat(file).then(
    () => true,
    () => false,
  );
}

const LEADS_NOWHERE = "is a link that leads nowhere; mend it, or remove it";

function folderProblem(code: string | undefined): string {
  switch (code) {
    case "ENOENT":
      return LEADS_NOWHERE;
    case "ENOTDIR":
      return "is not a folder; files with more edges stand in it";
    case "EACCES":
    case "EPERM":
      return "may not be listed; give the user of edgeward permission to read and enter it";
    default:
      return `cannot be listed (${code ?? "unknown error"})`;
  }
}

/**
 * The same for the same texts in files of the same names, whenever they were written.
 * @param findings what could not be read, and nothing else yet: that it is gone is an edit, too
 */
export function digestOf(sources: readonly SourceFile[], findings: Findings): string {
  const read = sources.map(({ file, text }) => [file, text]);
  const unread = findings.sorted("").map(({ file, message }) => [file, message]);
  return createHash("sha256")
    .update(JSON.stringify([read, unread]))
    .digest("base64");
}

/** One file; what is wrong with it goes to `findings`. */
export async function readSource(file: string, findings: Findings): Promise<SourceFile | undefined> {
  const outcome = await readWhole(file);
  if (typeof outcome !== "string") return outcome;
  findings.add({ file, line: 1, column: 1 }, [], outcome);
  return undefined;
}

/** The file, or what is wrong with it. A file that is written to while it is read is read again. */
async function readWhole(file: string): Promise<SourceFile | string> {
  for (let attempt = 0; attempt < readAttempts; attempt++) {
    const outcome = await readOnce(file);
    if (outcome !== "changed") return outcome;
  }
  return "keeps changing while it is read; write a new file and rename it into place";
}

async function readOnce(file: string): Promise<SourceFile | string> {
  try {
    // Who opens a named pipe waits for somebody to write to it.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const before = await handle.stat();
      if (!before.isFile()) return `is not a file; name one, as ${join(file, "edgeward.yaml")}`;
      if (before.size > maxOctets) return sizeProblem(before.size);
      const octets = await handle.readFile();
      const after = await handle.stat();
      const steady = before.mtimeMs === after.mtimeMs && octets.length === after.size;
      return steady ? decode(file, octets, after.mtimeMs) : "changed";
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && (await isThere(file))) return LEADS_NOWHERE;
    return accessProblem(code);
  }
}

function sizeProblem(octets: number): string {
  return `has ${octets} octets; a file holds at most ${maxOctets}: spread the edges over edges.d/*.yaml`;
}

function decode(file: string, octets: Uint8Array, mtimeMs: number): SourceFile | string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(octets);
    return text.trim() === ""
      ? "is empty; start from the reference config/edgeward.yaml"
      : { file, text, mtimeMs };
  } catch {
    return "is not UTF-8 text; save it as UTF-8";
  }
}

function accessProblem(code: string | undefined): string {
  switch (code) {
    case "ENOENT":
      return "does not exist; name the configuration with -c FILE";
    case "EACCES":
    case "EPERM":
      return "may not be read; give the user of edgeward read permission";
    case "EISDIR":
      return "is a folder; name the file in it";
    default:
      return `cannot be read (${code ?? "unknown error"})`;
  }
}
