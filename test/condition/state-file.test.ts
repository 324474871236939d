import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Override } from "../../src/condition/override.ts";
import { createStateFile } from "../../src/condition/state-file.ts";
import type { Log } from "../../src/model/log.ts";

const DRAIN: Override = {
  edgeId: "ams1",
  state: "drain",
  by: "eva",
  reason: "new disk",
  atMs: 1,
  untilMs: 2,
  fileState: "active",
};

let folder: string;
let file: string;
let errors: string[];
let log: Log;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgeward-state-"));
  file = join(folder, "state.json");
  errors = [];
  log = { info() {}, warn() {}, error: (_, message) => void errors.push(message) };
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
});

describe("the state file", () => {
  it("gives back what was written, and only its owner may read it", async () => {
    const stateFile = createStateFile(file, log);
    expect(await stateFile.write([DRAIN])).toEqual({ kind: "written" });
    expect(await createStateFile(file, log).read()).toEqual([DRAIN]);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it("is nothing at first, without a word; its folder is made", async () => {
    const inNewFolder = join(folder, "a", "b", "state.json");
    const stateFile = createStateFile(inNewFolder, log);
    expect(await stateFile.read()).toEqual([]);
    expect(errors).toEqual([]);
    expect(await stateFile.write([DRAIN])).toEqual({ kind: "written" });
    expect(await stateFile.read()).toEqual([DRAIN]);
  });

  it("keeps the last of many writes at once", async () => {
    const stateFile = createStateFile(file, log);
    await Promise.all(Array.from({ length: 20 }, (_, i) => stateFile.write([{ ...DRAIN, atMs: i }])));
    expect(await stateFile.read()).toEqual([{ ...DRAIN, atMs: 19 }]);
  });

  it.each([
    "",
    "{",
    "[]",
    "null",
    '{"version":2,"overrides":[]}',
    '{"version":1}',
    '{"version":1,"overrides":[null]}',
    '{"version":1,"overrides":[{"edgeId":"ams1","state":"gone","by":"","reason":"","atMs":1,"fileState":"active"}]}',
    '{"version":1,"overrides":[{"edgeId":"ams1","state":"drain","by":"","reason":"","atMs":"1","fileState":"active"}]}',
    '{"version":1,"overrides":[{"edgeId":"ams1","state":"drain","by":"","reason":"","atMs":1,"fileState":"active","absentSinceMs":""}]}',
  ])("is set aside when it makes no sense: %s", async (text) => {
    await writeFile(file, text);
    expect(await createStateFile(file, log).read()).toEqual([]);
    expect(errors.length).toBe(1);
    expect(await readdir(folder)).toEqual(["state.json.corrupt"]);
    expect(await readFile(`${file}.corrupt`, "utf8")).toBe(text);
  });

  it("tells whoever writes that it will not last, and goes on", async () => {
    await mkdir(file);
    const stateFile = createStateFile(file, log);
    expect(await stateFile.write([DRAIN])).toEqual({
      kind: "failed",
      problem: expect.stringContaining("EISDIR") as string,
    });
    expect(errors.length).toBe(1);
    expect(await readdir(folder)).toEqual(["state.json"]);
    await rm(file, { recursive: true });
    expect(await stateFile.write([DRAIN])).toEqual({ kind: "written" });
  });

  it("is left alone when it is a folder", async () => {
    await mkdir(file);
    const stateFile = createStateFile(file, log);
    expect(await stateFile.read()).toEqual([]);
    expect(await stateFile.write([DRAIN])).toMatchObject({ kind: "failed" });
    expect(await readdir(folder)).toEqual(["state.json"]);
  });

  it("is left alone when it cannot be read, and set aside before it is written to", async () => {
    await symlink("state.json", file);
    const stateFile = createStateFile(file, log);
    expect(await stateFile.read()).toEqual([]);
    expect(errors).toEqual(["state file cannot be read: drains set before are forgotten"]);
    expect(await readdir(folder)).toEqual(["state.json"]);
    expect(await stateFile.write([DRAIN])).toEqual({ kind: "written" });
    expect(await stateFile.write([])).toEqual({ kind: "written" });
    expect((await readdir(folder)).sort()).toEqual(["state.json", "state.json.unread"]);
    expect((await lstat(`${file}.unread`)).isSymbolicLink()).toBe(true);
    expect(await createStateFile(file, log).read()).toEqual([]);
  });

  it("is old or new, never half, after each of 100 kills in the middle of writing", {
    timeout: 600_000,
  }, async () => {
    const writer = await compiledWriter();
    for (let kill = 0; kill < 100; kill++) {
      await killWhileWriting(writer, kill % 25);
      const overrides = await createStateFile(file, log).read();
      expect(overrides.length).toBe(2000);
      expect(new Set(overrides.map(({ reason }) => reason)).size).toBe(1);
    }
    expect(errors).toEqual([]);
  });
});

/** Starts a writer, lets it go on for so long, and kills it. */
async function killWhileWriting(program: string, forMs: number): Promise<void> {
  const writer = spawn(process.execPath, [program, file], { stdio: ["ignore", "pipe", "inherit"] });
  await once(writer.stdout, "data");
  await new Promise((resolve) => setTimeout(resolve, forMs));
  writer.kill("SIGKILL");
  await once(writer, "exit");
}

/** The path of the writer as JavaScript, which every Node runs. */
async function compiledWriter(): Promise<string> {
  const out = join(folder, "compiled");
  const flags = ["--outDir", out, "--rootDir", ".", "--module", "nodenext", "--target", "es2023"];
  const more = ["--ignoreConfig", "--types", "node", "--skipLibCheck", "--rewriteRelativeImportExtensions"];
  const compiler = resolve("node_modules/typescript/bin/tsc");
  await run(process.execPath, [compiler, ...flags, ...more, "test/condition/state-writer.ts"]);
  await writeFile(join(out, "package.json"), '{ "type": "module" }');
  return join(out, "test/condition/state-writer.js");
}

const run = promisify(execFile);
