/**
 * Mulberry32: the same numbers for the same seed, on every run and machine.
 * @param {number} seed
 * @returns {() => number} unsigned 32-bit integers
 */
export function randomFrom(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return (t ^ (t >>> 14)) >>> 0;
  };
}

/**
 * A /24 that could be a viewer's: unicast, neither loopback nor private by its first octet.
 * @param {() => number} random
 * @returns {[number, number, number]} its first three octets
 */
export function randomSubnet(random) {
  let first = 127;
  while (first === 127 || first === 10) first = 1 + (random() % 223);
  return [first, random() & 0xff, random() & 0xff];
}
