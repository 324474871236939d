import type { SentCounts } from "./ledger.ts";

/** Decisions by door. */
export interface Counted {
  readonly http: number;
  readonly answers: number;
}

/** Remembers the running counts of the last minutes, to tell which decisions a report includes. */
export interface Prediction {
  /** Takes the counts of this moment; call about once a second, and before a question about now. */
  sample(nowMs: number): void;
  /** How many HTTP viewers had been sent to the edge by then: they come at once. */
  redirectedBy(edge: number, atMs: number): number;
  /** How many DNS answers had named the edge by then. */
  answeredBy(edge: number, atMs: number): number;
  /** How many decisions were made by the last sample. */
  made(edge: number): Counted;
}

/** A report older than this says nothing of the decisions since. */
const KEEP_MS = 300_000;
export function createPrediction(sent: SentCounts): Prediction {
  const edges = sent.length / 2;
  const total = new Float64Array(sent.length);
  const last = new Int32Array(sent);
  let samples: Sample[] = [];

  const at = (cell: number, atMs: number): number => {
    let k = samples.length - 1;
    while (k > 0 && (samples[k] as Sample).atMs > atMs) k--;
    const before = samples[k];
    if (before === undefined) return 0;
    const after = samples[k + 1];
    const value = before.total[cell] as number;
    if (after === undefined || before.atMs > atMs) return value;
    const share = (atMs - before.atMs) / (after.atMs - before.atMs);
    return value + ((after.total[cell] as number) - value) * share;
  };

  return {
    sample(nowMs) {
      for (let cell = 0; cell < sent.length; cell++) {
        const now = Atomics.load(sent, cell);
        total[cell] = (total[cell] as number) + ((now - (last[cell] as number)) | 0);
        last[cell] = now;
      }
      if (samples.at(-1)?.atMs === nowMs) samples.pop();
      samples.push({ atMs: nowMs, total: total.slice() });
      if ((samples[0] as Sample).atMs < nowMs - 2 * KEEP_MS)
        samples = samples.filter((sample) => sample.atMs >= nowMs - KEEP_MS);
    },
    redirectedBy: (edge, atMs) => at(edge, atMs),
    answeredBy: (edge, atMs) => at(edges + edge, atMs),
    made: (edge) => ({ http: total[edge] as number, answers: total[edges + edge] as number }),
  };
}

interface Sample {
  readonly atMs: number;
  readonly total: Float64Array;
}
