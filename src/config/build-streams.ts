import type { StreamChecks } from "../model/service.ts";
import type { Report } from "./report.ts";
import type { StreamsInput } from "./schema-streams.ts";
import { timeoutOf } from "./timing.ts";

const USUAL_TIMEOUT_MS = 2000;

export function buildStreams(input: StreamsInput, report: Report): StreamChecks {
  const { interval, timeout, ...same } = input;
  const timeoutMs = timeoutOf({ interval, timeout }, USUAL_TIMEOUT_MS, report, ["timeout"], "a check");
  return { ...same, intervalMs: interval, timeoutMs };
}
