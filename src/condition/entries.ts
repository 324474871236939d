import type { Clock } from "../base/clock.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Facts } from "../model/world.ts";
import { changesBetween, type ConditionChange } from "./change.ts";
import { changed, type Entry, entryOf } from "./entry.ts";
import { factsOf } from "./facts.ts";
import type { Override } from "./override.ts";

/** What is known of each edge as it changes, and what all of it comes to. */
export interface Entries {
  /** Those of the inventory alone, with what is still known of each from before. */
  take(inventory: Inventory, overrideOf: (edgeId: string) => Override | undefined): void;
  get(edgeId: string): Entry | undefined;
  update(entry: Entry, news: Parameters<typeof changed>[1]): void;
  /** Nothing for a source that is not configured. @param ageMs how long ago it came */
  report(entry: Entry, sourceIndex: number, report: LoadReport, ageMs?: number): void;
  /** Looks for reports that time alone has made too old: of one edge, or of all. */
  age(edgeId?: string): void;
  /** By `Inventory.edges` of the last `take`, as they were seen last. */
  all(): Entry[];
  /** Of `all`; the same object until something changes. */
  facts(): Facts;
  stop(): void;
}

export interface EntriesOptions {
  readonly clock: Clock;
  readonly onChange: ((change: ConditionChange) => void) | undefined;
  /** Soon after `update`, once for all that comes close together. */
  readonly onNews: () => void;
}

/** Changes this close together make one world. */
const GATHER_MS = 20;

export function createEntries({ clock, onChange, onNews }: EntriesOptions): Entries {
  const byId = new Map<string, Entry>();
  let generation = 0;
  let ids: readonly string[] = [];
  let facts: Facts | undefined;
  let cancelGathering: (() => void) | undefined;

  const put = (next: Entry): void => {
    const { id } = next.edge;
    const before = byId.get(id);
    byId.set(id, next);
    if (before !== undefined) for (const change of changesBetween(before, next)) onChange?.(change);
  };

  const update: Entries["update"] = (entry, news) => {
    put(changed(entry, news, clock.monotonicMs()));
    facts = undefined;
    cancelGathering ??= clock.after(GATHER_MS, () => {
      cancelGathering = undefined;
      onNews();
    });
  };

  const all = (): Entry[] => ids.map((id) => byId.get(id)).filter((entry) => entry !== undefined);

  return {
    take(inventory, overrideOf) {
      const taken = new Set(inventory.edges.map(({ id }) => id));
      for (const id of byId.keys()) if (!taken.has(id)) byId.delete(id);
      for (const edge of inventory.edges) put(entryOf(edge, byId.get(edge.id), overrideOf(edge.id), clock));
      generation = inventory.generation;
      ids = [...taken];
      facts = undefined;
    },
    get: (edgeId) => byId.get(edgeId),
    update,
    report(entry, sourceIndex, report, ageMs = 0) {
      const source = entry.edge.load[sourceIndex];
      if (source === undefined) return;
      const { staleAfterMs } = source;
      const received = { report, atMs: clock.monotonicMs() - ageMs, staleAfterMs };
      update(entry, { reports: entry.reports.with(sourceIndex, received) });
    },
    age(edgeId) {
      const nowMs = clock.monotonicMs();
      const some = edgeId === undefined ? [...byId.values()] : [byId.get(edgeId)];
      for (const entry of some) if (entry !== undefined && entry.view.staleAtMs <= nowMs) update(entry, {});
    },
    all,
    facts: () => (facts ??= factsOf(generation, all())),
    stop: () => cancelGathering?.(),
  };
}
