import { type Facts, UNSTEADY_DOUBT, UNSTEADY_RUSH, type World } from "../model/world.ts";
import type { Answers, Sizes } from "./answers.ts";
import type { Crowding } from "./crowding.ts";
import type { Estimates } from "./estimates.ts";
import type { Prices } from "./prices.ts";
import type { Ramps } from "./ramps.ts";
import type { Reports } from "./reports.ts";
import type { Returns } from "./returns.ts";
import { reserveOf } from "./room.ts";
import type { Rushes } from "./rushes.ts";
import type { Setting } from "./settings.ts";

/** All that a world says beside the facts. */
export interface WorldParts {
  readonly answers: Answers;
  readonly crowding: Crowding;
  readonly estimates: Estimates;
  readonly prices: Prices;
  readonly ramps: Ramps;
  readonly reports: Reports;
  readonly returns: Returns;
  readonly rushes: Rushes;
}

const NO_STREAMS: World["staleStreams"] = new Map();

/** Makes the world of a moment from facts, and from what its parts say then. */
export function createWorldMaker(
  setting: () => Setting,
  { answers, crowding, estimates, prices, ramps, reports, returns, rushes }: WorldParts,
): (facts: Facts, nowMs: number) => World {
  /** By edge, of all pools that it is in. */
  const beyondOf = (byPool: ReadonlyMap<number, number>): Float64Array => {
    const { edges, pools } = setting();
    const byEdge = new Float64Array(edges.length);
    for (const [pool, viewers] of byPool)
      for (const edge of pools[pool]?.edges ?? []) byEdge[edge] = (byEdge[edge] as number) + viewers;
    return byEdge;
  };

  return (facts, nowMs) => {
    const { slots, counts } = setting();
    const ramp = Float64Array.from(slots, (slot) => ramps.limit(slot, nowMs));
    const loadRatio = Float64Array.from(slots, (_, edge) => estimates.loadRatio(facts, edge, nowMs));
    const perViewer = facts.perViewer.map((each, edge) => (reports.hasReported(edge) ? each : 0));
    const sizes = Array.from(slots, (slot) => answers.sizes(slot, nowMs));
    const beyond = beyondOf(rushes.beyond());
    const unsteadyOf = (doubt: number, edge: number): number => {
      const [slot, viewers, each] = [slots[edge], beyond[edge], perViewer[edge]] as [number, number, number];
      const isCrowded = crowding.isCrowded(slot, viewers, each, nowMs);
      if (doubt === 1 || (ramp[edge] as number) < 1) return UNSTEADY_DOUBT;
      return isCrowded ? UNSTEADY_RUSH : 0;
    };
    return {
      generation: facts.generation,
      up: facts.up,
      state: facts.state,
      unsteady: facts.inDoubt.map(unsteadyOf),
      loadRatio,
      staleStreams: NO_STREAMS,
      returning: returns.next(nowMs),
      priceKm: prices.km,
      perViewer,
      limit: facts.perViewer.map(
        (each, edge) => (ramp[edge] as number) * (1 - reserveOf(sizes[edge] as Sizes, each)),
      ),
      sent: {
        counts,
        before: counts.slice(),
        slot: slots,
        viewersPerAnswer: Float32Array.from(sizes, ({ mean }) => mean),
      },
    };
  };
}
