import { close, constants, fstatSync, openSync, write } from "node:fs";
import { pino, stdSerializers, stdTimeFunctions } from "pino";
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
  const sink = new LineSink(openDestination(destination));
  const logger = pino(
    {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: stdSerializers.err },
    },
    sink,
  );
  return {
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    metrics: () => [sink.droppedFamily()],
    stop: () => sink.stop(),
  };
}

interface Destination {
  readonly fd: number;
  /** Opened here, so closed here. */
  readonly own: boolean;
}

const MAX_QUEUED_OCTETS = 1 << 20;
const MAX_WRITE_OCTETS = 1 << 16;
const RETRY_MS = 50;
const FAREWELL_MS = 500;

/** Pipes and terminals are opened anew without blocking: a thread stuck in write(2) would also block exit. */
function openDestination(destination: number | string): Destination {
  const flags = constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK;
  if (typeof destination === "string") {
    return { fd: openSync(destination, flags | constants.O_CREAT, 0o640), own: true };
  }
  try {
    const stat = fstatSync(destination);
    if (!stat.isFIFO() && !stat.isCharacterDevice()) return { fd: destination, own: false };
    return { fd: openSync(`/proc/self/fd/${destination}`, flags), own: true };
  } catch {
    return { fd: destination, own: false };
  }
}

/** One write at a time; EAGAIN waits, any other error gives up the lines of that write. */
class LineSink {
  readonly #destination: Destination;
  readonly #queue: Buffer[] = [];
  #queuedOctets = 0;
  #batch: Buffer = Buffer.alloc(0);
  #busy = false;
  /** A line was left half written. */
  #torn = false;
  /** Takes no more lines. */
  #stopped = false;
  /** Gives up the lines it has. */
  #ended = false;
  #dropped = 0;
  #idle: () => void = () => {};

  constructor(destination: Destination) {
    this.#destination = destination;
  }

  /** @param text one line, with its line feed */
  write(text: string): void {
    const line = Buffer.from(escapeControls(text));
    if (this.#stopped || this.#queuedOctets + line.length > MAX_QUEUED_OCTETS) {
      this.#dropped++;
      return;
    }
    this.#queue.push(line);
    this.#queuedOctets += line.length;
    if (!this.#busy) this.#next();
  }

  droppedFamily(): ReturnType<MetricSource>[number] {
    const help = "Log lines that could not be written";
    return {
      kind: "counter",
      name: "log_dropped_total",
      help,
      samples: [{ labels: {}, value: this.#dropped }],
    };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#busy) await this.#drained();
    this.#ended = true;
    this.#idle = () => this.#close();
    if (!this.#busy) this.#close();
  }

  #close(): void {
    if (this.#destination.own) close(this.#destination.fd, () => {});
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, FAREWELL_MS);
      this.#idle = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #next(): void {
    this.#batch = this.#takeBatch();
    this.#busy = this.#batch.length > 0;
    if (this.#busy) this.#attempt();
    else this.#idle();
  }

  #takeBatch(): Buffer {
    let count = 0;
    let octets = 0;
    while (count < this.#queue.length && octets < MAX_WRITE_OCTETS)
      octets += this.#queue[count++]?.length ?? 0;
    const lines = this.#queue.splice(0, count);
    if (this.#torn && count > 0) lines.unshift(Buffer.from("\n"));
    this.#queuedOctets -= octets;
    this.#torn = false;
    return Buffer.concat(lines);
  }

  #attempt(): void {
    if (this.#ended) {
      this.#giveUp();
      return;
    }
    write(this.#destination.fd, this.#batch, 0, this.#batch.length, null, (error, written) => {
      if (error === null) this.#advance(written);
      else if (error.code === "EAGAIN") setTimeout(() => this.#attempt(), RETRY_MS).unref();
      else this.#giveUp();
    });
  }

  #advance(written: number): void {
    this.#torn = written > 0 && this.#batch[written - 1] !== LINE_FEED;
    this.#batch = this.#batch.subarray(written);
    if (this.#batch.length > 0) this.#attempt();
    else this.#next();
  }

  #giveUp(): void {
    for (const octet of this.#batch) if (octet === LINE_FEED) this.#dropped++;
    this.#next();
  }
}

const LINE_FEED = 0x0a;

/** JSON leaves these as they are, yet a terminal acts on them: C1 controls, line and direction marks. */
function escapeControls(text: string): string {
  return text.replace(
    /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
