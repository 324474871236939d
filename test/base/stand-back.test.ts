import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";

const MODULE = new URL("../../dist/base/stand-back.js", import.meta.url).href;
const LIBC = new URL("../../dist/base/libc.js", import.meta.url).href;

interface Seen {
  readonly own: number;
  readonly later: number;
  /** Of threads that were there but the first, by how much each has done since in libuv's pool. */
  readonly others: readonly { readonly nice: number; readonly ticks: number }[];
}

/** Keeps libuv's four threads busy before and after V8's are told to stand back, and looks who did the work. */
function standBackIn(...nodeOptions: string[]): Seen {
  const program = `
    import { pbkdf2 } from "node:crypto";
    import { readdirSync, readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    import { promisify } from "node:util";
    import { Worker } from "node:worker_threads";
    const { letHelpersStandBack } = await import(${JSON.stringify(MODULE)});
    const work = (rounds) =>
      Promise.all(Array.from({ length: 4 }, () => promisify(pbkdf2)("a", "b", rounds, 64, "sha512")));
    const ticksOf = (thread) => {
      const stat = readFileSync("/proc/self/task/" + thread + "/stat", "utf8");
      return Number(stat.slice(stat.lastIndexOf(")")).split(" ")[12]);
    };
    await work(1);
    const threads = readdirSync("/proc/self/task").map(Number).filter((thread) => thread !== process.pid);
    const before = threads.map(ticksOf);
    const { loadLibc } = await import(${JSON.stringify(LIBC)});
    letHelpersStandBack(loadLibc().libc, 10);
    await work(300_000);
    const others = threads.map((thread, i) => ({ nice: getPriority(thread), ticks: ticksOf(thread) - before[i] }));
    const later = new Worker('require("node:worker_threads").parentPort.postMessage(require("node:os").getPriority())', { eval: true, execArgv: [] });
    later.on("message", (nice) => {
      console.log(JSON.stringify({ own: getPriority(process.pid), later: nice, others }));
    });`;
  const args = [...nodeOptions, "--input-type=module", "-e", program];
  const { stdout, stderr } = spawnSync(process.execPath, args, { env: { ...process.env, NODE_OPTIONS: "" } });
  expect(String(stderr)).toBe("");
  return JSON.parse(String(stdout)) as Seen;
}

describe.runIf(process.platform === "linux")("who stands back", () => {
  it("are V8's threads: not libuv's, through which files are read and written, nor those started later", () => {
    const { own, later, others } = standBackIn();
    expect(own).toBeLessThan(10);
    expect(later).toBe(own);
    const byWork = [...others].sort((a, b) => b.ticks - a.ticks);
    expect(byWork[3]?.ticks, "four have worked").toBeGreaterThan(5);
    expect(byWork.slice(0, 4).map(({ nice }) => nice)).toEqual([own, own, own, own]);
    expect(others.filter(({ nice }) => nice === 10)).toHaveLength(5);
  });

  it("is nobody where the number of V8's threads is set, so that they cannot be told apart", () => {
    const { own, others } = standBackIn("--v8-pool-size=2");
    expect(new Set(others.map(({ nice }) => nice))).toEqual(new Set([own]));
  });
});
