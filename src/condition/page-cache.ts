import type { LoadReport } from "../model/condition.ts";
import type { Edge, LoadSource } from "../model/edge.ts";
import { type Received, sourceIndexOf } from "./merge.ts";

/**
 * Servers that call memory used which only caches files. Linux fills all of it with those in time, so that a machine
 * which has run for days looks full to them whatever it does.
 */
const COUNT_IT_AS_USED: ReadonlySet<LoadSource["type"]> = new Set(["nimble", "wowza", "flashphoner"]);

/**
 * What can fill an edge of what is known of its load: memory that such a server tells only where the operator said at
 * how much of it the edge is full.
 */
export function bindingLoad(
  load: LoadReport,
  { capacity, load: sources }: Pick<Edge, "capacity" | "load">,
  reports: readonly (Received | undefined)[],
  nowMs: number,
): LoadReport {
  if (capacity.memory !== undefined) return load;
  const source = sources[sourceIndexOf("memory", reports, nowMs)];
  return source === undefined ? load : withoutPageCache(load, source);
}

/** The report without memory that says nothing of how full its machine is. */
export function withoutPageCache(report: LoadReport, { type }: Pick<LoadSource, "type">): LoadReport {
  if (!COUNT_IT_AS_USED.has(type)) return report;
  const { memory: _, ...rest } = report;
  return rest;
}
