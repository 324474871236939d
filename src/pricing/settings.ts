import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import type { SentCounts } from "./ledger.ts";
import { marginsOf } from "./margins.ts";
import { poolsOf, successorsOf } from "./pools.ts";
import { createPrediction, type Prediction } from "./prediction.ts";
import { createSlots } from "./slots.ts";
import type { PoolOf } from "./squares.ts";
import type { Pool } from "./transport.ts";

/** What the configuration in use gives; replaced whole. */
export interface Setting {
  readonly edges: readonly Edge[];
  /** Place in the counts by `Edge.index`. */
  readonly slots: Uint16Array;
  /** By `Edge.index`: share of the capacity that every service leaves free there. */
  readonly margins: Float64Array;
  readonly pools: readonly Pool[];
  readonly counts: SentCounts;
  /** Of these counts. */
  readonly prediction: Prediction;
}

/** One after the other. */
export interface Settings {
  now(): Setting;
  take(edges: readonly Edge[], services: readonly Service[]): Changes;
}

export interface Changes {
  /** Each edge's index before, or -1. */
  readonly from: readonly number[];
  /** Slots whose edge is not there any more. */
  readonly freed: readonly number[];
  /** Which pool is now what each was; absent where all are what they were. Who came for a service stays with it. */
  readonly poolOf?: PoolOf;
}

export function createSettings(): Settings {
  const table = createSlots();
  /** By the service's id. */
  let poolOfService: ReadonlyMap<string, number> = new Map();
  let setting: Setting = {
    edges: [],
    slots: new Uint16Array(0),
    margins: new Float64Array(0),
    pools: [],
    counts: table.counts,
    prediction: createPrediction(table.counts),
  };

  /** Undefined where they are the same. */
  const takePools = (before: readonly Pool[], services: readonly Service[], ofService: readonly number[]) => {
    const byService = new Map(services.map(({ id }, i) => [id, ofService[i] as number]));
    const successors = successorsOf(poolOfService, byService);
    poolOfService = byService;
    if (before.every((_, pool) => successors.get(pool) === pool)) return undefined;
    return (pool: number) => successors.get(pool);
  };

  return {
    now: () => setting,
    take(edges, services) {
      const before = setting;
      const index = new Map(before.edges.map((edge) => [edge.id, edge.index]));
      const { pools, ofService } = poolsOf(services);
      const poolOf = takePools(before.pools, services, ofService);
      const freed: number[] = [];
      const slots = table.assign(
        edges.map(({ id }) => id),
        (slot) => void freed.push(slot),
      );
      const { counts } = table;
      const prediction = counts === before.counts ? before.prediction : createPrediction(counts);
      setting = { edges, slots, margins: marginsOf(edges.length, services), pools, counts, prediction };
      const from = edges.map(({ id }) => index.get(id) ?? -1);
      return poolOf === undefined ? { from, freed } : { from, freed, poolOf };
    },
  };
}
