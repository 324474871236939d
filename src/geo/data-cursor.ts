import { Buffer } from "node:buffer";
import { ARRAY, BOOLEAN, MAP, POINTER, POINTER_BASES, SIZE_BASES } from "./data-section.ts";
import type { Mmdb } from "./mmdb.ts";

/**
 * A place in the data section of a database, and the value that begins there: `head` reads its type and its size,
 * then one of the others takes its body or steps over it.
 */
export class DataCursor {
  /** Octets of the file before the next to be read. */
  at = 0;
  /** Of the last head. */
  type = 0;
  /** Of the last head: octets, or members of a map or an array; of a pointer what its octets begin with. */
  size = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #buffer: Buffer;
  readonly #start: number;
  readonly #end: number;
  #headsLeft = 0;

  constructor({ bytes, dataStart, dataEnd }: Pick<Mmdb, "bytes" | "dataStart" | "dataEnd">) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#start = dataStart;
    this.#end = dataEnd;
  }

  /** @param offset of a record, in octets of the file */
  begin(offset: number): void {
    this.at = offset;
    this.#headsLeft = MOST_VALUES;
  }

  /**
   * Reads a control octet and what belongs to it, follows no pointer.
   * @throws where the record leads out of its section, or has no end
   */
  head(): void {
    if (this.at >= this.#end || this.#headsLeft-- === 0)
      throw new Error("a record that was well-formed is so no more");
    const bytes = this.#bytes;
    const control = bytes[this.at++] as number;
    this.type = control >> 5;
    this.size = control & 0x1f;
    if (this.type === POINTER) return;
    if (this.type === 0) this.type = 7 + (bytes[this.at++] as number);
    if (this.size < 29) return;
    const octets = this.size - 28;
    this.size = (SIZE_BASES[octets - 1] as number) + this.#bigEndian(octets, 0);
  }

  /** @returns where the pointer leads, in octets of the file */
  pointer(): number {
    const octets = (this.size >> 3) + 1;
    const upper = octets === 4 ? 0 : this.size & 7;
    return this.#start + (POINTER_BASES[octets - 1] as number) + this.#bigEndian(octets, upper);
  }

  text(): string {
    this.at += this.size;
    return this.#buffer.toString("utf8", this.at - this.size, this.at);
  }

  unsigned(): number {
    return this.#bigEndian(this.size, 0);
  }

  double(): number {
    this.at += 8;
    return this.#view.getFloat64(this.at - 8);
  }

  float(): number {
    this.at += 4;
    return this.#view.getFloat32(this.at - 4);
  }

  /** Steps over a value of which nothing is read yet. */
  skip(): void {
    this.head();
    this.skipBody();
  }

  /** Steps over what is behind the last head. */
  skipBody(): void {
    const { type, size } = this;
    if (type === POINTER) this.at += (size >> 3) + 1;
    else if (type === MAP || type === ARRAY)
      for (let left = type === MAP ? 2 * size : size; left > 0; left--) this.skip();
    else if (type !== BOOLEAN) this.at += size;
  }

  #bigEndian(octets: number, upper: number): number {
    const bytes = this.#bytes;
    let value = upper;
    for (let i = 0; i < octets; i++) value = value * 256 + (bytes[this.at++] as number);
    return value;
  }
}

/** As `flawOf` allows: keys count too. */
const MOST_VALUES = 8192;
