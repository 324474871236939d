/**
 * Sorts positions by keys, stably, in room that is used again: `Array.sort` calls back for each comparison and makes
 * copies.
 */
export class MergeSort {
  #order: Uint16Array;
  #other: Uint16Array;

  /** @param room the most that are ever sorted */
  constructor(room: number) {
    this.#order = new Uint16Array(room);
    this.#other = new Uint16Array(room);
  }

  /** Positions from `start` up to `end`, in the order of their keys; valid until the next call. */
  order(keys: Float64Array, start: number, end: number): Uint16Array {
    const count = end - start;
    for (let i = 0; i < count; i++) this.#order[i] = start + i;
    for (let width = 1; width < count; width *= 2) {
      for (let at = 0; at < count; at += 2 * width) this.#merge(keys, at, width, count);
      [this.#order, this.#other] = [this.#other, this.#order];
    }
    return this.#order;
  }

  /** Two runs of `width`, the second maybe shorter, from one list into the other. */
  #merge(keys: Float64Array, start: number, width: number, count: number): void {
    const [order, merged] = [this.#order, this.#other];
    const middle = Math.min(start + width, count);
    const end = Math.min(middle + width, count);
    let [left, right] = [start, middle];
    for (let at = start; at < end; at++) {
      const isLeft =
        left < middle &&
        (right >= end || (keys[order[left] as number] as number) <= (keys[order[right] as number] as number));
      merged[at] = order[isLeft ? left++ : right++] as number;
    }
  }
}
