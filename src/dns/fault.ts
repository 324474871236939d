import type { Log } from "../model/log.ts";

/** A bug that every query meets is told now and then, not for each. */
export function faultReporter(log: Log): (error: unknown) => void {
  let quietUntilMs = 0;
  return (error) => {
    const nowMs = performance.now();
    if (nowMs < quietUntilMs) return;
    quietUntilMs = nowMs + FAULT_PAUSE_MS;
    log.error({ error }, "a DNS query could not be answered");
  };
}

const FAULT_PAUSE_MS = 10_000;
