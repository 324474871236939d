import { setPriority } from "node:os";

/**
 * Lets the other threads go first where there are fewer processors than work. Linux takes this for the calling thread alone;
 * elsewhere it would be the whole program's, and is left.
 * @param nice 1, a little, to 19, for whatever is left over
 */
export function standBack(nice: number): void {
  if (process.platform === "linux") setPriority(nice);
}
