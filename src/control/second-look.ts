import type { Clock } from "../base/clock.ts";

/**
 * Looks again at files that were refused: for want of descriptors they, or the thread that reads them, may not be had
 * for a while, and nobody edits them then.
 */
export interface SecondLook {
  /** @param isReadKnown whether anybody knows what was read: if not, each look may cost as much as the last */
  plan(isReadKnown: boolean): void;
  readonly cancel: () => void;
  /** There is nothing to look for. */
  done(): void;
}

const LOOK_AGAIN_MS = 10_000;
/** Where nobody knows what was read, looks grow rarer. */
const LOOK_AGAIN_MOST_MS = 10 * 60_000;

export function createSecondLook(clock: Pick<Clock, "after">, look: () => void): SecondLook {
  let unreadMs = LOOK_AGAIN_MS;
  let cancelLook: (() => void) | undefined;
  const cancel = (): void => cancelLook?.();
  return {
    plan(isReadKnown) {
      cancel();
      cancelLook = clock.after(isReadKnown ? LOOK_AGAIN_MS : unreadMs, look);
      if (!isReadKnown) unreadMs = Math.min(2 * unreadMs, LOOK_AGAIN_MOST_MS);
    },
    cancel,
    done() {
      cancel();
      unreadMs = LOOK_AGAIN_MS;
    },
  };
}
