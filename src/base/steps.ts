/** Work in steps, between which whoever does it sees to something else. */
export type Steps<T> = Generator<undefined, T>;

/** Does all that is left to be done at once. */
export function finished<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Sees to each of them, so many in a step. */
export function* inPortions<T>(all: Iterable<T>, atOnce: number, see: (one: T) => void): Steps<void> {
  let seen = 0;
  for (const one of all) {
    see(one);
    if (++seen % atOnce === 0) yield;
  }
}
