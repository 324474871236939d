import { answersOf } from "./answered.ts";
import type { Answers } from "./answers.ts";
import type { Demand } from "./demand.ts";
import type { Arrivals } from "./ledger.ts";
import { type Bound, REDIRECTS_MS, type Returned, type Returns } from "./returns.ts";
import type { Setting } from "./settings.ts";

/** Edges are lost, and whom they had comes back. */
export interface Losses {
  /**
   * @param viewers whom its last report showed: who asks again for an edge that fails is no other viewer; NaN unknown
   */
  lose(slot: number, viewers: number, nowMs: number): void;
  /** Whether what came since the last call is to be looked through for them. */
  areReturnsAwaited(): boolean;
  /** Whether an edge was lost of late, so that where its viewers go changes from second to second. */
  areReturning(nowMs: number): boolean;
  /** How many of all who came since the last call had been waiting. */
  takeReturns(arrivals: Arrivals, nowMs: number): Returned;
}

/** Until nobody is awaited any more who was redirected, and prices were found that know it. */
const RETURNING_MS = REDIRECTS_MS + 4000;

export function createLosses(
  setting: () => Setting,
  { answers, demand, returns }: { answers: Answers; demand: Demand; returns: Returns },
): Losses {
  /** Since returns were taken. */
  let hasLost = false;
  let lostAtMs = Number.NEGATIVE_INFINITY;

  /** They are load as if they had been sent now, and come within seconds. */
  const bind = (bound: readonly Bound[], nowMs: number): void => {
    const { counts, prediction } = setting();
    const bySlot = new Map<number, number>();
    for (const one of bound) {
      demand.bind(one);
      bySlot.set(one.edge, (bySlot.get(one.edge) ?? 0) + one.viewers);
    }
    for (const [slot, viewers] of bySlot) {
      Atomics.add(counts, slot, Math.round(viewers));
      answers.bind(slot, viewers, nowMs);
    }
    prediction.sample(nowMs);
  };

  return {
    lose(slot, viewers, nowMs) {
      const held = answers.heldUntilMs(slot, nowMs);
      const lost = demand.lose(slot, viewers);
      returns.lose(
        lost.map((place) => ({ ...place, heldUntilMs: held.get(place.askers) ?? [] })),
        nowMs,
      );
      const others = [...setting().slots].filter((other) => other !== slot);
      bind(returns.bind(new Map(others.map((other) => [other, answers.held(other, nowMs)]))), nowMs);
      hasLost = true;
      lostAtMs = nowMs;
    },
    areReturning: (nowMs) => nowMs - lostAtMs < RETURNING_MS,
    areReturnsAwaited: () => hasLost || returns.areAwaited(),
    takeReturns(arrivals, nowMs) {
      // Most of these answers were given before the loss was known.
      if (hasLost) bind(returns.bind(answersOf(arrivals)), nowMs);
      hasLost = false;
      return returns.take(arrivals, nowMs);
    },
  };
}
