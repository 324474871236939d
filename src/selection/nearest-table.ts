/** How many edges of a pool are kept for a place: few choices look further. */
export const KEPT_EDGES = 16;

const FIRST_ROWS = 1 << 10;
/** 128 octets each. */
const MOST_ROWS = 1 << 17;

/** The nearest edges of pools, in rows by pool and place, each at one of the two places that its key's hash names. */
export class NearestTable {
  readonly rows: number;
  readonly edges: Uint16Array;
  readonly km: Float32Array;
  /** By row: latitude, longitude, pool, and for which inventory it was made; a pool of 0: empty. */
  readonly #keys: Float64Array;
  #claimed = 0;

  constructor(rows = FIRST_ROWS) {
    this.rows = rows;
    this.edges = new Uint16Array(rows * KEPT_EDGES);
    this.km = new Float32Array(rows * KEPT_EDGES);
    this.#keys = new Float64Array(rows * KEY_FIELDS);
  }

  /** Whether a table twice as large would serve better. */
  get isCrowded(): boolean {
    return this.#claimed >= this.rows / 2 && this.rows < MOST_ROWS;
  }

  /** -1: it is not there. */
  find(pool: number, latitude: number, longitude: number): number {
    const row = this.#rowFor(pool, latitude, longitude);
    if (this.#isOf(row, pool, latitude, longitude)) return row;
    return this.#isOf(row ^ 1, pool, latitude, longitude) ? row ^ 1 : -1;
  }

  /** In place of whatever was there. */
  claim(pool: number, latitude: number, longitude: number): number {
    const first = this.#rowFor(pool, latitude, longitude);
    const row = this.#keys[first * KEY_FIELDS + 2] === 0 ? first : first ^ (this.#claimed & 1);
    this.#claimed++;
    this.#keys[row * KEY_FIELDS] = latitude;
    this.#keys[row * KEY_FIELDS + 1] = longitude;
    this.#keys[row * KEY_FIELDS + 2] = pool;
    return row;
  }

  madeIn(row: number): number {
    return this.#keys[row * KEY_FIELDS + MADE_IN] as number;
  }

  setMadeIn(row: number, generation: number): void {
    this.#keys[row * KEY_FIELDS + MADE_IN] = generation;
  }

  #isOf(row: number, pool: number, latitude: number, longitude: number): boolean {
    const at = row * KEY_FIELDS;
    return this.#keys[at] === latitude && this.#keys[at + 1] === longitude && this.#keys[at + 2] === pool;
  }

  #rowFor(pool: number, latitude: number, longitude: number): number {
    // Ten metres: what databases tell apart.
    let hash = Math.imul((latitude * 1e4) | 0, 0x9e3779b1) ^ Math.imul(pool, 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15) ^ ((longitude * 1e4) | 0), 0x85ebca6b);
    return (hash ^ (hash >>> 13)) & (this.rows - 1);
  }
}

/** A power of two, so that a key lies in one line of the processor's cache. */
const KEY_FIELDS = 4;
const MADE_IN = 3;
