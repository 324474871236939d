/** How fast viewers leave an edge, from how many are left. */
export interface Departure {
  observe(left: number, wallMs: number): void;
  /**
   * Wall clock, when less than one is expected to be left; undefined while nobody can tell.
   * @param isEven whether they are moved, evenly; else they end of themselves, a share of them in every minute
   */
  emptyAtMs(wallMs: number, isEven: boolean): number | undefined;
}

/** Judged by what was seen in this time, */
const WINDOW_MS = 300_000;
/** and not before this much of it. */
const LEAST_MS = 20_000;
const STEP_MS = 2000;

export function createDeparture(): Departure {
  let seen: { readonly left: number; readonly atMs: number }[] = [];
  return {
    observe(left, atMs) {
      const last = seen.at(-1);
      if (last !== undefined && atMs - last.atMs < STEP_MS && left > 0) return;
      seen = [...seen.filter((one) => one.atMs > atMs - WINDOW_MS), { left, atMs }];
    },
    emptyAtMs(wallMs, isEven) {
      const [first, last] = [seen[0], seen.at(-1)];
      if (first === undefined || last === undefined || last.atMs - first.atMs < LEAST_MS) return undefined;
      if (last.left <= 0 || last.left >= first.left) return undefined;
      const spanMs = last.atMs - first.atMs;
      const evenly = (last.left * spanMs) / (first.left - last.left);
      const byShare = (Math.log(2 * last.left) * spanMs) / Math.log(first.left / last.left);
      return wallMs + (isEven ? evenly : byShare);
    },
  };
}
