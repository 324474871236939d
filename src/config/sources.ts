import { isUtf8 } from "node:buffer";
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
  const main = await readSource(mainFile, findings);
  const sources = main === undefined ? [] : [main];
  for (const file of typeof more === "string" ? [] : more) {
    const source = await readSource(file, findings, edgesAdvice);
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

/** What would be right where a file cannot be had: that depends on what it is for. */
export interface Advice {
  readonly absent: string;
  readonly empty: string;
  readonly noFile: string;
  /** Where it is a folder; left out: the same. */
  readonly folder?: (file: string) => string;
}

const mainAdvice: Advice = {
  absent: "name the configuration with -c FILE",
  empty: "start from the reference config/edgeward.yaml",
  noFile: "name the configuration with -c FILE",
  folder: (file) => `name one, as ${join(file, "edgeward.yaml")}`,
};

const edgesAdvice: Advice = {
  absent: "it was there when the folder was listed",
  empty: "write edges: into it, or remove it",
  noFile: "take it out of edges.d, or give it another name: those that end in .yaml are read",
};

/** One file; what is wrong with it goes to `findings`. */
export async function readSource(
  file: string,
  findings: Findings,
  advice: Advice = mainAdvice,
): Promise<SourceFile | undefined> {
  const outcome = await readWhole(file, advice);
  if ("text" in outcome) return outcome;
  const { line = 1, column = 1, message } = outcome;
  findings.add({ file, line, column }, [], message);
  return undefined;
}

interface Flaw {
  readonly message: string;
  readonly line?: number;
  readonly column?: number;
}

/** The file, or what is wrong with it. A file that is written to while it is read is read again. */
async function readWhole(file: string, advice: Advice): Promise<SourceFile | Flaw> {
  for (let attempt = 0; attempt < readAttempts; attempt++) {
    const outcome = await readOnce(file, advice);
    if (outcome !== "changed") return outcome;
  }
  return { message: "keeps changing while it is read; write a new file and rename it into place" };
}

async function readOnce(file: string, advice: Advice): Promise<SourceFile | Flaw | "changed"> {
  try {
    // Who opens a named pipe waits for somebody to write to it.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const before = await handle.stat();
      if (!before.isFile())
        return { message: `is not a file; ${fileAdvice(before.isDirectory(), file, advice)}` };
      if (before.size > maxOctets) return { message: sizeProblem(before.size) };
      const octets = await handle.readFile();
      const after = await handle.stat();
      const steady = before.mtimeMs === after.mtimeMs && octets.length === after.size;
      return steady ? decode(file, octets, after.mtimeMs, advice) : "changed";
    } finally {
      await handle.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" && (await isThere(file))) return { message: LEADS_NOWHERE };
    return { message: accessProblem(code, advice) };
  }
}

function fileAdvice(isFolder: boolean, file: string, { folder, noFile }: Advice): string {
  return isFolder && folder !== undefined ? folder(file) : noFile;
}

function sizeProblem(octets: number): string {
  return `has ${octets} octets; a file holds at most ${maxOctets}: spread the edges over edges.d/*.yaml`;
}

function decode(file: string, octets: Uint8Array, mtimeMs: number, advice: Advice): SourceFile | Flaw {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(octets);
    return text.trim() === "" ? { message: `is empty; ${advice.empty}` } : { file, text, mtimeMs };
  } catch {
    return { message: "is not UTF-8 text; save it as UTF-8", ...firstForeign(octets) };
  }
}

/** Where the first octets stand that are not UTF-8: no line feed is part of another character. */
function firstForeign(octets: Uint8Array): Pick<Flaw, "line" | "column"> {
  let line = 1;
  for (let start = 0; start < octets.length; line++) {
    const feed = octets.indexOf(0x0a, start);
    const end = feed < 0 ? octets.length : feed;
    const row = octets.subarray(start, end);
    if (!isUtf8(row)) return { line, column: new TextDecoder().decode(row).indexOf("\ufffd") + 1 };
    start = end + 1;
  }
  return {};
}

function accessProblem(code: string | undefined, advice: Advice): string {
  switch (code) {
    case "ENOENT":
      return `does not exist; ${advice.absent}`;
    case "EACCES":
    case "EPERM":
      return "may not be read; give the user of edgeward read permission";
    case "EISDIR":
      return "is a folder; name the file in it";
    default:
      return `cannot be read (${code ?? "unknown error"})`;
  }
}
