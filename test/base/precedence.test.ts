import { spawnSync } from "node:child_process";
import { getPriority } from "node:os";
import { describe, expect, it } from "vitest";
import { loadLibc } from "../../src/base/libc.ts";
import { Precedence } from "../../src/base/precedence.ts";

const MODULES = ["precedence", "libc"].map(
  (name) => new URL(`../../dist/base/${name}.js`, import.meta.url).href,
);

/**
 * In a process of its own: its niceness at first, after turns without a sleep, after turns with one each, and after
 * turns without again.
 */
function nicenessIn(...command: readonly [string, ...string[]]): readonly number[] {
  const program = `
    import { getPriority } from "node:os";
    const [{ Precedence }, { loadLibc }] = await Promise.all(${JSON.stringify(MODULES)}.map((url) => import(url)));
    const precedence = new Precedence(loadLibc().libc);
    const cell = new Int32Array(new SharedArrayBuffer(4));
    const seen = [getPriority()];
    for (const sleepMs of [0, 1, 0]) {
      for (let turn = 0; turn < 200; turn++) {
        if (sleepMs > 0) Atomics.wait(cell, 0, 0, sleepMs);
        precedence.turn();
      }
      seen.push(getPriority());
    }
    console.log(JSON.stringify(seen));`;
  const [file, ...args] = command;
  const { stdout, stderr } = spawnSync(
    file,
    [...args, process.execPath, "--input-type=module", "-e", program],
    { env: { ...process.env, NODE_OPTIONS: "" } },
  );
  expect(String(stderr)).toBe("");
  return JSON.parse(String(stdout)) as readonly number[];
}

const mayGoFirst = process.getuid?.() === 0 && spawnSync("nice", ["-n", "-20", "true"]).stderr.length === 0;

describe.runIf(loadLibc().kind === "loaded")("a thread that comes first", () => {
  it.runIf(mayGoFirst)(
    "does so while it has time to sleep, and takes turns with the others when it has none",
    () => {
      expect(nicenessIn("nice", "-n", "2")).toEqual([-18, 2, -18, 2]);
      expect(nicenessIn("nice", "-n", "-15")).toEqual([-20, -15, -20, -15]);
    },
  );

  it("comes as far before others as it may", () => {
    const own = getPriority();
    const set: number[] = [];
    const getrusage = (): number => 0;
    const precedence = new Precedence({ getrusage }, (nice) => {
      if (nice < own - 7) throw new Error("EACCES");
      set.push(nice);
    });
    for (let turn = 0; turn < 100; turn++) precedence.turn();
    expect(set).toEqual([own - 7, own]);
  });

  it.runIf(process.getuid?.() === 0)("stays as it is where that is not allowed", () => {
    expect(nicenessIn("setpriv", "--bounding-set=-sys_nice", "nice", "-n", "7")).toEqual([7, 7, 7, 7]);
  });
});
