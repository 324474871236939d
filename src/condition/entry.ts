import { isDeepStrictEqual } from "node:util";
import { familiesOf } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import type { Condition, FamilyHealth, LoadReport } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import { type LoadLevel, levelOf } from "./load-level.ts";
import { bindingOf, isFresh, measuredAtMs, mergeReports, perViewerOf, type Received } from "./merge.ts";
import { bindingLoad } from "./page-cache.ts";
import { type EffectiveState, effectiveState, type Override } from "./override.ts";

/** All that is known of one edge. Replaced, never edited. */
export interface Entry {
  readonly edge: Edge;
  readonly health: readonly FamilyHealth[];
  /** As in `World.downAddresses`; 0: none. */
  readonly downAddresses: number;
  /** By position in `Edge.load`. */
  readonly reports: readonly (Received | undefined)[];
  readonly override: Override | undefined;
  /** What follows from the above, now. */
  readonly view: View;
}

export interface View {
  readonly load: LoadReport;
  /** NaN unknown or unlimited. */
  readonly loadRatio: number;
  /** Monotonic, when what the ratio is of was measured; NaN never. */
  readonly loadAtMs: number;
  /** Monotonic, when the viewers were counted, or, where nobody counts them, what the ratio is of; NaN never. */
  readonly viewersAtMs: number;
  /** How much of the capacity one more viewer takes; 0 unknown or unlimited. */
  readonly perViewer: number;
  readonly level: LoadLevel;
  readonly effective: EffectiveState;
  /** Monotonic: when the first report that counts now no longer will; Infinity when none does. */
  readonly staleAtMs: number;
}

/** The edge as configured now, with what is still known of it from before. */
export function entryOf(
  edge: Edge,
  before: Entry | undefined,
  override: Override | undefined,
  clock: Clock,
): Entry {
  const health = familiesOf(edge.addresses).map(
    (family): FamilyHealth =>
      before?.health.find((known) => known.family === family) ?? {
        family,
        health: "unknown",
        sinceMs: clock.wallMs(),
      },
  );
  const reports = edge.load.map((source, i) => {
    const received = before?.edge.load[i]?.type === source.type ? before.reports[i] : undefined;
    return received === undefined ? undefined : { ...received, staleAfterMs: source.staleAfterMs };
  });
  const isSameAddresses = before !== undefined && isDeepStrictEqual(before.edge.addresses, edge.addresses);
  const downAddresses = isSameAddresses ? before.downAddresses : 0;
  const facts = { edge, health, downAddresses, reports, override };
  return { ...facts, view: viewOf(facts, before?.view.level ?? "unknown", clock.monotonicMs()) };
}

/** The same edge with other facts, seen at another time. */
export function changed(
  entry: Entry,
  facts: Partial<Pick<Entry, "health" | "downAddresses" | "reports" | "override">>,
  nowMs: number,
): Entry {
  const next = { ...entry, ...facts };
  return { ...next, view: viewOf(next, entry.view.level, nowMs) };
}

function viewOf(facts: Omit<Entry, "view">, levelBefore: LoadLevel, nowMs: number): View {
  const { edge, reports, override } = facts;
  const load = mergeReports(reports, nowMs);
  const binding = bindingLoad(load, edge, reports, nowMs);
  const { ratio: loadRatio, quantity = "viewers" } = bindingOf(binding, edge.capacity);
  const newestMs = newestAtMs(reports);
  const viewersAtMs = measuredAtMs("viewers", reports, nowMs);
  const loadAtMs = measuredAtMs(quantity, reports, nowMs) ?? viewersAtMs ?? newestMs;
  const fresh = reports.filter((received) => received !== undefined && isFresh(received, nowMs));
  const ends = fresh.map((received) => (received === undefined ? 0 : received.atMs + received.staleAfterMs));
  return {
    load,
    loadRatio,
    loadAtMs,
    viewersAtMs: viewersAtMs ?? loadAtMs,
    perViewer: perViewerOf(load, edge.capacity, loadRatio),
    level: levelOf(loadRatio, levelBefore),
    effective: effectiveState(edge.state, override),
    staleAtMs: Math.min(Number.POSITIVE_INFINITY, ...ends),
  };
}

/** What `edges` shows. */
export function conditionOf(entry: Entry, nowMs: number): Condition {
  const { edge, health, view } = entry;
  const ageMs = reportAgeMs(entry, nowMs);
  return {
    edgeId: edge.id,
    health,
    state: view.effective.state,
    stateOrigin: view.effective.origin,
    load: view.load,
    ...(Number.isNaN(view.loadRatio) ? {} : { loadRatio: view.loadRatio }),
    ...(ageMs === undefined ? {} : { reportAgeMs: ageMs }),
  };
}

/** Of the newest report of any source, fresh or not. */
export function reportAgeMs({ reports }: Entry, nowMs: number): number | undefined {
  const atMs = newestAtMs(reports);
  return Number.isNaN(atMs) ? undefined : nowMs - atMs;
}

/** Monotonic; NaN for none. */
function newestAtMs(reports: Entry["reports"]): number {
  const times = reports.flatMap((received) => (received === undefined ? [] : [received.atMs]));
  return times.length === 0 ? Number.NaN : Math.max(...times);
}
