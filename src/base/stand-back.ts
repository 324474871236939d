import { readdirSync } from "node:fs";
import { setPriority } from "node:os";

/**
 * Lets the other threads go first where there are fewer processors than work. Linux takes this for the calling thread alone;
 * elsewhere it would be the whole program's, and is left.
 * @param nice 1, a little, to 19, for whatever is left over
 */
export function standBack(nice: number): void {
  if (process.platform === "linux") setPriority(nice);
}

/**
 * The same for all threads of this process but its first, which runs JavaScript. To be called in that one before it starts others: those
 * that are there are V8's, which collect garbage and compile for everyone who cares to wait for them.
 */
export function letHelpersStandBack(nice: number): void {
  if (process.platform !== "linux") return;
  for (const thread of threadsOfProcess()) {
    if (thread === process.pid) continue;
    try {
      setPriority(thread, nice);
    } catch {
      // It has ended meanwhile.
    }
  }
}

function threadsOfProcess(): number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return []; // Where /proc is hidden, they go on as they are.
  }
}
