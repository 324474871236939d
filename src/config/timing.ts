import type { Report } from "./report.ts";
import { formatDuration } from "./units.ts";

/** Of an edge, and of the canary. */
export const USUAL_PROBE_TIMEOUT_MS = 1000;

/**
 * How long what is done again and again may take: it must have ended before it is done again.
 * @param given in milliseconds; without a timeout it is the usual one, or the interval where that is shorter
 * @param usualMs milliseconds
 * @param path of the timeout
 * @param what as `a probe`
 * @returns milliseconds
 */
export function timeoutOf(
  { interval, timeout }: { readonly interval: number; readonly timeout?: number | undefined },
  usualMs: number,
  report: Report,
  path: Parameters<Report>[0],
  what: string,
): number {
  if (timeout === undefined) return Math.min(usualMs, interval);
  if (timeout <= interval) return timeout;
  const [own, most] = [formatDuration(timeout), formatDuration(interval)];
  report(
    path,
    `${own} is longer than the interval, ${most}: ${what} must end before the next starts; write ${most} or less`,
  );
  return timeout;
}
