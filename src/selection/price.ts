/** Load from which an edge begins to look further away. */
const FREE_BELOW = 0.7;
/** What the last of its room costs: about the width of a continent. */
const PRICE_WHEN_FULL_KM = 4000;

/**
 * Kilometres that an edge's load adds to its distance: 0 below 70 %, then rising as the square, so that
 * neighbours take over before it overflows. Unknown load costs nothing: it is not known to be scarce.
 */
export function priceKm(loadRatio: number): number {
  if (!(loadRatio > FREE_BELOW)) return 0;
  const used = (loadRatio - FREE_BELOW) / (1 - FREE_BELOW);
  return PRICE_WHEN_FULL_KM * used * used;
}
