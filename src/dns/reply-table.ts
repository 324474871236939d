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

/** Replies by the shape of their queries and the number of what was decided. A table of fixed size, with room for four in a set. */
export class ReplyTable {
  readonly #keys = new Int32Array(2 * SLOTS);
  /** By slot: what goes with a reply, and the reply. */
  readonly #words = new Int32Array(SLOTS * SLOT_WORDS);
  #stored = 0;

  /** Its slot, good until something is stored; -1: it is not there. */
  find(shape: number, number: number): number {
    const first = setOf(shape, number);
    for (let slot = first; slot < first + WAYS; slot++)
      if (this.#keys[2 * slot] === shape && this.#keys[2 * slot + 1] === number) return slot;
    return -1;
  }

  octetsAt(slot: number): number {
    return this.#words[SLOT_WORDS * slot + OCTETS] as number;
  }

  addressAt(slot: number): number {
    return this.#words[SLOT_WORDS * slot + ADDRESS_AT] as number;
  }

  rcodeAt(slot: number): number {
    return this.#words[SLOT_WORDS * slot + RCODE] as number;
  }

  classAt(slot: number): number {
    return this.#words[SLOT_WORDS * slot + CLASS] as number;
  }

  /** Writes the reply with another id; `id`: the two octets as they stand in the first word of a packet. */
  copyTo({ words }: PacketRoom, slot: number, id: number): void {
    const start = slot * SLOT_WORDS + REPLY;
    const count = (this.octetsAt(slot) + 3) >> 2;
    for (let i = 1; i < count; i++) words[i] = this.#words[start + i] as number;
    words[0] = ((this.#words[start] as number) & ~ID_BITS) | (id & ID_BITS);
  }

  /** @param reply of at most `MAX_PREPARED_OCTETS` */
  store(shape: number, number: number, { words }: PacketRoom, about: PreparedReply): void {
    const first = setOf(shape, number);
    let slot = first + (this.#stored++ % WAYS);
    for (let free = first; free < first + WAYS; free++) if (this.#keys[2 * free] === 0) slot = free;
    this.#keys[2 * slot] = shape;
    this.#keys[2 * slot + 1] = number;
    this.#words.set(words.subarray(0, (about.octets + 3) >> 2), slot * SLOT_WORDS + REPLY);
    this.#words[SLOT_WORDS * slot + OCTETS] = about.octets;
    this.#words[SLOT_WORDS * slot + ADDRESS_AT] = about.addressAt;
    this.#words[SLOT_WORDS * slot + RCODE] = about.rcode;
    this.#words[SLOT_WORDS * slot + CLASS] = about.class;
  }

  clear(): void {
    this.#keys.fill(0);
  }
}

const WAYS = 4;
const SLOTS = 1 << 13;
const ID_BITS = 0xffff;

/** Words of a slot. */
const OCTETS = 0;
const ADDRESS_AT = 1;
const RCODE = 2;
const CLASS = 3;
const REPLY = 4;
const SLOT_WORDS = REPLY + MAX_PREPARED_OCTETS / 4;

function setOf(shape: number, number: number): number {
  const hash = Math.imul(shape ^ Math.imul(number, 0xc2b2ae35), 0x9e3779b1);
  return ((hash ^ (hash >>> 15)) & (SLOTS / WAYS - 1)) * WAYS;
}
