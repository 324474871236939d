import { readFileSync, writeFileSync } from "node:fs";

/**
 * Has the system end this process rather than any other when there is no memory left, in its control group or at all
 * (proc_pid_oom_score_adj(5)). Where there is no such choice, nothing.
 * @returns undoes it
 */
export function yieldMemory(): () => void {
  try {
    const before = readFileSync(SCORE, "latin1");
    writeFileSync(SCORE, FIRST_TO_END);
    return () => tryWrite(before);
  } catch {
    return () => {};
  }
}

/** What it was before may always be written again, whatever the process may do. */
function tryWrite(score: string): void {
  try {
    writeFileSync(SCORE, score);
  } catch {
    // It stays the first to be ended, and serves all the same.
  }
}

const SCORE = "/proc/self/oom_score_adj";
const FIRST_TO_END = "1000";
