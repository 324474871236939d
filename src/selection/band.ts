import type { Band } from "../model/band.ts";

/**
 * How many of the first `count` scores, from the best on, are within the band of the best.
 * @param firstKm the first score, where something but distance and price is in it: what those are
 */
export function namedWithin(
  band: Band | undefined,
  scores: ArrayLike<number>,
  count: number,
  firstKm = scores[0] as number,
): number {
  if (band === undefined || count < 2) return count;
  const best = Math.min(firstKm, scores[1] as number);
  const limit = best + bandKm(band, best);
  let within = 1;
  while (within < count && (scores[within] as number) <= limit) within++;
  return within;
}

/** How many kilometres worse than the best counts as equal. */
export function bandKm({ km, share }: Band, bestKm: number): number {
  return Math.max(km, share * bestKm);
}
