import type { StreamChecks } from "../model/service.ts";
import type { Report } from "./report.ts";
import type { StreamsInput } from "./schema-streams.ts";

export function buildStreams(input: StreamsInput, report: Report): StreamChecks {
  const { interval, timeout, ...same } = input;
  if (timeout > interval)
    report(["timeout"], "longer than the interval; a check must end before the next starts");
  return { ...same, intervalMs: interval, timeoutMs: timeout };
}
