import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { setup } from "../temporary-folder.ts";

const children: ChildProcess[] = [];
afterAll(() => {
  for (const child of children) child.kill("SIGKILL");
});

/** A program of that name that runs until it is ended. */
async function startIn(home: string, temporaryFolder: string, name = "main.js"): Promise<ChildProcess> {
  mkdirSync(join(home, "dist"), { recursive: true });
  const program = join(home, "dist", name);
  writeFileSync(program, "setInterval(() => {}, 1000); console.log('runs');");
  const env = { PATH: process.env["PATH"], TMPDIR: temporaryFolder };
  const child = spawn(process.execPath, [program], { env });
  children.push(child);
  await once(child.stdout, "data");
  return child;
}

it.runIf(process.platform === "linux")(
  "programs that tests have left running end with the run, and no others",
  async () => {
    const home = mkdtempSync(join(tmpdir(), "left-programs-"));
    const tearDown = setup();
    const own = tmpdir();
    const left = await startIn(home, own);
    const others = [await startIn(home, home), await startIn(home, own, "other.js")];
    const ended = once(left, "exit");
    tearDown();
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(others.map(({ exitCode, signalCode }) => [exitCode, signalCode])).toEqual([
      [null, null],
      [null, null],
    ]);
  },
);
