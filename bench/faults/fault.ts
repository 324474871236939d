/** One thing that goes wrong, and what is to hold then. */
export interface Fault {
  /** Short, for `--only=`. */
  readonly name: string;
  readonly what: string;
  /** What it takes beside Linux; without it the fault is left out. */
  readonly needs?: readonly string[];
  /** @param folder its own, for configurations */
  readonly run: (folder: string) => Promise<Outcome>;
}

export interface Outcome {
  readonly held: boolean;
  readonly figure: string;
}
