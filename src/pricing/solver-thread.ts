import { superviseThread, type ThreadDeath } from "../base/supervise.ts";
import { startThread, threadEntry } from "../base/thread-entry.ts";
import type { Region } from "./demand.ts";
import type { Look } from "./look-ahead.ts";
import type { Solver } from "./solver.ts";
import type { Place, Pool } from "./transport.ts";

/** What the thread is told, in plain data. */
export type SolverOrder =
  | { readonly kind: "take"; readonly field: SolverField }
  | {
      readonly kind: "solve";
      readonly id: number;
      readonly outcomes: Question["outcomes"];
      readonly isSudden: boolean;
    }
  | { readonly kind: "stop" };

export interface SolverField {
  readonly places: readonly Place[];
  readonly pools: readonly Pool[];
  readonly from: readonly number[];
}

export interface PackedLook {
  /** Four numbers for each region. */
  readonly regions: Float64Array<ArrayBuffer>;
  readonly room: Float64Array;
}

/** What it answers. */
export interface SolverNews {
  readonly id: number;
  readonly priceKm: Float64Array;
}

/**
 * A thread of its own: a solution for hundreds of edges takes a good part of a second.
 * @param onDeath it has ended unasked, and another takes its place
 */
export function solveInThread(onDeath: (death: ThreadDeath) => void): Solver {
  let field: SolverField = { places: [], pools: [], from: [] };
  let asked = 0;
  let busyWith: Question | undefined;
  let waiting: Question | undefined;

  const thread = superviseThread({
    start() {
      // Whatever was asked of the one before is not answered.
      busyWith = undefined;
      return startThread(threadEntry(import.meta.url, "solver-entry"), {
        workerData: field,
        name: "prices",
        resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
      });
    },
    onMessage(message) {
      const { id, priceKm } = message as SolverNews;
      const found = busyWith;
      if (found?.id !== id) return;
      busyWith = undefined;
      if (waiting !== undefined) ask(waiting);
      found.onFound(priceKm);
    },
    onDeath,
  });

  const ask = (question: Question): void => {
    waiting = undefined;
    busyWith = question;
    const { id, outcomes, isSudden } = question;
    thread.post({ kind: "solve", id, outcomes, isSudden } satisfies SolverOrder);
  };

  return {
    take(places, pools, from) {
      field = { places: places.map(({ latitude, longitude }) => ({ latitude, longitude })), pools, from };
      [busyWith, waiting] = [undefined, undefined];
      thread.post({ kind: "take", field } satisfies SolverOrder);
    },
    solve(outcomes, isSudden, onFound) {
      const packed = outcomes.map((looks) => looks.map(packLook));
      const question = { id: ++asked, outcomes: packed, isSudden, onFound };
      if (busyWith === undefined) ask(question);
      else waiting = question;
    },
    stop: () => thread.stop({ kind: "stop" } satisfies SolverOrder),
  };
}

interface Question {
  readonly id: number;
  readonly outcomes: readonly (readonly PackedLook[])[];
  readonly isSudden: boolean;
  readonly onFound: (priceKm: Float64Array) => void;
}

const NUMBERS = 4;

function packLook({ regions, room }: Look): PackedLook {
  const numbers = new Float64Array(regions.length * NUMBERS);
  regions.forEach(({ pool, latitude, longitude, viewers }, i) =>
    numbers.set([pool, latitude, longitude, viewers], i * NUMBERS),
  );
  return { regions: numbers, room };
}

export function unpackLook({ regions, room }: PackedLook): Look {
  const unpacked: Region[] = [];
  for (let at = 0; at < regions.length; at += NUMBERS) {
    const [pool = 0, latitude = 0, longitude = 0, viewers = 0] = regions.subarray(at, at + NUMBERS);
    unpacked.push({ pool, latitude, longitude, viewers });
  }
  return { regions: unpacked, room };
}

/** It computes for some milliseconds each second: what Node would give, 48 MB, is not made use of, but touched. */
const YOUNG_MB = 6;
