import { setTimeout as sleep } from "node:timers/promises";
import type { Child } from "./program.ts";

export { sleep };

/** Asks again and again until it is so; what throws counts as not yet. Returns the milliseconds it took. */
export async function waitFor(
  isSo: () => Promise<boolean> | boolean,
  timeoutMs: number,
  what: string | (() => string) = "it",
  child?: Child,
): Promise<number> {
  const startMs = performance.now();
  for (;;) {
    const now = await Promise.resolve()
      .then(isSo)
      .catch(() => false);
    const tookMs = performance.now() - startMs;
    if (now) return tookMs;
    const gone = child !== undefined && child.process.exitCode !== null;
    if (gone || tookMs > timeoutMs) {
      child?.process.kill("SIGKILL");
      throw new Error(
        `waited ${Math.round(tookMs)} ms in vain for ${typeof what === "string" ? what : what()}`,
      );
    }
    await sleep(15);
  }
}
