import { spawnSync } from "node:child_process";
import { expect, it } from "vitest";

const MODULE = new URL("../../dist/base/stand-back.js", import.meta.url).href;

it.runIf(process.platform === "linux")("V8's threads stand back, and threads started later do not", () => {
  const program = `
    import { readdirSync } from "node:fs";
    import { getPriority } from "node:os";
    import { Worker } from "node:worker_threads";
    const { letHelpersStandBack } = await import(${JSON.stringify(MODULE)});
    const before = readdirSync("/proc/self/task").map(Number);
    letHelpersStandBack(10);
    const later = new Worker('require("node:worker_threads").parentPort.postMessage(require("node:os").getPriority())', { eval: true, execArgv: [] });
    later.on("message", (nice) => {
      const own = getPriority(process.pid);
      const others = before.filter((thread) => thread !== process.pid).map((thread) => getPriority(thread));
      console.log(JSON.stringify({ own, others, later: nice }));
    });`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program]);
  expect(String(stderr)).toBe("");
  const { own, others, later } = JSON.parse(String(stdout)) as {
    own: number;
    others: number[];
    later: number;
  };
  expect(own).toBeLessThan(10);
  expect(later).toBe(own);
  expect(others.length).toBeGreaterThan(0);
  expect(new Set(others)).toEqual(new Set([10]));
});
