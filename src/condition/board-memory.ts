import { isDeepStrictEqual } from "node:util";
import type { Clock } from "../base/clock.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Entries } from "./entries.ts";
import type { Entry } from "./entry.ts";
import { carriedOver, type Override } from "./override.ts";
import type { Overrides } from "./overrides.ts";

/** What another process has to know to go on. Plain data. Health is not in it: whoever goes on probes first. */
export interface BoardMemory {
  readonly overrides: readonly Override[];
  readonly reports: readonly RememberedReport[];
}

export interface RememberedReport {
  readonly edgeId: string;
  readonly sourceIndex: number;
  /** A `load.type`: what is known from another source than that is of no use. */
  readonly type: string;
  readonly report: LoadReport;
  readonly ageMs: number;
}

/** @param nowMs monotonic */
export function memoryOf(
  entries: readonly Entry[],
  overrides: readonly Override[],
  nowMs: number,
): BoardMemory {
  return { overrides, reports: entries.flatMap((entry) => reportsToRemember(entry, nowMs)) };
}

function reportsToRemember({ edge, reports }: Entry, nowMs: number): RememberedReport[] {
  return reports.flatMap((received, sourceIndex) => {
    const type = edge.load[sourceIndex]?.type;
    if (received === undefined || type === undefined) return [];
    const { report, atMs } = received;
    return [{ edgeId: edge.id, sourceIndex, type, report, ageMs: nowMs - atMs }];
  });
}

/** Goes on with what another process knew: its overrides instead of those here, its reports as old as they are. */
export function remember(memory: BoardMemory, entries: Entries, overrides: Overrides, clock: Clock): void {
  const remembered = new Map(
    memory.overrides.map((override) => [override.edgeId, stillMeant(override, entries, clock)]),
  );
  const affected = new Set([...overrides.all().map(({ edgeId }) => edgeId), ...remembered.keys()]);
  for (const edgeId of affected) rememberOverride(edgeId, remembered.get(edgeId), entries, overrides);
  for (const report of memory.reports) rememberReport(report, entries, clock);
}

function stillMeant(override: Override, entries: Entries, clock: Clock): Override | undefined {
  return carriedOver(override, entries.get(override.edgeId)?.edge.state, clock.wallMs());
}

function rememberOverride(
  edgeId: string,
  override: Override | undefined,
  entries: Entries,
  overrides: Overrides,
): void {
  if (isDeepStrictEqual(override, overrides.get(edgeId))) return;
  if (override === undefined) overrides.remove(edgeId);
  else overrides.set(override);
  const entry = entries.get(edgeId);
  if (entry !== undefined) entries.update(entry, { override });
}

function rememberReport(
  { edgeId, sourceIndex, type, report, ageMs }: RememberedReport,
  entries: Entries,
  clock: Clock,
): void {
  const entry = entries.get(edgeId);
  if (entry?.edge.load[sourceIndex]?.type !== type) return;
  const known = entry.reports[sourceIndex];
  if (known === undefined || clock.monotonicMs() - known.atMs > ageMs)
    entries.report(entry, sourceIndex, report, ageMs);
}
