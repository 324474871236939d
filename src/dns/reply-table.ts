import type { PacketRoom } from "./batch.ts";

/** Longer replies are not prepared. */
export const MAX_PREPARED_OCTETS = 512;

/** What goes with a reply. */
export interface PreparedReply {
  readonly octets: number;
  /** Where the client subnet's address stands, the scope in front of it; 0: there is none. */
  readonly addressAt: number;
  readonly rcode: number;
  /** For the rate limit. */
  readonly class: number;
}

/**
 * Replies by the shape of their queries and the number of what was decided. They lie behind one another, so that those in use take little of the
 * processor's cache. Of a fixed size: once it is full, all of them go.
 */
export class ReplyTable {
  /** By slot: shape, number, and where the reply begins; a shape of 0: it is free. */
  readonly #index = new Int32Array(INDEX_FIELDS * SLOTS);
  /** What goes with a reply, and the reply, one behind the other. */
  readonly #words = new Int32Array(WORDS);
  #stored = 0;
  #end = 0;

  /** Where it begins, good until something is stored; -1: it is not there. */
  find(shape: number, number: number): number {
    const at = this.#indexOf(shape, number);
    return this.#index[at] === 0 ? -1 : (this.#index[at + BEGINNING] as number);
  }

  octetsAt(reply: number): number {
    return this.#words[reply + OCTETS] as number;
  }

  addressAt(reply: number): number {
    return this.#words[reply + ADDRESS_AT] as number;
  }

  rcodeAt(reply: number): number {
    return this.#words[reply + RCODE] as number;
  }

  classAt(reply: number): number {
    return this.#words[reply + CLASS] as number;
  }

  /** Writes the reply with another id; `id`: the two octets as they stand in the first word of a packet. */
  copyTo({ words }: PacketRoom, reply: number, id: number): void {
    const start = reply + REPLY;
    const count = (this.octetsAt(reply) + 3) >> 2;
    for (let i = 1; i < count; i++) words[i] = this.#words[start + i] as number;
    words[0] = ((this.#words[start] as number) & ~ID_BITS) | (id & ID_BITS);
  }

  /**
   * @param shape 1 or more
   * @param reply of at most `MAX_PREPARED_OCTETS`
   */
  store(shape: number, number: number, { words }: PacketRoom, about: PreparedReply): void {
    const count = (about.octets + 3) >> 2;
    if (this.#end + REPLY + count > WORDS || 2 * this.#stored >= SLOTS) this.clear();
    const at = this.#indexOf(shape, number);
    if (this.#index[at] === 0) this.#stored++;
    const reply = this.#end;
    this.#end += REPLY + count;
    this.#index[at] = shape;
    this.#index[at + NUMBER] = number;
    this.#index[at + BEGINNING] = reply;
    this.#words[reply + OCTETS] = about.octets;
    this.#words[reply + ADDRESS_AT] = about.addressAt;
    this.#words[reply + RCODE] = about.rcode;
    this.#words[reply + CLASS] = about.class;
    this.#words.set(words.subarray(0, count), reply + REPLY);
  }

  clear(): void {
    this.#index.fill(0);
    this.#stored = 0;
    this.#end = 0;
  }

  /** Its slot in the index, or the free one where it would be. */
  #indexOf(shape: number, number: number): number {
    for (let slot = slotOf(shape, number); ; slot = (slot + 1) & (SLOTS - 1)) {
      const at = INDEX_FIELDS * slot;
      const there = this.#index[at];
      if (there === 0 || (there === shape && this.#index[at + NUMBER] === number)) return at;
    }
  }
}

/** Twice as many as there ever are replies. */
const SLOTS = 1 << 16;
/** 4 MiB: some 32,000 replies of usual lengths. */
const WORDS = 1 << 20;
const ID_BITS = 0xffff;

/** Fields of a slot in the index, four of which fit a line of the processor's cache. */
const NUMBER = 1;
const BEGINNING = 2;
const INDEX_FIELDS = 4;

/** Words in front of a reply. */
const OCTETS = 0;
const ADDRESS_AT = 1;
const RCODE = 2;
const CLASS = 3;
const REPLY = 4;

function slotOf(shape: number, number: number): number {
  const hash = Math.imul(shape ^ Math.imul(number, 0xc2b2ae35), 0x9e3779b1);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}
