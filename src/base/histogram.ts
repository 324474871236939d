import type { Labels } from "../model/metrics.ts";

/** A fixed-bucket histogram in typed arrays; `observe` allocates nothing. */
export class Histogram {
  readonly bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;

  /** @param bounds upper bounds in ascending order, without +Inf */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.#counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > (this.bounds[i] as number)) i++;
    this.#counts[i] = (this.#counts[i] as number) + 1;
    this.#sum += value;
  }

  sample(labels: Labels): { labels: Labels; counts: number[]; sum: number } {
    return { labels, counts: [...this.#counts], sum: this.#sum };
  }
}
