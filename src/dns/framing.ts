import { MAX_MESSAGE_OCTETS } from "./wire.ts";

/** Cuts a TCP stream into messages by the length in front of each (RFC 1035 4.2.2), however it is chopped. */
export class MessageReader {
  #buffer = new Uint8Array(SMALLEST_BUFFER);
  #start = 0;
  #end = 0;

  /** Holds on to a copy: as much memory as has arrived and is not yet read, at most doubled. */
  push(chunk: Uint8Array): void {
    const pending = this.#end - this.#start;
    if (this.#end + chunk.length > this.#buffer.length) this.#makeRoom(pending + chunk.length);
    this.#buffer.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** The next whole message, valid until the next push; undefined if it has not arrived. */
  next(): Uint8Array | undefined {
    const pending = this.#end - this.#start;
    if (pending < 2) return undefined;
    const length = ((this.#buffer[this.#start] as number) << 8) | (this.#buffer[this.#start + 1] as number);
    if (pending < 2 + length) return undefined;
    const message = this.#buffer.subarray(this.#start + 2, this.#start + 2 + length);
    this.#start += 2 + length;
    return message;
  }

  /** Whether a message has begun and not ended. */
  get isAmidMessage(): boolean {
    return this.#end > this.#start;
  }

  /** The pending octets to the front, of a larger buffer if need be, or a small one again. */
  #makeRoom(octets: number): void {
    const pending = this.#buffer.subarray(this.#start, this.#end);
    let size = SMALLEST_BUFFER;
    while (size < octets) size *= 2;
    if (size === this.#buffer.length) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    } else {
      const buffer = new Uint8Array(size);
      buffer.set(pending);
      this.#buffer = buffer;
    }
    this.#end = pending.length;
    this.#start = 0;
  }
}

const SMALLEST_BUFFER = 512;

/** A message with its length in front, as one copy. */
export function framed(message: Uint8Array, octets: number): Uint8Array {
  if (octets > MAX_MESSAGE_OCTETS) throw new Error(`a message of ${octets} octets`);
  const frame = Buffer.allocUnsafe(2 + octets);
  frame.writeUInt16BE(octets, 0);
  frame.set(message.subarray(0, octets), 2);
  return frame;
}
