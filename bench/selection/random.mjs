/** @typedef {() => number} Random 0 up to, not including, 1 */

/**
 * Bob Jenkins' small fast generator (sfc32), seeded by a number and a purpose, so that each purpose draws
 * its own numbers whatever the others draw.
 * @param {number} seed
 * @param {string} purpose
 * @returns {Random}
 */
export function randomOf(seed, purpose) {
  let [a, b, c, counter] = [hash(seed, purpose), seed | 0, 0x9e3779b9 | 0, 1];
  const next = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 0x1_0000_0000;
  };
  for (let i = 0; i < 12; i++) next();
  return next;
}

/**
 * A number that depends on its arguments alone, 0 up to, not including, 1.
 * @param {number} seed
 * @param {number} key
 */
export function drawOf(seed, key) {
  let h = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(key + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 16), 0x7feb352d);
  h = Math.imul(h ^ (h >>> 15), 0x846ca68b);
  return ((h ^ (h >>> 16)) >>> 0) / 0x1_0000_0000;
}

/**
 * How many events happen where `mean` are expected (Knuth's product of uniforms, in pieces that cannot underflow).
 * @param {Random} random
 * @param {number} mean
 */
export function poisson(random, mean) {
  let count = 0;
  for (let left = mean; left > 0; left -= 200) {
    const limit = Math.exp(-Math.min(left, 200));
    for (let product = random(); product > limit; product *= random()) count++;
  }
  return count;
}

/**
 * Draws an index in proportion to its weight.
 * @param {readonly number[]} weights
 * @returns {(random: Random) => number}
 */
export function lottery(weights) {
  const upTo = new Float64Array(weights.length);
  let sum = 0;
  weights.forEach((weight, i) => {
    sum += weight;
    upTo[i] = sum;
  });
  return (random) => {
    const lot = random() * sum;
    let [low, high] = [0, weights.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (upTo[middle] > lot) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

/** @param {number} seed @param {string} text */
function hash(seed, text) {
  let h = seed ^ 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h | 0;
}
