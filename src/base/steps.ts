/** Work in steps, between which whoever does it sees to something else. */
export type Steps<T> = Generator<undefined, T>;

/** Does all that is left to be done at once. */
export function finished<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
