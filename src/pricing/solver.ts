import { createLookAhead, type Outcome } from "./look-ahead.ts";
import type { Place, Pool } from "./transport.ts";

/** Whoever finds prices, here and at once or elsewhere and soon. */
export interface Solver {
  /**
   * Other edges, other pools; nobody is told any more what was asked before. `from`: each edge's index before, or -1.
   */
  take(places: readonly Place[], pools: readonly Pool[], from: readonly number[]): void;
  /**
   * Only the last question is answered where they come faster than the answers.
   * @param isSudden as `LookAhead.solve`
   */
  solve(outcomes: readonly Outcome[], isSudden: boolean, onFound: (priceKm: Float64Array) => void): void;
  stop(): Promise<void>;
}

/** In the caller's thread, before `solve` returns. */
export function solveHere(): Solver {
  const lookAhead = createLookAhead();
  return {
    take: (places, pools, from) => lookAhead.take(places, pools, from),
    solve: (outcomes, isSudden, onFound) => onFound(lookAhead.solve(outcomes, isSudden)),
    stop: async () => {},
  };
}
