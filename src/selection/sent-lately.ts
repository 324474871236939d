import { FIRST_NUMBER } from "./rows.ts";

/**
 * Of rows, as `Rows` has them: until when whoever was sent to an edge is taken for the same viewer, in milliseconds
 * modulo 2^32, and to which one. The last two of a row's numbers, as words; 0 in a row that is new.
 */
const UNTIL = FIRST_NUMBER + 2;
const EDGE = FIRST_NUMBER + 3;

/**
 * Whether it was sent somewhere within `windowMs`, where it still may be.
 * @param edge where it is sent now, an index into `up`
 * @param up as in `World`
 */
export function wasSentLately(
  words: Uint32Array,
  row: number,
  edge: number,
  up: Uint8Array,
  windowMs: number,
  nowMs: number,
): boolean {
  const leftMs = ((words[row + UNTIL] as number) - nowMs) | 0;
  if (leftMs <= 0 || leftMs > windowMs) return false;
  const last = words[row + EDGE] as number;
  return last === edge || up[last] !== 0;
}

export function noteSent(words: Uint32Array, row: number, edge: number, untilMs: number): void {
  words[row + UNTIL] = untilMs;
  words[row + EDGE] = edge;
}
