import { pino, stdSerializers, stdTimeFunctions } from "pino";
import { LineSink } from "../base/line-sink.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";

export interface LogOptions {
  readonly level: "debug" | "info" | "warn" | "error";
  /** A file descriptor (1 is stdout, 2 is stderr), or the path of a file that lines are appended to. */
  readonly destination: number | string;
}

export interface LogWriter extends Log {
  readonly metrics: MetricSource;
  /** Writes what is queued, for half a second at most. Later lines are dropped. */
  stop(): Promise<void>;
}

/**
 * JSON lines. Logging never blocks and never throws: while the destination is slow a bounded queue
 * holds the lines, and what does not fit or cannot be written is dropped and counted.
 * @throws if the file cannot be opened
 */
export function createLog({ level, destination }: LogOptions): LogWriter {
  const sink = new LineSink(destination);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    { write: (text: string) => sink.write(Buffer.from(escapeControls(text))) },
  );
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    metrics: () => [
      {
        kind: "counter",
        name: "log_dropped_total",
        help: "Log lines that could not be written",
        samples: [{ labels: {}, value: sink.dropped }],
      },
    ],
    stop: () => sink.stop(),
  };
}

/** JSON leaves these as they are, yet a terminal acts on them: C1 controls, line and direction marks. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
