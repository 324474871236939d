import { type Clock, systemClock } from "../base/clock.ts";
import { droppedLines, type LineRing, takeLines } from "../base/line-ring.ts";
import { LineSink, linesIn } from "../base/line-sink.ts";
import type { QueryLogSettings } from "../model/dns-settings.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";

/** Takes the threads' lines out of shared memory and writes them to where the operator wants them. */
export interface QueryLogFile {
  /** Undefined: nowhere. */
  take(settings: QueryLogSettings | undefined): void;
  /** Opens the file anew: somebody may have moved it. */
  reopen(): void;
  readonly metrics: MetricSource;
  /** What is there is written out first, for half a second at most. */
  stop(): Promise<void>;
}

const DRAIN_MS = 100;
/** How soon a file that could not be opened is tried again. */
const RETRY_MS = 10_000;
const STDOUT = 1;

/** @param rings may grow */
export function createQueryLogFile(
  rings: readonly LineRing[],
  log: Log,
  clock: Clock = systemClock,
): QueryLogFile {
  let settings: QueryLogSettings | undefined;
  let sink: LineSink | undefined;
  let retryAtMs = 0;
  /** Of sinks that are no more, and of lines that there was no sink for. */
  let lost = 0;
  let cancelDrain: (() => void) | undefined;
  const failures = createFailureNews(log, clock);

  const open = (): void => {
    if (settings === undefined) return;
    const { destination } = settings;
    try {
      sink = new LineSink(destination === "stdout" ? STDOUT : destination);
    } catch (error) {
      retryAtMs = clock.monotonicMs() + RETRY_MS;
      const { code } = error as NodeJS.ErrnoException;
      log.error({ destination, code }, "the query log cannot be opened; its lines are dropped meanwhile");
    }
  };
  const close = (): Promise<void> => {
    const closing = sink;
    sink = undefined;
    return closing === undefined
      ? Promise.resolve()
      : closing.stop().then(() => void (lost += closing.dropped));
  };
  const write = (lines: Buffer): void => {
    if (lines.length === 0) return;
    if (sink === undefined) lost += linesIn(lines);
    else sink.write(lines);
  };
  const drain = (): void => {
    if (sink === undefined && settings !== undefined && clock.monotonicMs() >= retryAtMs) open();
    for (const ring of rings) write(takeLines(ring));
    if (settings !== undefined) failures.look(settings.destination, sink?.takeFailure());
  };
  const tick = (): void => {
    drain();
    cancelDrain = settings === undefined ? undefined : clock.after(DRAIN_MS, tick);
  };

  return {
    take(next) {
      if (next?.destination !== settings?.destination) {
        drain();
        void close();
        retryAtMs = 0;
      }
      settings = next;
      if (settings !== undefined && cancelDrain === undefined) tick();
    },
    reopen() {
      if (sink === undefined || settings?.destination === "stdout") return;
      drain();
      void close();
      open();
    },
    metrics: () => [
      {
        kind: "counter",
        name: "dns_query_log_dropped_total",
        help: "Lines of the query log that found no room or could not be written",
        samples: [
          {
            labels: {},
            value: rings.reduce((sum, ring) => sum + droppedLines(ring), lost + (sink?.dropped ?? 0)),
          },
        ],
      },
    ],
    async stop() {
      cancelDrain?.();
      settings = undefined;
      for (const ring of rings) write(takeLines(ring));
      await close();
    },
  };
}

/** Well beyond the time in which a nearly full disk takes some lines and refuses others. */
const CALM_MS = 10_000;

/** Tells of writes that fail once, as long as they do, and of their end. */
function createFailureNews(log: Log, clock: Clock) {
  let failedAtMs: number | undefined;
  return {
    look(destination: string, code: string | undefined): void {
      const nowMs = clock.monotonicMs();
      if (code !== undefined) {
        if (failedAtMs === undefined)
          log.error(
            { destination, code },
            "the query log cannot be written; its lines are dropped meanwhile",
          );
        failedAtMs = nowMs;
      } else if (failedAtMs !== undefined && nowMs - failedAtMs > CALM_MS) {
        failedAtMs = undefined;
        log.info({ destination }, "no write of the query log has failed for ten seconds");
      }
    },
  };
}
