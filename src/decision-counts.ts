import { Tally } from "./base/tally.ts";
import { type Decision, type DoorName, REJECTION_REASONS } from "./model/decision.ts";
import type { Inventory } from "./model/inventory.ts";
import type { HistogramFamily, MetricSource } from "./model/metrics.ts";

/** What is counted of decisions, added up over everyone who decides, in whatever thread. */
export interface DecisionTotals {
  /** Zeroed cells in shared memory, of the layout for this inventory, that are part of the sum from now on. */
  readonly newCells: (inventory: Inventory) => Float64Array;
  readonly metrics: MetricSource;
}

/** Counts into cells; one per thread and inventory. */
export interface DecisionCounts {
  count(decision: Decision, door: DoorName): void;
  /** A function that counts the same again and again. */
  repeated(decision: Decision, door: DoorName): () => void;
}

/** @param cells as from `DecisionTotals.newCells` for the same inventory */
export function createDecisionCounts(inventory: Inventory, cells: Float64Array): DecisionCounts {
  const layout = layoutFor(inventory);
  const add = (at: number, value = 1): void => {
    cells[at] = (cells[at] as number) + value;
  };
  /** Calls `visit` with every cell that a decision adds to, and what. */
  const visitCells = (
    decision: Decision,
    door: DoorName,
    visit: (at: number, value?: number) => void,
  ): void => {
    const service = decision.service.index;
    const best = decision.edges[0];
    visit(layout.row(service));
    visit(layout.decisions(service, DOORS.indexOf(door), best?.edge.index));
    for (let reason = 0; reason < decision.rejected.length; reason++) {
      const count = decision.rejected[reason] as number;
      if (count > 0) visit(layout.rejected(service, reason), count);
    }
    if (best === undefined || Number.isNaN(best.distanceKm)) return;
    const excessKm = best.distanceKm - decision.nearestKm;
    visit(layout.distanceAt + bucketOf(DISTANCE_BOUNDS_KM, best.distanceKm));
    visit(layout.distanceAt + DISTANCE_BOUNDS_KM.length + 1, best.distanceKm);
    visit(layout.excessAt + bucketOf(EXCESS_BOUNDS_KM, excessKm));
    visit(layout.excessAt + EXCESS_BOUNDS_KM.length + 1, excessKm);
  };
  return {
    count: (decision, door) => visitCells(decision, door, add),
    repeated(decision, door) {
      const values = new Map<number, number>();
      visitCells(decision, door, (at, value = 1) => values.set(at, (values.get(at) ?? 0) + value));
      const [ats, amounts] = [Int32Array.from(values.keys()), Float64Array.from(values.values())];
      return () => {
        for (let i = 0; i < ats.length; i++) add(ats[i] as number, amounts[i]);
      };
    },
  };
}

export function createDecisionTotals(): DecisionTotals {
  const decisions = new Tally("service", "edge", "door");
  const rejected = new Tally("service", "reason");
  const distance = new Float64Array(DISTANCE_BOUNDS_KM.length + 2);
  const excess = new Float64Array(EXCESS_BOUNDS_KM.length + 2);
  const sums = { decisions, rejected, distance, excess };
  let tables: Table[] = [];

  /** Threads learn of a new inventory a moment later: only what is older than the one before stands still. */
  const settle = (generation: number): void => {
    const before = tables.map(({ inventory }) => inventory.generation).filter((other) => other < generation);
    const oldest = Math.max(0, ...before);
    for (const table of tables) if (table.inventory.generation < oldest) addTable(table, sums);
    tables = tables.filter(({ inventory }) => inventory.generation >= oldest);
  };

  return {
    newCells(inventory) {
      settle(inventory.generation);
      const octets = layoutFor(inventory).cells * Float64Array.BYTES_PER_ELEMENT;
      const cells = new Float64Array(new SharedArrayBuffer(octets));
      tables.push({ inventory, cells });
      return cells;
    },
    metrics() {
      const now = {
        decisions: decisions.copy(),
        rejected: rejected.copy(),
        distance: distance.slice(),
        excess: excess.slice(),
      };
      for (const table of tables) addTable(table, now);
      return [
        now.decisions.family("decisions_total", "Decisions by service, first edge (`-` for none) and door"),
        now.rejected.family("decisions_rejected_total", "Edges left out of decisions, by service and reason"),
        histogram(
          "decision_distance_km",
          "Great-circle distance from the viewer to the chosen edge in kilometres",
          DISTANCE_BOUNDS_KM,
          now.distance,
        ),
        histogram(
          "decision_excess_km",
          "How much further the chosen edge is than the nearest edge in service, in kilometres",
          EXCESS_BOUNDS_KM,
          now.excess,
        ),
      ];
    },
  };
}

function bucketOf(bounds: readonly number[], value: number): number {
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket++;
  return bucket;
}

const DOORS: readonly DoorName[] = ["dns", "http", "steering"];
const DISTANCE_BOUNDS_KM: readonly number[] = [50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000];
const EXCESS_BOUNDS_KM: readonly number[] = [0, ...DISTANCE_BOUNDS_KM];

interface Table {
  readonly inventory: Inventory;
  readonly cells: Float64Array;
}

/**
 * A row for each service, then the histograms: buckets and sum. A row begins with its total, so that
 * rows without a decision are passed over. Memory that is never written to costs nothing.
 */
interface Layout {
  readonly cells: number;
  readonly distanceAt: number;
  readonly excessAt: number;
  row(service: number): number;
  decisions(service: number, door: number, edge: number | undefined): number;
  rejected(service: number, reason: number): number;
}

function layoutFor({ services, edges }: Inventory): Layout {
  const perDoor = edges.length + 1;
  const rejectedAt = 1 + DOORS.length * perDoor;
  const rowCells = rejectedAt + REJECTION_REASONS.length;
  const distanceAt = services.length * rowCells;
  const excessAt = distanceAt + DISTANCE_BOUNDS_KM.length + 2;
  return {
    cells: excessAt + EXCESS_BOUNDS_KM.length + 2,
    distanceAt,
    excessAt,
    row: (service) => service * rowCells,
    decisions: (service, door, edge = -1) => service * rowCells + 1 + door * perDoor + edge + 1,
    rejected: (service, reason) => service * rowCells + rejectedAt + reason,
  };
}

interface Sums {
  readonly decisions: Tally;
  readonly rejected: Tally;
  readonly distance: Float64Array;
  readonly excess: Float64Array;
}

function addTable({ inventory, cells }: Table, sums: Sums): void {
  const layout = layoutFor(inventory);
  const at = (index: number): number => cells[index] as number;
  for (const service of inventory.services) {
    if (at(layout.row(service.index)) === 0) continue;
    DOORS.forEach((door, d) => {
      sums.decisions.addMany(at(layout.decisions(service.index, d, undefined)), service.id, "-", door);
      for (const edge of inventory.edges)
        sums.decisions.addMany(at(layout.decisions(service.index, d, edge.index)), service.id, edge.id, door);
    });
    REJECTION_REASONS.forEach((reason, r) => {
      sums.rejected.addMany(at(layout.rejected(service.index, r)), service.id, reason);
    });
  }
  addAll(sums.distance, cells, layout.distanceAt);
  addAll(sums.excess, cells, layout.excessAt);
}

function addAll(to: Float64Array, from: Float64Array, start: number): void {
  for (let i = 0; i < to.length; i++) to[i] = (to[i] as number) + (from[start + i] as number);
}

function histogram(
  name: string,
  help: string,
  bounds: readonly number[],
  cells: Float64Array,
): HistogramFamily {
  const counts = [...cells.subarray(0, bounds.length + 1)];
  return { kind: "histogram", name, help, bounds, samples: [{ labels: {}, counts, sum: cells.at(-1) ?? 0 }] };
}
