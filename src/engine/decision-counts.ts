import { Tally } from "../base/tally.ts";
import { type Decision, type DoorName, REJECTION_REASONS } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { HistogramFamily, MetricSource } from "../model/metrics.ts";

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
  /**
   * The same for decisions that differ in distances: `distanceKm` of the first edge at `numbers[at]`, `nearestKm`
   * behind it.
   */
  alike(decision: Decision, door: DoorName): (numbers: Float32Array, at: number) => void;
}

/** @param cells as from `DecisionTotals.newCells` for the same inventory */
export function createDecisionCounts(inventory: Inventory, cells: Float64Array): DecisionCounts {
  const layout = layoutFor(inventory);
  const add = (at: number, value = 1): void => {
    cells[at] = (cells[at] as number) + value;
  };
  const addDistances = (distanceKm: number, nearestKm: number): void => {
    const excessKm = distanceKm - nearestKm;
    add(layout.distanceAt + bucketOf(DISTANCE_BUCKETS, distanceKm));
    add(layout.distanceAt + DISTANCE_BOUNDS_KM.length + 1, distanceKm);
    add(layout.excessAt + bucketOf(EXCESS_BUCKETS, excessKm));
    add(layout.excessAt + EXCESS_BOUNDS_KM.length + 1, excessKm);
  };
  /** Calls `visit` with every cell that a decision adds to apart from its distances, and what. */
  const visitCells = (
    { service, edges, rejected }: Decision,
    door: DoorName,
    visit: (at: number, value?: number) => void,
  ): void => {
    visit(layout.row(service.index));
    visit(layout.decisions(service.index, DOORS.indexOf(door), edges[0]?.edge.index));
    for (let reason = 0; reason < rejected.length; reason++) {
      const count = rejected[reason] as number;
      if (count > 0) visit(layout.rejected(service.index, reason), count);
    }
  };
  const alike: DecisionCounts["alike"] = (decision, door) => {
    const [ats, amounts]: [number[], number[]] = [[], []];
    visitCells(decision, door, (at, value = 1) => {
      ats.push(at);
      amounts.push(value);
    });
    return (numbers, at) => {
      for (let i = 0; i < ats.length; i++) add(ats[i] as number, amounts[i]);
      const distanceKm = numbers[at] as number;
      if (!Number.isNaN(distanceKm)) addDistances(distanceKm, numbers[at + 1] as number);
    };
  };
  return {
    count(decision, door) {
      visitCells(decision, door, add);
      const { distanceKm = Number.NaN } = decision.edges[0] ?? {};
      if (!Number.isNaN(distanceKm)) addDistances(distanceKm, decision.nearestKm);
    },
    repeated(decision, door) {
      const count = alike(decision, door);
      const numbers = Float32Array.of(decision.edges[0]?.distanceKm ?? Number.NaN, decision.nearestKm);
      return () => count(numbers, 0);
    },
    alike,
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

/** @param buckets as from `bucketTable` */
function bucketOf(buckets: Uint8Array, km: number): number {
  // Bounds are whole: no fraction crosses one.
  return buckets[Math.min(buckets.length - 1, Math.max(0, Math.ceil(km) | 0))] as number;
}

/** By whole kilometres: how many of the bounds are less. */
function bucketTable(boundsKm: readonly number[]): Uint8Array {
  return Uint8Array.from({ length: Math.max(...boundsKm) + 2 }, (_, km) =>
    boundsKm.reduce((bucket, bound) => (km > bound ? bucket + 1 : bucket), 0),
  );
}

const DOORS: readonly DoorName[] = ["dns", "http", "steering"];
const DISTANCE_BOUNDS_KM: readonly number[] = [50, 100, 200, 500, 1000, 2000, 4000, 8000, 16000];
const EXCESS_BOUNDS_KM: readonly number[] = [0, ...DISTANCE_BOUNDS_KM];
const DISTANCE_BUCKETS = bucketTable(DISTANCE_BOUNDS_KM);
const EXCESS_BUCKETS = bucketTable(EXCESS_BOUNDS_KM);

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
