import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Condition, FamilyHealth, LoadReport, ProbedHealth } from "../model/condition.ts";
import type { AdminState } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { AbsentEdgeView } from "../model/views.ts";
import type { Facts } from "../model/world.ts";
import { type BoardMemory, memoryOf, remember } from "./board-memory.ts";
import type { ConditionChange } from "./change.ts";
import { createEntries } from "./entries.ts";
import { conditionOf, type Entry } from "./entry.ts";
import { conditionMetrics } from "./metrics.ts";
import { absentView, isRetraction, type Override } from "./override.ts";
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
  memory(): BoardMemory;
  /** Goes on with what another process knew. */
  remember(memory: BoardMemory): void;
  /** By `Inventory.edges` of the last `take`. The same object until something changes. */
  facts(): Facts;
  conditions(): Condition[];
  condition(edgeId: string): Condition | undefined;
  readonly metrics: MetricSource;
  stop(): void;
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

export function createBoard(options: BoardOptions): Board {
  const { clock = systemClock, onChange, onFacts, onOverrides } = options;
  const entries = createEntries({ clock, onChange, onNews: () => onFacts?.(currentFacts()) });
  const overrides = createOverrides(clock, options.overrides ?? []);

  /** Whatever time alone has changed. */
  const age = (): void => {
    for (const edgeId of overrides.expire()) endOverride(edgeId);
    entries.age();
  };

  const endOverride = (edgeId: string): void => {
    const entry = entries.get(edgeId);
    if (entry !== undefined) entries.update(entry, { override: undefined });
    onOverrides?.();
  };

  const currentEntries = (): Entry[] => {
    age();
    return entries.all();
  };

  const currentFacts = (): Facts => {
    age();
    return entries.facts();
  };

  const tick = (): void => {
    age();
    cancelTick = clock.after(TICK_MS, tick);
  };
  let cancelTick = clock.after(TICK_MS, tick);

  return {
    take(inventory) {
      if (overrides.take(inventory.edges)) onOverrides?.();
      entries.take(inventory, (edgeId) => overrides.get(edgeId));
    },
    health(edgeId, probed) {
      const entry = entries.get(edgeId);
      const known = entry?.health.find(({ family }) => family === probed.family);
      if (entry === undefined || known === undefined) return;
      const sinceMs = known.health === probed.health ? known.sinceMs : clock.wallMs();
      const next: FamilyHealth = { ...probed, sinceMs };
      if (isDeepStrictEqual(known, next)) return;
      entries.update(entry, { health: entry.health.map((other) => (other === known ? next : other)) });
    },
    downAddresses(edgeId, bits) {
      const entry = entries.get(edgeId);
      if (entry !== undefined && entry.downAddresses !== bits) entries.update(entry, { downAddresses: bits });
    },
    report(edgeId, sourceIndex, report) {
      const entry = entries.get(edgeId);
      if (entry !== undefined) entries.report(entry, sourceIndex, report);
    },
    pushReport(edgeId, report) {
      const entry = entries.get(edgeId);
      if (entry === undefined) return "unknown-edge";
      const sourceIndex = entry.edge.load.findIndex(({ type }) => type === "push");
      if (sourceIndex < 0) return "not-pushed";
      entries.report(entry, sourceIndex, report);
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
      entries.update(entry, { override: overrides.get(edgeId) });
      return "set";
    },
    isActive: (edgeId) => entries.get(edgeId)?.view.effective.state === "active",
    overrides: () => overrides.all(),
    absent: () =>
      overrides.all().flatMap((override) => (entries.get(override.edgeId) ? [] : [absentView(override)])),
    memory: () => memoryOf(currentEntries(), overrides.all(), clock.monotonicMs()),
    remember: (memory) => remember(memory, entries, overrides, clock),
    facts: currentFacts,
    conditions: () => currentEntries().map((entry) => conditionOf(entry, clock.monotonicMs())),
    condition(edgeId) {
      entries.age(edgeId);
      const entry = entries.get(edgeId);
      return entry === undefined ? undefined : conditionOf(entry, clock.monotonicMs());
    },
    metrics: () => conditionMetrics(currentEntries(), clock.monotonicMs()),
    stop() {
      cancelTick();
      entries.stop();
    },
  };
}
