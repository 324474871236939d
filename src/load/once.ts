import { systemClock } from "../base/clock.ts";
import { reachOf } from "../base/reach.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Edge, LoadSource } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import { pull } from "./pull.ts";
import type { FieldReading } from "./source.ts";

/** What `edgeward load` shows of one source. */
export interface PulledSource {
  readonly type: LoadSource["type"];
  /** What the source says; empty when it could not be read. */
  readonly report: LoadReport;
  readonly fields: readonly FieldReading[];
  /** Why nothing is known, in words. */
  readonly problem?: string;
}

/** Reads each load source of an edge once, in the file's order; a push source has nothing to read. */
export function pullOnce(edge: Edge, inventory: Inventory): Promise<PulledSource[]> {
  return Promise.all(edge.load.map((source) => pullSource(source, inventory)));
}

async function pullSource(source: LoadSource, inventory: Inventory): Promise<PulledSource> {
  const { type } = source;
  if (type === "push")
    return { type, report: {}, fields: [], problem: "the edge reports by itself: nothing to read" };
  const pulled = await pull(source, undefined, { reach: reachOf(inventory), clock: systemClock });
  return pulled.kind === "report"
    ? { type, report: pulled.report, fields: pulled.fields }
    : { type, report: {}, fields: pulled.fields, problem: pulled.problem };
}
