import type { Labels, SimpleFamily } from "../model/metrics.ts";

/** Counters of one metric by their label values; the set of values must be bounded by the caller. */
export class Tally {
  readonly #names: readonly string[];
  readonly #counts = new Map<string, number>();

  constructor(...labelNames: string[]) {
    this.#names = labelNames;
  }

  add(...labelValues: string[]): void {
    const key = labelValues.join("\u0000");
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
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
