import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Condition, FamilyHealth, LoadReport, ProbedHealth } from "../model/condition.ts";
import type { AdminState } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { AbsentEdgeView } from "../model/views.ts";
import type { Facts } from "../model/world.ts";
import { changesBetween, type ConditionChange } from "./change.ts";
import { changed, conditionOf, type Entry, entryOf } from "./entry.ts";
import { factsOf } from "./facts.ts";
import { conditionMetrics } from "./metrics.ts";
import { absentView, carriedOver, isRetraction, type Override } from "./override.ts";
import { createOverrides } from "./overrides.ts";

/**
 * Where everything that is known of the edges comes together.
 *
 * ```
 * probes ─── health ──┐              ┌─► Facts ─► prices, the engine
 * reports ── load ────┼─► one entry ─┼─► Condition ─► API, CLI, dashboard
 * operators, file ────┘   per edge   └─► ConditionChange ─► log, event stream
 * ```
 */
export interface Board {
  /** What is known of an edge stays, as far as the edge still has that address family, that load source. */
  take(inventory: Inventory): void;
  /** Edges and families that are not in the inventory are ignored. */
  health(edgeId: string, probed: ProbedHealth): void;
  /** Of addresses that are down while their family is up, bits by their position; 0: none. */
  downAddresses(edgeId: string, bits: number): void;
  /** `sourceIndex`: position in `Edge.load`. */
  report(edgeId: string, sourceIndex: number, report: LoadReport): void;
  /** For the edge's own report, whichever source that is. */
  pushReport(edgeId: string, report: LoadReport): "taken" | "unknown-edge" | "not-pushed";
  /**
   * `active` takes an earlier drain back; over a file that drains, it holds until the file's word changes. Of an edge
   * that is not configured, it makes an earlier drain forgotten.
   */
  setState(edgeId: string, request: StateRequest): "set" | "forgotten" | "unknown-edge";
  /** Whether it takes new viewers by its administrative state. */
  isActive(edgeId: string): boolean;
  /** What the state file should hold: those of edges that are not configured now too. */
  overrides(): Override[];
  /** What was set of edges that are not configured, in case they come back. */
  absent(): AbsentEdgeView[];
  /** What another process has to know to go on. */
  memory(): BoardMemory;
  /** Goes on with what another process knew: its overrides instead of those here, its reports as old as they are. */
  remember(memory: BoardMemory): void;
  /** By `Inventory.edges` of the last `take`. The same object until something changes. */
  facts(): Facts;
  conditions(): Condition[];
  condition(edgeId: string): Condition | undefined;
  readonly metrics: MetricSource;
  stop(): void;
}

/** Plain data. Health is not in it: whoever goes on probes first. */
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

export interface BoardOptions {
  readonly clock?: Clock;
  /** As read from the state file. */
  readonly overrides?: readonly Override[];
  readonly onChange?: (change: ConditionChange) => void;
  /** Soon after anything has changed; not for `take`, whose caller knows. */
  readonly onFacts?: (facts: Facts) => void;
  /**
   * Overrides have ended by themselves, or their edges have gone or come back, so that the state file is out of date.
   */
  readonly onOverrides?: () => void;
}

export interface StateRequest {
  readonly state: AdminState;
  readonly by: string;
  readonly reason: string;
  /** Wall clock, milliseconds since 1970; when it ends by itself. */
  readonly untilMs?: number;
  /** Wall clock; of a drain: by when nobody is to be left. */
  readonly deadlineMs?: number;
}

/** How soon a report that grows old is noticed without anybody asking. */
const TICK_MS = 250;
/** Changes this close together make one world. */
const GATHER_MS = 20;

export function createBoard(options: BoardOptions): Board {
  const { clock = systemClock, onChange, onFacts, onOverrides } = options;
  let generation = 0;
  let ids: readonly string[] = [];
  const entries = new Map<string, Entry>();
  const overrides = createOverrides(clock, options.overrides ?? []);
  let facts: Facts | undefined;
  let cancelGathering: (() => void) | undefined;

  const put = (next: Entry): void => {
    const { id } = next.edge;
    const before = entries.get(id);
    entries.set(id, next);
    if (before !== undefined) for (const change of changesBetween(before, next)) onChange?.(change);
  };

  const update = (entry: Entry, news: Parameters<typeof changed>[1]): void => {
    put(changed(entry, news, clock.monotonicMs()));
    facts = undefined;
    cancelGathering ??= clock.after(GATHER_MS, () => {
      cancelGathering = undefined;
      onFacts?.(currentFacts());
    });
  };

  /** Whatever time alone has changed. */
  const age = (): void => {
    const nowMs = clock.monotonicMs();
    for (const edgeId of overrides.expire()) endOverride(edgeId);
    for (const entry of entries.values()) if (entry.view.staleAtMs <= nowMs) update(entry, {});
  };

  const endOverride = (edgeId: string): void => {
    const entry = entries.get(edgeId);
    if (entry !== undefined) update(entry, { override: undefined });
    onOverrides?.();
  };

  const currentEntries = (): Entry[] => {
    age();
    return ids.map((id) => entries.get(id)).filter((entry) => entry !== undefined);
  };

  const currentFacts = (): Facts => {
    const list = currentEntries();
    facts ??= factsOf(generation, list);
    return facts;
  };

  const setReport = (entry: Entry, sourceIndex: number, report: LoadReport, ageMs = 0): void => {
    const source = entry.edge.load[sourceIndex];
    if (source === undefined) return;
    const { staleAfterMs } = source;
    update(entry, {
      reports: entry.reports.with(sourceIndex, { report, atMs: clock.monotonicMs() - ageMs, staleAfterMs }),
    });
  };

  const carried = (override: Override): Override | undefined =>
    carriedOver(override, entries.get(override.edgeId)?.edge.state, clock.wallMs());

  const rememberOverride = (edgeId: string, override: Override | undefined): void => {
    if (isDeepStrictEqual(override, overrides.get(edgeId))) return;
    if (override === undefined) overrides.remove(edgeId);
    else overrides.set(override);
    const entry = entries.get(edgeId);
    if (entry !== undefined) update(entry, { override });
  };

  const rememberReport = ({ edgeId, sourceIndex, type, report, ageMs }: RememberedReport): void => {
    const entry = entries.get(edgeId);
    if (entry?.edge.load[sourceIndex]?.type !== type) return;
    const known = entry.reports[sourceIndex];
    if (known !== undefined && clock.monotonicMs() - known.atMs <= ageMs) return;
    setReport(entry, sourceIndex, report, ageMs);
  };

  const tick = (): void => {
    age();
    cancelTick = clock.after(TICK_MS, tick);
  };
  let cancelTick = clock.after(TICK_MS, tick);

  return {
    take(inventory) {
      if (overrides.take(inventory.edges)) onOverrides?.();
      const taken = new Set(inventory.edges.map(({ id }) => id));
      for (const id of entries.keys()) if (!taken.has(id)) entries.delete(id);
      for (const edge of inventory.edges)
        put(entryOf(edge, entries.get(edge.id), overrides.get(edge.id), clock));
      generation = inventory.generation;
      ids = [...taken];
      facts = undefined;
    },
    health(edgeId, probed) {
      const entry = entries.get(edgeId);
      const known = entry?.health.find(({ family }) => family === probed.family);
      if (entry === undefined || known === undefined) return;
      const sinceMs = known.health === probed.health ? known.sinceMs : clock.wallMs();
      const next: FamilyHealth = { ...probed, sinceMs };
      if (isDeepStrictEqual(known, next)) return;
      update(entry, { health: entry.health.map((other) => (other === known ? next : other)) });
    },
    downAddresses(edgeId, bits) {
      const entry = entries.get(edgeId);
      if (entry !== undefined && entry.downAddresses !== bits) update(entry, { downAddresses: bits });
    },
    report(edgeId, sourceIndex, report) {
      const entry = entries.get(edgeId);
      if (entry !== undefined) setReport(entry, sourceIndex, report);
    },
    pushReport(edgeId, report) {
      const entry = entries.get(edgeId);
      if (entry === undefined) return "unknown-edge";
      const sourceIndex = entry.edge.load.findIndex(({ type }) => type === "push");
      if (sourceIndex < 0) return "not-pushed";
      setReport(entry, sourceIndex, report);
      return "taken";
    },
    setState(edgeId, request) {
      const entry = entries.get(edgeId);
      if (entry === undefined)
        return request.state === "active" && overrides.remove(edgeId) ? "forgotten" : "unknown-edge";
      const { state: fileState } = entry.edge;
      const override: Override = { edgeId, ...request, atMs: clock.wallMs(), fileState };
      if (isRetraction(override)) overrides.remove(edgeId);
      else overrides.set(override);
      update(entry, { override: overrides.get(edgeId) });
      return "set";
    },
    isActive: (edgeId) => entries.get(edgeId)?.view.effective.state === "active",
    overrides: () => overrides.all(),
    absent: () =>
      overrides.all().flatMap((override) => (entries.has(override.edgeId) ? [] : [absentView(override)])),
    memory: () => ({
      overrides: overrides.all(),
      reports: currentEntries().flatMap((entry) => reportsToRemember(entry, clock.monotonicMs())),
    }),
    remember(memory) {
      const remembered = new Map(memory.overrides.map((override) => [override.edgeId, carried(override)]));
      const affected = new Set([...overrides.all().map(({ edgeId }) => edgeId), ...remembered.keys()]);
      for (const edgeId of affected) rememberOverride(edgeId, remembered.get(edgeId));
      memory.reports.forEach(rememberReport);
    },
    facts: currentFacts,
    conditions: () => currentEntries().map((entry) => conditionOf(entry, clock.monotonicMs())),
    condition(edgeId) {
      const old = entries.get(edgeId);
      if (old !== undefined && old.view.staleAtMs <= clock.monotonicMs()) update(old, {});
      const entry = entries.get(edgeId);
      return entry === undefined ? undefined : conditionOf(entry, clock.monotonicMs());
    },
    metrics: () => conditionMetrics(currentEntries(), clock.monotonicMs()),
    stop() {
      cancelTick();
      cancelGathering?.();
    },
  };
}

function reportsToRemember({ edge, reports }: Entry, nowMs: number): RememberedReport[] {
  return reports.flatMap((received, sourceIndex) => {
    const type = edge.load[sourceIndex]?.type;
    if (received === undefined || type === undefined) return [];
    const { report, atMs } = received;
    return [{ edgeId: edge.id, sourceIndex, type, report, ageMs: nowMs - atMs }];
  });
}
