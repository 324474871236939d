import { availableParallelism } from "node:os";

const MOST_THREADS = 8;

/** One core is left for the rest. */
export function defaultThreads(): number {
  return Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1));
}
