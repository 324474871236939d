/**
 * Numbers that are the same for the same seed on every run and machine (Mulberry32), so that a failure can be seen
 * again.
 */

/** Gives unsigned integers of 32 bits. */
export function wordsFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
}

/** Gives numbers from 0 up to 1, 1 not among them. */
export function sharesFrom(seed: number): () => number {
  const word = wordsFrom(seed);
  return () => word() / 2 ** 32;
}

/** Gives 0 to `below` - 1. */
export type Draw = (below: number) => number;

export function drawsFrom(seed: number): Draw {
  const word = wordsFrom(seed);
  return (below) => word() % below;
}

export function pick<T>(all: readonly T[], draw: Draw): T {
  return all[draw(all.length)] as T;
}
