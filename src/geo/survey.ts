import type { Worker } from "node:worker_threads";
import { startThread, threadEntry } from "../base/thread-entry.ts";
import { giveBackMemory } from "../base/give-back.ts";
import type { Mmdb } from "./mmdb.ts";
import type { Regions } from "./regions.ts";

/** A survey under way. */
export interface Survey {
  /** Undefined: it was stopped, or its thread failed or could not begin; scopes are then those of the records. */
  readonly regions: Promise<Regions | undefined>;
  stop(): void;
}

/** `surveyRegions` in a thread of its own: it takes seconds, and its memory goes with it. */
export function startSurvey(db: Mmdb): Survey {
  let worker: Worker;
  try {
    worker = startThread(threadEntry(import.meta.url, "survey-entry"), {
      workerData: db,
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB },
    });
  } catch {
    return { regions: Promise.resolve(undefined), stop: () => {} };
  }
  const regions = new Promise<Regions | undefined>((resolve) => {
    worker.once("message", resolve);
    worker.once("error", () => resolve(undefined));
    worker.once("exit", () => {
      resolve(undefined);
      giveBackMemory();
    });
  });
  return { regions, stop: () => void worker.terminate() };
}

/** A record is forgotten as soon as it has been looked at. */
const YOUNG_MB = 6;
