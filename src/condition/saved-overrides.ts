import { type Clock, systemClock } from "../base/clock.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Override } from "./override.ts";
import type { StateFile } from "./state-file.ts";

/** Keeps the state file in step with what operators said: what cannot be written is written as soon as it can be. */
export interface SavedOverrides {
  /** @returns false: that is not possible for now, and the log says why */
  save(): Promise<boolean>;
  /** False: a restart would forget something. */
  readonly areSaved: () => boolean;
  readonly metrics: MetricSource;
  stop(): void;
}

export interface SavedOverridesOptions {
  readonly stateFile: Pick<StateFile, "write">;
  readonly overrides: () => readonly Override[];
  readonly log: Pick<Log, "info">;
  readonly clock?: Clock;
}

const RETRY_MS = 30_000;

export function createSavedOverrides(options: SavedOverridesOptions): SavedOverrides {
  const { stateFile, overrides, log, clock = systemClock } = options;
  let areSaved = true;
  let isStopped = false;
  let cancel: (() => void) | undefined;
  const save = async (): Promise<boolean> => {
    const isWritten = (await stateFile.write(overrides())).kind === "written";
    cancel?.();
    if (isWritten && !areSaved) log.info({}, "state file is written again: drains outlast a restart");
    areSaved = isWritten;
    if (!isWritten && !isStopped) cancel = clock.after(RETRY_MS, () => void save());
    return isWritten;
  };
  return {
    save,
    areSaved: () => areSaved,
    metrics: () => [
      {
        kind: "gauge",
        name: "state_file_written",
        help: "0 while drains set by command could not be written down: a restart would forget them.",
        samples: [{ labels: {}, value: areSaved ? 1 : 0 }],
      },
    ],
    stop() {
      isStopped = true;
      cancel?.();
    },
  };
}
