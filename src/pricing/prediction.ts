import type { SentCounts } from "./ledger.ts";

/** Decisions by door. */
export interface Counted {
  readonly http: number;
  readonly answers: number;
}

/**
 * Remembers the running counts of the last minutes, to tell which decisions a report includes: an HTTP viewer
 * comes at once, those of a DNS answer come evenly over its time to live.
 */
export interface Prediction {
  /** Takes the counts of this moment; call about once a second, and before a question about now. */
  sample(nowMs: number): void;
  /** How many decisions for the edge have brought their viewers by then. */
  arrivedBy(edge: number, atMs: number, ttlMs: number): Counted;
  /** How many decisions were made by the last sample. */
  made(edge: number): Counted;
  /**
   * How many times as many viewers as usual come to the edge, judged by those of HTTP, of whom each is counted; 1 or
   * more. A resolver that answers from its cache brings as many times more.
   */
  rush(edge: number): number;
}

/** A report older than this says nothing of the decisions since. */
const KEEP_MS = 300_000;
/** A rush is what came within this time, */
const RUSH_MS = 3000;
/** beside what comes in this. */
const USUAL_MS = 240_000;
const RUSH_MAX = 50;
/** Points at which the arrivals of a time to live are summed up. */
const STEPS = 8;

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
    arrivedBy(edge, atMs, ttlMs) {
      let answers = 0;
      for (let k = 0; k < STEPS; k++) answers += at(edges + edge, atMs - (ttlMs * (k + 0.5)) / STEPS);
      return { http: at(edge, atMs), answers: answers / STEPS };
    },
    rush(edge) {
      const nowMs = samples.at(-1)?.atMs ?? 0;
      const firstMs = samples[0]?.atMs ?? 0;
      const spanMs = Math.min(USUAL_MS, nowMs - RUSH_MS - firstMs);
      if (spanMs < 10 * RUSH_MS) return 1;
      const before = at(edge, nowMs - RUSH_MS);
      const came = (total[edge] as number) - before;
      const usual = ((before - at(edge, nowMs - RUSH_MS - spanMs)) * RUSH_MS) / spanMs;
      // Chance alone is no rush.
      return Math.min(RUSH_MAX, Math.max(1, came / (usual + 2 * Math.sqrt(usual) + 2)));
    },
    made: (edge) => ({ http: total[edge] as number, answers: total[edges + edge] as number }),
  };
}

interface Sample {
  readonly atMs: number;
  readonly total: Float64Array;
}
