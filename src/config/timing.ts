import type { Report } from "./report.ts";
import { formatDuration } from "./units.ts";

/**
 * What is done again and again must have ended before it is done again.
 * @param path of the timeout
 * @param what as `a probe`
 */
export function checkTimeout(
  { interval, timeout }: { readonly interval: number; readonly timeout: number },
  report: Report,
  path: Parameters<Report>[0],
  what: string,
): void {
  if (timeout <= interval) return;
  const [own, most] = [formatDuration(timeout), formatDuration(interval)];
  report(
    path,
    `${own} is longer than the interval, ${most}: ${what} must end before the next starts; write ${most} or less`,
  );
}
