import type { Region } from "./demand.ts";
import { solve } from "./solve.ts";
import { createTransports, type Place, type Pool } from "./transport.ts";

/** Prices that look ahead in steps, each found near to where it was the last time. */
export interface LookAhead {
  /** Other edges, other pools: `from` is each edge's index before, or -1. */
  take(places: readonly Place[], pools: readonly Pool[], from: readonly number[]): void;
  /**
   * The mean over outcomes, which are equally likely, of the nearest look's, kilometres by edge.
   * @param isSudden something has come or gone: where the prices were says nothing of where they are
   */
  solve(outcomes: readonly Outcome[], isSudden: boolean): Float64Array;
}

/** What may come: looks, furthest first. Prices of a look are nowhere below those of the one before. */
export type Outcome = readonly Look[];

/** Who wants what by some time, and what there is. */
export interface Look {
  readonly regions: readonly Region[];
  /** Viewers that an edge can take, as `Transport.capacity`. */
  readonly room: Float64Array;
}

/** How far a price may fall from one solution to the next. */
const FALL_KM = 45;

export function createLookAhead(): LookAhead {
  const transports = createTransports();
  let edges: readonly Place[] = [];
  let pools: readonly Pool[] = [];
  /** By outcome and look: what the next solution begins near to. */
  let solved: Float64Array[][] = [];

  const solveOne = (looks: Outcome, before: readonly Float64Array[]): Float64Array[] => {
    const found: Float64Array[] = [];
    for (const [i, { regions, room }] of looks.entries()) {
      const [least, last] = [found[i - 1], before[i]];
      const start =
        least === undefined && last === undefined
          ? undefined
          : Float64Array.from(edges, (_, edge) =>
              Math.max(least?.[edge] ?? 0, (last?.[edge] ?? 0) - FALL_KM),
            );
      found.push(solve(transports.of(regions, room, edges, pools), start).priceKm);
    }
    return found;
  };

  return {
    take(nextEdges, nextPools, from) {
      solved = solved.map((looks) => looks.map((values) => Float64Array.from(from, (i) => values[i] ?? 0)));
      [edges, pools] = [nextEdges, nextPools];
      transports.forget();
    },
    solve(outcomes, isSudden) {
      // One that was not thought of before goes on from the first.
      const before = (i: number) => (isSudden ? [] : (solved[i] ?? solved[0] ?? []));
      solved = outcomes.map((looks, i) => solveOne(looks, before(i)));
      const sum = (edge: number): number =>
        solved.reduce((km, looks) => km + (looks.at(-1)?.[edge] as number), 0);
      return Float64Array.from(edges, (_, edge) => sum(edge) / solved.length);
    },
  };
}
