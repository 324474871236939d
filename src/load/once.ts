import { type Clock, systemClock } from "../base/clock.ts";
import { reachOf } from "../base/reach.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Edge, LoadSource } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import { createPuller, type PullContext, type Pulled, type Puller } from "./pull.ts";
import type { FieldReading, PolledLoad } from "./source.ts";
import { withoutQuery } from "./url.ts";

/** What `edgeward load` shows of one source. */
export interface PulledSource {
  readonly type: LoadSource["type"];
  /** Without its query, and without anything else that may be secret. */
  readonly url?: string;
  /** What the source says; empty when it could not be read. */
  readonly report: LoadReport;
  readonly fields: readonly FieldReading[];
  /** Why nothing is known, in words. */
  readonly problem?: string;
}

/** A rate needs two readings; a server that counts at its own pace may need more until it has counted anew. */
const READINGS_MAX = 5;
const BETWEEN_MS = 1000;

/**
 * Reads each load source of an edge until it has told all it can, in the file's order; a push source has nothing to
 * read.
 */
export function pullOnce(
  edge: Pick<Edge, "load">,
  inventory: Pick<Inventory, "allowedProbeNetworks" | "listen">,
  clock = systemClock,
): Promise<PulledSource[]> {
  const context = { reach: reachOf(inventory), clock, random: Math.random };
  return Promise.all(edge.load.map((source) => pullSource(source, context)));
}

async function pullSource(source: LoadSource, context: PullContext): Promise<PulledSource> {
  const { type } = source;
  if (type === "push")
    return { type, report: {}, fields: [], problem: "the edge reports by itself: nothing to read" };
  const pulled = await pullAll(source, context);
  const url = withoutQuery(source.url);
  return pulled.kind === "report"
    ? { type, url, report: pulled.report, fields: pulled.fields }
    : { type, url, report: {}, fields: pulled.fields, problem: pulled.problem };
}

async function pullAll(source: PolledLoad, context: PullContext): Promise<Pulled> {
  const puller = createPuller(source);
  try {
    return await pullUntilKnown(puller, context);
  } finally {
    puller.close();
  }
}

async function pullUntilKnown(puller: Puller, context: PullContext): Promise<Pulled> {
  let pulled = await puller.pull(context);
  for (let i = 1; i < READINGS_MAX && pulled.kind === "report" && pulled.again; i++) {
    await pause(context.clock, BETWEEN_MS);
    pulled = await puller.pull(context);
  }
  return pulled;
}

function pause(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve));
}
