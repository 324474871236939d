/** Runs of the same work, none of which begins before the last has ended. */
export interface OneAtATime<T> {
  /** Begins a run, or, while one is under way, shares the next with all who ask meanwhile. */
  readonly run: () => Promise<T>;
  /** The last run that was asked for; undefined if it has ended. */
  readonly last: () => Promise<T> | undefined;
  /** Resolves when none is under way, though the next may be about to begin; rejects as the one under way does. */
  readonly idle: () => Promise<void>;
}

export function oneAtATime<T>(work: () => Promise<T>): OneAtATime<T> {
  let running: Promise<T> | undefined;
  let next: Promise<T> | undefined;
  const begin = (): Promise<T> => {
    next = undefined;
    running = work().finally(() => {
      running = undefined;
    });
    return running;
  };
  const idle = async (): Promise<void> => {
    if (running === undefined) return;
    await running;
    await idle();
  };
  return {
    run() {
      if (running === undefined) return begin();
      next ??= running.catch(() => undefined).then(begin);
      return next;
    },
    last: () => next ?? running,
    idle,
  };
}
