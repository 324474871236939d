/** One thing that is wrong with a configuration: `FILE:LINE:COLUMN: PATH: message`. */
export interface Problem {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Dotted, as `edges.ams1.capacity.viewers`; empty for the whole document. */
  readonly path: string;
  /** What is wrong, and what would be right. */
  readonly message: string;
}

/** What a configuration may say, and rarely means. */
export interface Note {
  /** In the configuration; a zone by its name, whatever its key. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}
