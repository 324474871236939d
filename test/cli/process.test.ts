import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);

/** The command line as a process of its own, compiled as it is shipped. */
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "edgeward-cli-"));
  const compiler = resolve("node_modules/typescript/bin/tsc");
  const flags = ["--outDir", folder, "--rootDir", "src", "--module", "nodenext", "--target", "es2023"];
  const more = ["--ignoreConfig", "--types", "node", "--skipLibCheck", "--rewriteRelativeImportExtensions"];
  await run(process.execPath, [compiler, ...flags, ...more, "src/cli/program.ts"]);
  await symlink(resolve("node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  await writeFile(join(folder, "main.js"), MAIN);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const MAIN = `
import { runCli } from "./cli/program.js";
import { processIo } from "./cli/terminal.js";
const actions = {
  version: "1.2.3",
  defaultConfigFile: "e.yaml",
  importFormats: ["csv"],
  schema: () => "x".repeat(1 << 22),
  geo: async (file, address) => ({ kind: "done", value: { address, prefix: address, layer: "places" } }),
  defaultServer: async () => ({ kind: "done", value: undefined }),
};
process.exitCode = await runCli(process.argv.slice(2), actions, processIo());
`;

describe("as a process", () => {
  it("prints all of a long answer and exits by itself", async () => {
    const { stdout } = await run(process.execPath, [join(folder, "main.js"), "schema"], {
      maxBuffer: 1 << 23,
    });
    expect(stdout.length).toBe((1 << 22) + 1);
  });

  it("is quiet when its reader goes away", async () => {
    const child = spawn(process.execPath, [join(folder, "main.js"), "schema"]);
    let err = "";
    child.stderr.on("data", (chunk: Buffer) => (err += chunk.toString()));
    child.stdout.once("data", () => child.stdout.destroy());
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    expect({ code, signal, err }).toEqual({ code: 0, signal: null, err: "" });
  });

  it.runIf(process.platform === "linux")("fails when its output cannot be written", async () => {
    const command = `"$0" "$1" geo 203.0.113.7 >/dev/full`;
    const writing = run("sh", ["-c", command, process.execPath, join(folder, "main.js")]);
    await expect(writing).rejects.toMatchObject({ code: 1, stderr: "" });
  });

  it("writes no colour into a pipe", async () => {
    const { stdout } = await run(process.execPath, [join(folder, "main.js"), "geo", "203.0.113.7"]);
    expect(stdout).toContain("203.0.113.7");
    expect(stdout).toMatch(/^(?:\n|[^\p{Cc}])*$/u);
  });

  it("exits with the code of wrong usage", async () => {
    await expect(run(process.execPath, [join(folder, "main.js"), "geo", "nowhere"])).rejects.toMatchObject({
      code: 2,
    });
  });
});
