import type { Client } from "../model/client.ts";

/**
 * What is known of networks of clients as wide as resolvers send for client subnet, /24 and /48, or wider: for each a word
 * and a few numbers. A table of bounded size: who is pushed out is found no more.
 *
 * A row is half a line of the processor's cache: most of what it costs to look at one of 100,000 is to fetch it.
 */
export class NetworkTable {
  /** By row: the network's first 32 bits; the next 16 and how many bits are known; the epoch; the word. */
  #words = new Uint32Array(FIELDS * FIRST_ROWS);
  #numbers = new Float32Array(this.#words.buffer);
  #rows = FIRST_ROWS;
  #claimed = 0;
  /** The key of the last network that was looked for, and the first of its rows. */
  #head = 0;
  #rest = 0;
  #first = 0;

  /** All rows: the word of one is `WORD` behind its beginning. Another array after `claim`. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** The same memory: `NUMBERS` numbers are `FIRST_NUMBER` behind the beginning of a row. */
  get numbers(): Float32Array {
    return this.#numbers;
  }

  /**
   * Where its row begins, which is good until another is claimed; -1: it is not there.
   * @param epoch 1 or more; what was claimed in another one is not found
   */
  find(client: Client, epoch: number): number {
    this.#look(client, epoch);
    const words = this.#words;
    const end = this.#first + WAYS * FIELDS;
    for (let at = this.#first; at < end; at += FIELDS)
      if (words[at] === this.#head && words[at + 1] === this.#rest && words[at + 2] === epoch) return at;
    return -1;
  }

  /**
   * A row in place of another.
   * @param prefixLength how many bits of the client's address count: if more than a network has, and more are known than that,
   *   others in it may be told apart
   * @returns where it begins, with the word and the numbers of whatever was there before; -1: there is none for this client
   */
  claim(client: Client, epoch: number, prefixLength: number): number {
    const widest = widestLength(client);
    if (client.prefixLength > widest && prefixLength > widest) return -1;
    if (this.#claimed >= this.#rows / 2 && this.#rows < MOST_ROWS) this.#grow();
    this.#look(client, epoch);
    return this.#put(epoch);
  }

  clear(): void {
    this.#empty(FIRST_ROWS);
  }

  #empty(rows: number): void {
    this.#rows = rows;
    this.#claimed = 0;
    this.#words = new Uint32Array(FIELDS * rows);
    this.#numbers = new Float32Array(this.#words.buffer);
  }

  #put(epoch: number): number {
    const at = this.#rowToFill(epoch);
    this.#claimed++;
    this.#words[at] = this.#head;
    this.#words[at + 1] = this.#rest;
    this.#words[at + 2] = epoch;
    return at;
  }

  /** What is kept moves to a table twice as large. */
  #grow(): void {
    const [words, rows] = [this.#words, this.#rows];
    this.#empty(2 * rows);
    for (let from = 0; from < FIELDS * rows; from += FIELDS) {
      const epoch = words[from + 2] as number;
      if (epoch === 0) continue;
      this.#seek(words[from] as number, words[from + 1] as number, epoch);
      const to = this.#put(epoch);
      for (let i = WORD; i < FIELDS; i++) this.#words[to + i] = words[from + i] as number;
    }
  }

  /** The network's own, or of the oldest epoch; any, where all are of the same. */
  #rowToFill(epoch: number): number {
    const words = this.#words;
    let oldest = this.#first + FIELDS * (this.#claimed % WAYS);
    for (let at = this.#first; at < this.#first + WAYS * FIELDS; at += FIELDS) {
      const isOwn = words[at] === this.#head && words[at + 1] === this.#rest;
      if (isOwn && words[at + 2] === epoch) return at;
      if ((words[at + 2] as number) < (words[oldest + 2] as number)) oldest = at;
    }
    return oldest;
  }

  #look(client: Client, epoch: number): void {
    const { family, bytes } = client.address;
    const isIpv4 = family === 4;
    const head =
      ((bytes[0] as number) << 24) |
      ((bytes[1] as number) << 16) |
      ((bytes[2] as number) << 8) |
      (isIpv4 ? 0 : (bytes[3] as number));
    const tail = isIpv4 ? 0 : ((bytes[4] as number) << 8) | (bytes[5] as number);
    // Of whom more is known than a network, only what holds for all of one is kept.
    const length = Math.min(client.prefixLength, widestLength(client) + 1);
    this.#seek(head >>> 0, ((tail << 16) | (family << 8) | length) >>> 0, epoch);
  }

  #seek(head: number, rest: number, epoch: number): void {
    this.#head = head;
    this.#rest = rest;
    let hash = Math.imul(head ^ (head >>> 15), 0x9e3779b1) ^ Math.imul(rest, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15) ^ epoch, 0x85ebca6b);
    this.#first = FIELDS * WAYS * ((hash ^ (hash >>> 13)) & (this.#rows / WAYS - 1));
  }
}

/** Of a row. */
export const WORD = 3;
export const FIRST_NUMBER = 4;
export const NUMBERS = 4;
const FIELDS = FIRST_NUMBER + NUMBERS;

function widestLength({ address }: Client): number {
  return address.family === 4 ? 24 : 48;
}

const WAYS = 4;
const FIRST_ROWS = 1 << 10;
/** 8 MiB; of 100,000 networks hardly one finds no place. */
const MOST_ROWS = 1 << 18;
