const FIRST_MS = 1000;
const LONGEST_MS = 60_000;

/**
 * How long to wait after so many failures in a row: 1 s, twice as long each time, a minute at most. Half of it is by
 * lot, so that agents that lost the service together do not come back together.
 * @param random 0 <= x < 1
 */
export function backoffMs(failures: number, random: () => number): number {
  const wholeMs = Math.min(FIRST_MS * 2 ** Math.min(failures - 1, 16), LONGEST_MS);
  return wholeMs * (0.5 + random() / 2);
}
