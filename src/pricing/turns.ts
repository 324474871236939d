import { type Facts, STATE_ACTIVE } from "../model/world.ts";

/** Which edges come and go, from facts to facts. */
export interface Turns {
  /** Other edges: `from` is each one's index before, or -1. */
  take(from: readonly number[]): void;
  of(facts: Facts, edge: number): Turn;
}

export interface Turn {
  readonly isUp: boolean;
  /** It was up and is not. */
  readonly isLost: boolean;
  /** It takes viewers again. */
  readonly isBack: boolean;
  /** Whether anything has changed by which prices should follow at once. */
  readonly isSudden: boolean;
}

export function createTurns(): Turns {
  /** Whether it was up in the last facts, of whatever configuration; undefined for one that was in none. */
  let wereUp: (boolean | undefined)[] = [];
  /** Whether it took viewers in them. */
  let inService: (boolean | undefined)[] = [];
  return {
    take(from) {
      [wereUp, inService] = [from.map((i) => wereUp[i]), from.map((i) => inService[i])];
    },
    of({ up, state }, edge) {
      const isUp = up[edge] !== 0;
      const wasUp = wereUp[edge] ?? isUp;
      const isIn = isUp && state[edge] === STATE_ACTIVE;
      const wasIn = inService[edge] ?? isIn;
      [wereUp[edge], inService[edge]] = [isUp, isIn];
      return {
        isUp,
        isLost: wasUp && !isUp,
        isBack: !wasIn && isIn,
        isSudden: wasUp !== isUp || wasIn !== isIn,
      };
    },
  };
}
