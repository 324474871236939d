/** Metric families as rooms hand them over; the operators' door renders them. Names without the `edgeward_` prefix. */
export type MetricFamily = SimpleFamily | HistogramFamily;

export interface SimpleFamily {
  readonly kind: "counter" | "gauge";
  readonly name: string;
  readonly help: string;
  readonly samples: readonly { readonly labels: Labels; readonly value: number }[];
}

export interface HistogramFamily {
  readonly kind: "histogram";
  readonly name: string;
  readonly help: string;
  /** Upper bounds in ascending order, without +Inf. */
  readonly bounds: readonly number[];
  readonly samples: readonly {
    readonly labels: Labels;
    /** Not cumulative; one longer than `bounds`, the last for +Inf. */
    readonly counts: readonly number[];
    readonly sum: number;
  }[];
}

/** Values come from the configuration or a fixed vocabulary, never from the network. */
export type Labels = { readonly [name: string]: string };

/** What a room offers to be scraped. */
export type MetricSource = () => readonly MetricFamily[];
