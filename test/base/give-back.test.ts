import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { expect, it } from "vitest";

const GIVE_BACK = resolve(import.meta.dirname, "../../dist/base/give-back.js");

/** 64 MiB in 32 pieces, each beside one that stays: how much of it the process still has when they are freed, MiB. */
function keptMiB(before: string): number {
  const program = `
    const { keepLargePiecesApart } = await import(${JSON.stringify(GIVE_BACK)});
    ${before};
    const piece = (octets) => new Uint8Array(octets).fill(1);
    const collect = () => new Promise((resolve) => setTimeout(() => resolve(gc()), 20));
    piece(2 << 20);
    await collect();
    await collect();
    const startMiB = process.memoryUsage.rss() / 2 ** 20;
    const staying = [];
    let pieces = Array.from({ length: 32 }, () => (staying.push(piece(1 << 17)), piece(2 << 20)));
    pieces = undefined;
    await collect();
    await collect();
    await collect();
    console.log(process.memoryUsage.rss() / 2 ** 20 - startMiB, staying.length);`;
  const { stdout } = spawnSync(process.execPath, ["--expose-gc", "--input-type=module", "-e", program]);
  return Number.parseFloat(String(stdout));
}

it.skipIf(process.platform !== "linux")("large pieces are given back when they are freed", () => {
  expect(keptMiB("keepLargePiecesApart()")).toBeLessThan(24);
  expect(keptMiB(""), "or it proves nothing").toBeGreaterThan(40);
});
