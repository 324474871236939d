import { watchFiles } from "../base/watch.ts";
import { listFiles } from "./sources.ts";

export interface WatchTiming {
  /** Between two looks at the files. */
  readonly everyMs: number;
  /** How long nothing must change before an edit counts as finished. */
  readonly settleMs: number;
}

/** With these, an edit is told within 900 ms. */
const usual: WatchTiming = { everyMs: 400, settleMs: 500 };

/**
 * Calls `changed` once for every settled change of the configuration: an edit, a file renamed into place, a
 * swapped symlink, a file that came to or went from `edges.d`. Returns the way to stop.
 */
export function watchConfig(file: string, changed: () => void, timing: WatchTiming = usual): () => void {
  let settling: NodeJS.Timeout | undefined;
  const stopWatching = watchFiles(
    () => listFiles(file),
    () => {
      clearTimeout(settling);
      settling = setTimeout(changed, timing.settleMs);
    },
    timing.everyMs,
  );
  return () => {
    stopWatching();
    clearTimeout(settling);
  };
}

/** Sees edits from the first moment, and tells of them once it is told whom. */
export function watchFromNow(file: string): { start: (changed: () => void) => void; stop: () => void } {
  let isChanged = false;
  let tell = (): void => {
    isChanged = true;
  };
  return {
    stop: watchConfig(file, () => tell()),
    start: (changed) => {
      tell = changed;
      if (isChanged) changed();
    },
  };
}
