import { close, constants, fstatSync, openSync, write } from "node:fs";

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

/**
 * Writes lines without ever blocking: a bounded queue holds them while the destination is slow, and what does not fit
 * or cannot be written is dropped and counted. One write at a time; EAGAIN waits, any other error gives up the lines
 * of that write.
 */
export class LineSink {
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
  #failure: string | undefined;
  #idle: () => void = () => {};

  /**
   * @param destination a file descriptor (1 is stdout, 2 is stderr), or the path of a file that lines are appended to
   * @throws if the file cannot be opened
   */
  constructor(destination: number | string) {
    this.#destination = openDestination(destination);
  }

  /** Lines that could not be written. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Why a write failed, as `ENOSPC`, since this was asked the last time. */
  takeFailure(): string | undefined {
    const code = this.#failure;
    this.#failure = undefined;
    return code;
  }

  /** Octets of lines that wait. */
  get queued(): number {
    return this.#queuedOctets;
  }

  /** @param line one or more, each with its line feed */
  write(line: Buffer): void {
    if (this.#stopped || this.#queuedOctets + line.length > MAX_QUEUED_OCTETS) {
      this.#dropped += linesIn(line);
      return;
    }
    this.#queue.push(line);
    this.#queuedOctets += line.length;
    if (!this.#busy) this.#next();
  }

  /** Writes what is queued, for half a second at most. Later lines are dropped. */
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
      else {
        this.#failure = error.code ?? "unknown error";
        this.#giveUp();
      }
    });
  }

  #advance(written: number): void {
    this.#torn = written > 0 && this.#batch[written - 1] !== LINE_FEED;
    this.#batch = this.#batch.subarray(written);
    if (this.#batch.length > 0) this.#attempt();
    else this.#next();
  }

  #giveUp(): void {
    this.#dropped += linesIn(this.#batch);
    this.#next();
  }
}

const LINE_FEED = 0x0a;

/** How many of these octets are line feeds. */
export function linesIn(octets: Uint8Array): number {
  let lines = 0;
  for (const octet of octets) if (octet === LINE_FEED) lines++;
  return lines;
}
