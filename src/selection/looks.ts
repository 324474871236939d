/**
 * What may be spent on wider scopes: it comes bit by bit, and at one time of the clock, as for the queries of a
 * batch, only some of it is there. Who asks when it is used up does not wait at all.
 */
export interface Looks {
  left(): number;
  take(looks: number): void;
  /** So many instead, until the function returned is called. */
  lend(looks: number): () => void;
  /** All is there: as in the beginning. */
  begin(): void;
}

export function createLooks(monotonicMs: () => number): Looks {
  let all = MOST_LOOKS;
  let atOnce = LOOKS_AT_ONCE;
  let lent = 0;
  let filledAtMs = monotonicMs();
  return {
    begin() {
      all = MOST_LOOKS;
      atOnce = LOOKS_AT_ONCE;
      filledAtMs = monotonicMs();
    },
    left() {
      const nowMs = monotonicMs();
      if (nowMs !== filledAtMs) {
        all = Math.min(MOST_LOOKS, all + (nowMs - filledAtMs) * LOOKS_PER_MS);
        atOnce = LOOKS_AT_ONCE;
        filledAtMs = nowMs;
      }
      return lent > 0 ? lent : Math.min(all, atOnce);
    },
    take(looks) {
      if (lent > 0) lent = Math.max(0, lent - looks);
      else {
        all -= looks;
        atOnce -= looks;
      }
    },
    lend(looks) {
      lent = looks;
      return () => {
        lent = 0;
      };
    },
  };
}

/** About a hundredth of the time. */
const LOOKS_PER_MS = 100;
const MOST_LOOKS = 200_000;
/** About 200 microseconds: so long the queries of a batch may have to wait for each other. */
const LOOKS_AT_ONCE = 7200;
