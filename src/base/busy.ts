import { type EventLoopUtilization, performance } from "node:perf_hooks";

/** Measured over at least this long: a moment's rush is no overload. */
const WINDOW_MS = 2000;

/** What happened longer ago says nothing of now: then it is measured anew, and nobody is known to be busy meanwhile. */
const LONGEST_MS = 10_000;

/** Share of the time, 0..1, that this thread's event loop had something to do, of late; 0 if nobody asked of late. */
export function createBusyShare(
  measure: () => EventLoopUtilization = () => performance.eventLoopUtilization(),
  nowMs: () => number = () => performance.now(),
): () => number {
  let before = measure();
  let sinceMs = nowMs();
  let share = 0;
  return () => {
    const now = nowMs();
    if (now - sinceMs < WINDOW_MS) return share;
    const after = measure();
    const [active, idle] = [after.active - before.active, after.idle - before.idle];
    share = active + idle > 0 && now - sinceMs <= LONGEST_MS ? active / (active + idle) : 0;
    [before, sinceMs] = [after, now];
    return share;
  };
}
