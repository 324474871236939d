import type { Region } from "./demand.ts";
import { solve } from "./solve.ts";
import { createTransports, type Place, type Pool } from "./transport.ts";

/** Prices that look ahead in steps, each found near to where it was the last time. */
export interface LookAhead {
  /** Other edges, other pools: `from` is each edge's index before, or -1. */
  take(places: readonly Place[], pools: readonly Pool[], from: readonly number[]): void;
  /** Of the nearest look, kilometres by edge: it ends nowhere below those of the furthest, with which it begins. */
  solve(looks: readonly Look[]): Float64Array;
}

/** Who wants what by some time, and what there is. Looks come furthest first. */
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
  /** By look: what the next solution begins near to. */
  let solved: Float64Array[] = [];
  return {
    take(nextEdges, nextPools, from) {
      solved = solved.map((values) => Float64Array.from(from, (i) => values[i] ?? 0));
      [edges, pools] = [nextEdges, nextPools];
      transports.forget();
    },
    solve(looks) {
      let least = new Float64Array(edges.length);
      looks.forEach(({ regions, room }, i) => {
        const before = solved[i] ?? new Float64Array(edges.length);
        const start = least.map((price, edge) => Math.max(price, (before[edge] as number) - FALL_KM));
        least = solve(transports.of(regions, room, edges, pools), start).priceKm;
        solved[i] = least;
      });
      return least;
    },
  };
}
