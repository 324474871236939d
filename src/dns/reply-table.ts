import type { PacketRoom } from "./batch-memory.ts";
import { endOfQuestion } from "./query-shape.ts";
import { HEADER_OCTETS } from "./wire.ts";
import { copyRun } from "./words.ts";

/** Longer replies are not prepared. */
export const MAX_PREPARED_OCTETS = 512;

/** What goes with a reply. */
export interface PreparedReply {
  readonly octets: number;
  /** Where the client subnet's address stands, the scope in front of it; 0: there is none. */
  readonly addressAt: number;
  readonly rcode: number;
  /** For the rate limit; 0: the class of answers at the name asked. */
  readonly class: number;
}

/**
 * Replies by the shape of their queries, of which one may stand for others that differ in the name alone, and the
 * number of what was decided. Their question is the query's own, and is copied from there: what is behind it is often
 * the same again, and kept once, so that what is in use takes little of the processor's cache. Of a bounded size: once
 * it is full, all of them go.
 */
export class ReplyTable {
  /** By slot: the number, and the shape with the line where the reply begins; a shape of 0: it is free. */
  #index = new Int32Array(INDEX_FIELDS * FIRST_SLOTS);
  /** What goes with a reply, and the reply, each from the beginning of a line on. */
  readonly #words = new Int32Array(WORDS);
  /** By the hash of all that: the line where it begins, and 1; 0: none. */
  readonly #contents = new Uint32Array(CONTENT_SLOTS);
  /** Of the one that is being stored. */
  readonly #next = new Int32Array(REPLY + WORDS_MAX);
  #slots = FIRST_SLOTS;
  #stored = 0;
  #kept = 0;
  #endLine = 0;

  /** Where it begins, good until something is stored; -1: it is not there. */
  find(shape: number, number: number): number {
    const at = this.#indexOf(shape, number);
    const of = this.#index[at + OF] as number;
    return of === 0 ? -1 : (of & LINE_BITS) * LINE_WORDS;
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

  /** Writes the reply with the id and the question of a query of its shape. */
  copyTo({ words }: PacketRoom, reply: number, query: PacketRoom): void {
    const own = this.#words;
    const first = own[reply + FIRST] as number;
    const count = (this.octetsAt(reply) + 3) >> 2;
    words[0] = ((own[reply + REPLY] as number) & ~ID_BITS) | ((query.words[0] as number) & ID_BITS);
    words[1] = own[reply + REPLY + 1] as number;
    words[2] = own[reply + REPLY + 2] as number;
    copyRun(words, HEADER_WORDS, first, query.words, 0);
    copyRun(words, first, count, own, reply + REPLY + HEADER_WORDS - first);
  }

  /**
   * @param shape 1 to `SHAPES_MAX`
   * @param reply of at least 12 octets and at most `MAX_PREPARED_OCTETS`
   * @param query of that shape
   */
  store(shape: number, number: number, reply: PacketRoom, about: PreparedReply, query: PacketRoom): void {
    if (2 * this.#stored >= this.#slots) {
      if (this.#slots < MOST_SLOTS) this.#grow();
      else this.clear();
    }
    const count = this.#lay(reply, about, query);
    const line = this.#lineOf(count);
    const at = this.#indexOf(shape, number);
    if (this.#index[at + OF] === 0) this.#stored++;
    this.#index[at] = number;
    this.#index[at + OF] = (shape << SHAPE_SHIFT) | line;
  }

  /** It stays as large as it is. */
  clear(): void {
    this.#index.fill(0);
    this.#contents.fill(0);
    this.#stored = 0;
    this.#kept = 0;
    this.#endLine = 0;
  }

  /** What is to be kept, in `#next`. @returns how many words */
  #lay({ octets, words }: PacketRoom, about: PreparedReply, query: PacketRoom): number {
    const next = this.#next;
    const questionWords = endOfQuestion(octets, about.octets) >> 2;
    let first = HEADER_WORDS;
    while (first < questionWords && words[first] === query.words[first]) first++;
    next[OCTETS] = about.octets;
    next[ADDRESS_AT] = about.addressAt;
    next[RCODE] = about.rcode;
    next[CLASS] = about.class;
    next[FIRST] = first;
    next[REPLY] = (words[0] as number) & ~ID_BITS;
    for (let i = 1; i < HEADER_WORDS; i++) next[REPLY + i] = words[i] as number;
    const count = (about.octets + 3) >> 2;
    const start = REPLY + HEADER_WORDS - first;
    for (let i = first; i < count; i++) next[start + i] = words[i] as number;
    return start + count;
  }

  /** Where the first words of `#next` are kept. */
  #lineOf(count: number): number {
    const lines = Math.ceil(count / LINE_WORDS);
    if ((this.#endLine + lines) * LINE_WORDS > WORDS || 2 * this.#kept >= CONTENT_SLOTS) this.clear();
    let hash = count;
    for (let i = 0; i < count; i++)
      hash = Math.imul(hash ^ (hash >>> 15) ^ (this.#next[i] as number), 0x9e3779b1);
    for (let slot = hash >>> CONTENT_SHIFT; ; slot = (slot + 1) & (CONTENT_SLOTS - 1)) {
      const line = (this.#contents[slot] as number) - 1;
      if (line >= 0 && !this.#isAt(line * LINE_WORDS, count)) continue;
      return line >= 0 ? line : this.#keep(slot, count, lines);
    }
  }

  #keep(slot: number, count: number, lines: number): number {
    const line = this.#endLine;
    this.#words.set(this.#next.subarray(0, count), line * LINE_WORDS);
    this.#endLine += lines;
    this.#contents[slot] = line + 1;
    this.#kept++;
    return line;
  }

  /** How long it is, its first fields tell. */
  #isAt(start: number, count: number): boolean {
    for (let i = 0; i < count; i++) if (this.#words[start + i] !== this.#next[i]) return false;
    return true;
  }

  #grow(): void {
    const before = this.#index;
    this.#slots *= 2;
    this.#index = new Int32Array(INDEX_FIELDS * this.#slots);
    for (let from = 0; from < before.length; from += INDEX_FIELDS) {
      const of = before[from + OF] as number;
      if (of === 0) continue;
      const at = this.#indexOf(of >>> SHAPE_SHIFT, before[from] as number);
      this.#index[at] = before[from] as number;
      this.#index[at + OF] = of;
    }
  }

  /** Its slot in the index, or the free one where it would be. */
  #indexOf(shape: number, number: number): number {
    const index = this.#index;
    const mask = this.#slots - 1;
    for (let slot = hashOf(shape, number) & mask; ; slot = (slot + 1) & mask) {
      const at = INDEX_FIELDS * slot;
      const there = (index[at + OF] as number) >>> SHAPE_SHIFT;
      if (there === 0 || (there === shape && index[at] === number)) return at;
    }
  }
}

/** A shape has the upper half of a word of the index, a line the lower one. */
export const SHAPES_MAX = 0xffff;
const SHAPE_SHIFT = 16;
const LINE_BITS = 0xffff;

const FIRST_SLOTS = 1 << 10;
/** Twice as many as there ever are replies. */
const MOST_SLOTS = 1 << 16;
const CONTENT_SLOTS = 1 << 15;
const CONTENT_SHIFT = 17;
/** 4 MiB: some 32,000 of usual lengths, if no two are the same behind their questions. */
const WORDS = 1 << 20;
/** Of the processor's cache. */
const LINE_WORDS = 16;
const WORDS_MAX = MAX_PREPARED_OCTETS / 4;
const HEADER_WORDS = HEADER_OCTETS / 4;
const ID_BITS = 0xffff;

/** Fields of a slot in the index, eight of which fit a line of the processor's cache. */
const OF = 1;
const INDEX_FIELDS = 2;

/** Words in front of a reply; the first one behind the question that is kept, counted from the reply's beginning. */
const OCTETS = 0;
const ADDRESS_AT = 1;
const RCODE = 2;
const CLASS = 3;
const FIRST = 4;
const REPLY = 5;

function hashOf(shape: number, number: number): number {
  const hash = Math.imul(shape ^ Math.imul(number, 0xc2b2ae35), 0x9e3779b1);
  return hash ^ (hash >>> 15);
}
