/**
 * Work on runs of 32-bit words. V8 makes all of its checks (kind, place and length of an array, whether it is to be
 * interrupted) anew in each turn of a loop, which costs several times what a word does: so there are four of them to
 * a turn.
 */

/**
 * A hash of words by the sum of their products, each with an odd factor of its own: no product waits for the one
 * before it, as it would where each step takes the last one's result.
 * @param end at most `POSITIONS`
 */
export function addedRun(sum: number, words: Int32Array, start: number, end: number): number {
  const factors = FACTORS;
  let all = sum;
  let i = start;
  for (; i + 3 < end; i += 4)
    all =
      (all +
        Math.imul(words[i] as number, factors[i] as number) +
        Math.imul(words[i + 1] as number, factors[i + 1] as number) +
        Math.imul(words[i + 2] as number, factors[i + 2] as number) +
        Math.imul(words[i + 3] as number, factors[i + 3] as number)) |
      0;
  for (; i < end; i++) all = (all + Math.imul(words[i] as number, factors[i] as number)) | 0;
  return all;
}

/** The same for one word. */
export function added(sum: number, position: number, word: number): number {
  return (sum + Math.imul(word, FACTORS[position] as number)) | 0;
}

/** A product's low bits know nothing of its factors' high ones: the shifts bring those down. */
export function mixed(sum: number): number {
  const product = Math.imul(sum ^ (sum >>> 15), 0x9e3779b1);
  return product ^ (product >>> 15);
}

/** Whether the words from `start` to before `end` are those that lie `offset` further in `others`. */
export function isSameRun(
  words: Int32Array,
  start: number,
  end: number,
  others: Int32Array,
  offset: number,
): boolean {
  let i = start;
  for (let j = i + offset; i + 3 < end; i += 4, j += 4)
    if (
      words[i] !== others[j] ||
      words[i + 1] !== others[j + 1] ||
      words[i + 2] !== others[j + 2] ||
      words[i + 3] !== others[j + 3]
    )
      return false;
  for (; i < end; i++) if (words[i] !== others[i + offset]) return false;
  return true;
}

/** Writes the words from `start` to before `end`, from where they lie `offset` further in `others`. */
export function copyRun(
  words: Int32Array,
  start: number,
  end: number,
  others: Int32Array,
  offset: number,
): void {
  let i = start;
  for (let j = i + offset; i + 3 < end; i += 4, j += 4) {
    words[i] = others[j] as number;
    words[i + 1] = others[j + 1] as number;
    words[i + 2] = others[j + 2] as number;
    words[i + 3] = others[j + 3] as number;
  }
  for (; i < end; i++) words[i] = others[i + offset] as number;
}

/** For 192 octets and an address, as the longest queries that are looked up have. */
const POSITIONS = 72;
const FACTORS = new Int32Array(POSITIONS);
for (let i = 0, state = 0x2545f491; i < POSITIONS; i++) {
  state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9;
  FACTORS[i] = state | 1;
}
