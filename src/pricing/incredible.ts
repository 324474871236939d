/** A count that jumps so many times is no crowd, */
const INCREDIBLE = 20;
/** unless it is a small one, */
const FEW_VIEWERS = 50;
/** or the next report says the same, more or less. */
const ALIKE = 2;

/**
 * Whether an edge's count of viewers is rather a lie than a crowd.
 * @param doubted what the report before said, where nobody believed it
 */
export function isIncredible(before: number, now: number, doubted: number | undefined): boolean {
  const [less, more] = [Math.min(before, now), Math.max(before, now)];
  if (more <= Math.max(less, FEW_VIEWERS) * INCREDIBLE) return false;
  return doubted === undefined || now > doubted * ALIKE || now * ALIKE < doubted;
}
