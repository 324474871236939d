/**
 * How long it takes until a report shows a decision: the viewer has to come and be counted, and what the edge says
 * may be seconds old when it arrives. Nobody tells, but the counts do: a report's growth fits the redirects of the
 * right time before it best, by least squares with forgetting.
 */
export interface Lags {
  /**
   * A report shows a change since the one before it.
   * @param redirected viewers who were redirected between the two reports, had each come so many milliseconds earlier
   * @param others change that has other causes: answers, departures
   * @param variance of the change
   */
  observe(
    slot: number,
    change: number,
    redirected: (lagMs: number) => number,
    others: number,
    variance: number,
  ): void;
  /** Milliseconds. */
  of(slot: number): number;
  /** An edge is not there any more. */
  forget(slot: number): void;
}

/** Lags that are tried, 0 up to this. */
const LONGEST_SECONDS = 20;
/** Of each observation's weight, with every later one: some 500 reports count. */
const KEEP = 1 - 1 / 500;
/** As long as nothing is known, reports are taken to be new, per second of lag. */
const DOUBT_PER_SECOND = 0.5;
/** In standard deviations: what fits no lag says nothing of any. */
const SURPRISE_MAX = 6;

export function createLags(): Lags {
  const bySlot = new Map<number, Float64Array>();
  /** Most edges are of one kind: where one has shown little, all have shown something. */
  const all = newMisfits();
  const misfitsOf = (slot: number): Float64Array => {
    const known = bySlot.get(slot);
    if (known !== undefined) return known;
    const misfits = newMisfits();
    bySlot.set(slot, misfits);
    return misfits;
  };
  return {
    observe(slot, change, redirected, others, variance) {
      const found = all.map((_, seconds) => (change - others - redirected(seconds * 1000)) ** 2 / variance);
      if (!(Math.min(...found) < SURPRISE_MAX ** 2)) return;
      const misfits = misfitsOf(slot);
      found.forEach((misfit, seconds) => {
        const limited = Math.min(misfit, SURPRISE_MAX ** 2);
        misfits[seconds] = (misfits[seconds] as number) * KEEP + limited;
        all[seconds] = (all[seconds] as number) * KEEP + limited;
      });
    },
    of(slot) {
      const own = bySlot.get(slot);
      if (own === undefined) return 0;
      let [best, least] = [0, Number.POSITIVE_INFINITY];
      for (let seconds = 0; seconds <= LONGEST_SECONDS; seconds++) {
        const misfit =
          (own[seconds] as number) + (all[seconds] as number) / bySlot.size + seconds * DOUBT_PER_SECOND;
        if (misfit < least) [best, least] = [seconds, misfit];
      }
      return best * 1000;
    },
    forget: (slot) => void bySlot.delete(slot),
  };
}

function newMisfits(): Float64Array {
  return new Float64Array(LONGEST_SECONDS + 1);
}
