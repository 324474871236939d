import { readdirSync } from "node:fs";
import { setPriority } from "node:os";
import { type Scheduling, takeLongTurns } from "./turns.ts";

/**
 * Lets the other threads go first where there are fewer processors than work. Linux takes this for the calling thread
 * alone; elsewhere it would be the whole program's, and is left.
 * @param nice 1, a little, to 19, for whatever is left over
 */
export function standBack(nice: number): void {
  if (process.platform === "linux") setPriority(nice);
}

/**
 * The same for V8's threads, which collect garbage and compile for everyone who waits for them; they take long turns,
 * too. To be called in the first thread. libuv's threads, which read and write files and so the log, go on as they
 * are: V8's are the first that Node starts, and where their number is set (`--v8-pool-size`), nobody can tell them
 * apart, and all are left.
 */
export function letHelpersStandBack(libc: Scheduling | undefined, nice: number): void {
  if (process.platform !== "linux" || isPoolSizeSet()) return;
  const others = threadsOfProcess().filter((thread) => thread !== process.pid);
  for (const thread of others.sort(byAge).slice(0, V8_THREADS)) {
    try {
      setPriority(thread, nice);
      if (libc !== undefined) takeLongTurns(libc, thread);
    } catch {
      // It has ended meanwhile.
    }
  }
}

/** Four, by Node's default, and the one that wakes them later. */
const V8_THREADS = 4 + 1;

function isPoolSizeSet(): boolean {
  return [...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].some((text) =>
    /--v8[-_]pool[-_]size/.test(text),
  );
}

/** Threads are numbered in the order in which they start, beginning again after at most 2^22 (proc(5), `pid_max`). */
function byAge(a: number, b: number): number {
  return ageRank(a) - ageRank(b);
}

function ageRank(thread: number): number {
  return (thread - process.pid) & ((1 << 22) - 1);
}

function threadsOfProcess(): number[] {
  try {
    return readdirSync("/proc/self/task").map(Number);
  } catch {
    return []; // Where /proc is hidden, they go on as they are.
  }
}
