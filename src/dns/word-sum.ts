/**
 * A hash of words by the sum of their products, each with an odd factor of its own: no product waits for the one before it, as it would where
 * each step takes the last one's result.
 */
export function added(sum: number, position: number, word: number): number {
  return (sum + Math.imul(word, FACTORS[position] as number)) | 0;
}

/** A product's low bits know nothing of its factors' high ones: the shifts bring those down. */
export function mixed(sum: number): number {
  const product = Math.imul(sum ^ (sum >>> 15), 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** For 192 octets and an address, as the longest queries that are looked up have. */
const POSITIONS = 72;
const FACTORS = new Int32Array(POSITIONS);
for (let i = 0, state = 0x2545f491; i < POSITIONS; i++) {
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
  FACTORS[i] = state | 1;
}
