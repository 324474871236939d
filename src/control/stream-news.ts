import { type Clock, systemClock } from "../base/clock.ts";
import type { Log } from "../model/log.ts";

/** Tells the log of streams that stand still at edges: of those that change within a second, in one line. */
export interface StreamNews {
  changed(edgeId: string, stream: string, isStale: boolean): void;
  stop(): void;
}

const TOGETHER_MS = 1000;
const NAMES_MAX = 10;

export function createStreamNews(log: Pick<Log, "info" | "warn">, clock: Clock = systemClock): StreamNews {
  let stale: [edgeId: string, stream: string][] = [];
  let fresh: [edgeId: string, stream: string][] = [];
  let cancel: (() => void) | undefined;
  const tell = (): void => {
    cancel = undefined;
    if (stale.length > 0) log.warn(summaryOf(stale), "streams stand still at edges");
    if (fresh.length > 0)
      log.info(summaryOf(fresh), "streams stand still no longer, or are not checked any more");
    [stale, fresh] = [[], []];
  };
  return {
    changed(edgeId, stream, isStale) {
      (isStale ? stale : fresh).push([edgeId, stream]);
      cancel ??= clock.after(TOGETHER_MS, tell);
    },
    stop: () => cancel?.(),
  };
}

/** How many at how many edges, and the first of both by name. */
function summaryOf(changes: readonly [edgeId: string, stream: string][]): { [field: string]: unknown } {
  const edges = [...new Set(changes.map(([edgeId]) => edgeId))];
  const streams = [...new Set(changes.map(([, stream]) => stream))];
  return {
    edgeCount: edges.length,
    streamCount: streams.length,
    edges: edges.slice(0, NAMES_MAX),
    streams: streams.slice(0, NAMES_MAX),
  };
}
