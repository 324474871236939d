/**
 * Rows of half a line of the processor's cache, found by a key of two words and by whose they are: most of what it
 * costs to look at one of 100,000 is to fetch it. A table of bounded size: who is pushed out is found no more.
 */
export class Rows {
  /** By row: the key, the stamp, the word, and the numbers. */
  #words = new Uint32Array(FIELDS * (FIRST_ROWS + WAYS));
  #numbers = new Float32Array(this.#words.buffer);
  #place = new Float32Array(PLACE_NUMBERS * (FIRST_ROWS + WAYS));
  #placeWords = new Uint32Array(this.#place.buffer);
  #rows = FIRST_ROWS;
  #claimed = 0;
  readonly #keyBits: number;

  /** @param keyBits of the key's second word: the others are the owner's to write to, 0 in what is looked for */
  constructor(keyBits = 0xffffffff) {
    this.#keyBits = keyBits | 0;
  }

  /** All rows: the fields of one are `KEY`, `STAMP` and `WORD` behind its beginning. Another array after `claim`. */
  get words(): Uint32Array {
    return this.#words;
  }

  /** The same memory: `NUMBERS` numbers are `FIRST_NUMBER` behind the beginning of a row. */
  get numbers(): Float32Array {
    return this.#numbers;
  }

  /**
   * Latitude, longitude, and two more of the owner's, from `placeOf` a row on: they are seldom needed, and so are not
   * fetched with it.
   */
  get place(): Float32Array {
    return this.#place;
  }

  /** The same memory. */
  get placeWords(): Uint32Array {
    return this.#placeWords;
  }

  /**
   * Where its row begins, which is good until another is claimed; -1: it is not there.
   * @param stamp 2^16 or more; of what was claimed with the same `ownerOf`: it may have been with another stamp
   */
  find(head: number, rest: number, stamp: number): number {
    const first = this.#firstOf(head, rest, stamp);
    const end = first + WAYS * FIELDS;
    for (let at = first; at < end; at += FIELDS) {
      if (this.#isOf(at, head, rest, stamp)) return at;
      if (this.#words[at + STAMP] === 0) return -1;
    }
    return -1;
  }

  /** Its own row as it was, or a new one of zeros, also in place of another. @returns where it begins */
  claim(head: number, rest: number, stamp: number): number {
    if (this.#claimed >= this.#rows / 2 && this.#rows < MOST_ROWS) this.#grow();
    return this.#put(head, rest, stamp);
  }

  /** It stays as large as it is: who was there mostly comes again. */
  clear(): void {
    this.#words.fill(0);
    this.#claimed = 0;
  }

  #isOf(at: number, head: number, rest: number, stamp: number): boolean {
    const words = this.#words;
    return (
      words[at] === head &&
      (((words[at + KEY] as number) ^ rest) & this.#keyBits) === 0 &&
      ownerOf(words[at + STAMP] as number) === ownerOf(stamp)
    );
  }

  #empty(rows: number): void {
    this.#rows = rows;
    this.#claimed = 0;
    this.#words = new Uint32Array(FIELDS * (rows + WAYS));
    this.#numbers = new Float32Array(this.#words.buffer);
    this.#place = new Float32Array(PLACE_NUMBERS * (rows + WAYS));
    this.#placeWords = new Uint32Array(this.#place.buffer);
  }

  #put(head: number, rest: number, stamp: number): number {
    const at = this.#rowToFill(head, rest, stamp);
    if (!this.#isOf(at, head, rest, stamp)) this.#wipe(at);
    this.#words[at] = head;
    this.#words[at + KEY] = rest;
    this.#words[at + STAMP] = stamp;
    return at;
  }

  /** Not by `fill`, which costs ten times as much for so few. */
  #wipe(at: number): void {
    for (let i = at; i < at + FIELDS; i++) this.#words[i] = 0;
    for (let i = placeOf(at); i < placeOf(at) + PLACE_NUMBERS; i++) this.#place[i] = 0;
  }

  /** What is kept moves to a table twice as large. */
  #grow(): void {
    const [words, place] = [this.#words, this.#place];
    this.#empty(2 * this.#rows);
    for (let from = 0; from < words.length; from += FIELDS)
      if (words[from + STAMP] !== 0) this.#move(words, place, from);
  }

  #move(words: Uint32Array, place: Float32Array, from: number): void {
    const to = this.#put(words[from] as number, words[from + KEY] as number, words[from + STAMP] as number);
    for (let i = WORD; i < FIELDS; i++) this.#words[to + i] = words[from + i] as number;
    for (let i = 0; i < PLACE_NUMBERS; i++) this.#place[placeOf(to) + i] = place[placeOf(from) + i] as number;
  }

  /** The key's own; or the first one that is empty: behind it all are; or any. */
  #rowToFill(head: number, rest: number, stamp: number): number {
    const first = this.#firstOf(head, rest, stamp);
    const end = first + WAYS * FIELDS;
    let at = first;
    for (; at < end && this.#words[at + STAMP] !== 0; at += FIELDS)
      if (this.#isOf(at, head, rest, stamp)) return at;
    this.#claimed++;
    return at < end ? at : first + FIELDS * (this.#claimed % WAYS);
  }

  #firstOf(head: number, rest: number, stamp: number): number {
    let hash = Math.imul(head ^ (head >>> 15), 0x9e3779b1) ^ Math.imul(rest & this.#keyBits, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15) ^ ownerOf(stamp), 0x85ebca6b);
    return FIELDS * ((hash ^ (hash >>> 13)) & (this.#rows - 1));
  }
}

/** Whose a row is, 1 to 65,535: the upper half of its stamp. */
export function ownerOf(stamp: number): number {
  return stamp >>> 16;
}

/** Where in `place` the numbers of a row begin. */
export function placeOf(row: number): number {
  return PLACE_NUMBERS * (row / FIELDS);
}

/** Of a row: the second word of its key, its stamp and what its owner writes there. */
export const KEY = 1;
export const STAMP = 2;
export const WORD = 3;
export const FIRST_NUMBER = 4;
export const NUMBERS = 4;
const FIELDS = FIRST_NUMBER + NUMBERS;
const PLACE_NUMBERS = 4;

/** Where a key may be: in its own row, or in one of those behind it, which there are behind the last one too. */
const WAYS = 8;
const FIRST_ROWS = 1 << 10;
/** 8 MiB; of 100,000 keys hardly one finds no place. */
const MOST_ROWS = 1 << 18;
