import type { Log } from "../model/log.ts";

/** A bug that every query meets is told now and then, not for each. */
export function faultReporter(log: Log): (error: unknown) => void {
  return sometimes((error: unknown) => log.error({ error }, "a DNS query could not be answered"));
}

/** What is told every ten seconds at most; what comes in between is not told at all. */
export function sometimes<T>(tell: (what: T) => void): (what: T) => void {
  let quietUntilMs = 0;
  return (what) => {
    const nowMs = performance.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + PAUSE_MS;
    tell(what);
  };
}

const PAUSE_MS = 10_000;
