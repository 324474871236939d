import type { Labels, SimpleFamily } from "../model/metrics.ts";

/** Counters of one metric by their label values; the set of values must be bounded by the caller. */
export class Tally {
  readonly #names: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(...labelNames: string[]) {
    this.#names = labelNames;
  }

  add(...labelValues: string[]): void {
    this.addMany(1, ...labelValues);
  }

  /** 0 leaves no trace. */
  addMany(count: number, ...labelValues: string[]): void {
    if (count === 0) return;
    const key = labelValues.join("\u0000");
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + count);
  }

  /** One that is counted on without this one's noticing. */
  copy(): Tally {
    const copy = new Tally(...this.#names);
    for (const [key, count] of this.#counts) copy.#counts.set(key, count);
    return copy;
  }

  family(name: string, help: string): SimpleFamily {
    const samples = [...this.#counts].map(([key, value]) => ({ labels: this.#labels(key), value }));
    return { kind: "counter", name, help, samples };
  }

  #labels(key: string): Labels {
    const values = key === "" && this.#names.length === 0 ? [] : key.split("\u0000");
    return Object.fromEntries(this.#names.map((name, i) => [name, values[i] ?? ""]));
  }
}
