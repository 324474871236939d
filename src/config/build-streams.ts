import type { StreamChecks } from "../model/service.ts";
import type { Report } from "./report.ts";
import type { StreamsInput } from "./schema-streams.ts";
import { checkTimeout } from "./timing.ts";

export function buildStreams(input: StreamsInput, report: Report): StreamChecks {
  const { interval, timeout, ...same } = input;
  checkTimeout(input, report, ["timeout"], "a check");
  return { ...same, intervalMs: interval, timeoutMs: timeout };
}
