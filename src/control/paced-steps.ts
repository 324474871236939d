import { finished, type Steps } from "../base/steps.ts";

/** Work that is done in steps with pauses, or, where its result is wanted before, at once. */
export interface PacedSteps {
  /** Finishes what is under way, and begins this: its first step comes after a pause. */
  readonly begin: (work: () => Steps<void>) => void;
  /** Does at once what is left to be done. */
  readonly finish: () => void;
  /** Leaves undone what is left. */
  readonly stop: () => void;
}

/** @param onDone all of it was done with pauses; not told of what `finish` did */
export function createPacedSteps(pauseMs: number, onDone: () => void): PacedSteps {
  let underWay: Steps<void> | undefined;
  let pause: NodeJS.Timeout | undefined;
  const goOn = (): void => {
    if (underWay?.next().done === false) pause = setTimeout(goOn, pauseMs);
    else onDone();
  };
  const finish = (): void => {
    clearTimeout(pause);
    if (underWay !== undefined) finished(underWay);
    underWay = undefined;
  };
  return {
    begin(work) {
      finish();
      underWay = work();
      pause = setTimeout(goOn, pauseMs);
    },
    finish,
    stop: () => clearTimeout(pause),
  };
}
