/** A configuration in the making, from another program's: what importers make, and `write.ts` writes. */
export interface Draft {
  readonly edges: readonly DraftEdge[];
  readonly services: readonly DraftService[];
  /** What could not be carried over, and what needs a look. */
  readonly notes: readonly Note[];
}

export interface DraftEdge {
  readonly id: string;
  /** Left out where the other program does not know it. */
  readonly location?: { readonly latitude: number; readonly longitude: number };
  readonly addresses?: readonly string[];
  readonly url?: string;
  readonly urls?: { readonly [word: string]: string };
  readonly tags?: readonly string[];
  readonly capacity?: { readonly viewers?: number; readonly bandwidth?: string };
  readonly weight?: number;
  readonly state?: "off";
  readonly probe?: Values;
  readonly load?: Values;
}

export interface DraftService {
  readonly id: string;
  /** Without any, the one that the operator names for all. */
  readonly hostnames?: readonly string[];
  /** Left out: every edge. */
  readonly edges?: readonly string[];
  readonly rank: "nearest" | "least-loaded" | "weighted" | "failover";
  readonly dns?: { readonly ttl?: string };
  readonly http?: Values;
  readonly whenDown?: "fail-open" | "refuse";
}

export type Values = { readonly [key: string]: unknown };

export interface Note {
  readonly file: string;
  /** From 1; left out where it is about the whole. */
  readonly line?: number;
  readonly message: string;
}

/** A file to import, as it stands. */
export interface Original {
  readonly file: string;
  readonly text: string;
}

/** Nothing can be made of it. */
export interface Refused {
  readonly kind: "refused";
  readonly file: string;
  readonly line?: number;
  readonly problem: string;
}

export function refused({ file }: Original, problem: string, line?: number): Refused {
  return { kind: "refused", file, problem, ...(line === undefined ? {} : { line }) };
}

/** Takes notes on one file. */
export function notesOn({ file }: Original): {
  notes: Note[];
  note: (message: string, line?: number) => void;
} {
  const notes: Note[] = [];
  return {
    notes,
    note: (message, line) => void notes.push({ file, message, ...(line === undefined ? {} : { line }) }),
  };
}
