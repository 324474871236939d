import { distanceKm, unitVector } from "../base/sphere.ts";
import type { Edge } from "../model/edge.ts";

/** A set of edges that services share; indices in ascending order. */
export interface Pool {
  /** 1 or more. */
  readonly id: number;
  readonly members: Uint16Array;
}

/** How many edges of a pool are kept for a place: few choices look further. */
export const KEPT_EDGES = 16;

/**
 * The nearest edges of a pool for every place that was asked for, so that what depends on geography alone is
 * computed once. A table of bounded size: who is pushed out of it is computed again.
 */
export class Nearest {
  readonly #vectors: readonly (readonly [number, number, number])[];
  /** The same behind one another: every edge of a large pool is looked at for every place that is new. */
  readonly #coordinates: Float64Array;
  readonly #chords = new Float64Array(KEPT_EDGES);
  readonly #order: Float64Array;
  #table = new Table(FIRST_ROWS);
  #poolsMade = 0;
  /** By their members, */
  #pools = new Map<string, Pool>();
  /** and those of the inventory before, whose places are known still. */
  #poolsBefore: ReadonlyMap<string, Pool> = new Map();

  private constructor(all: readonly Edge[]) {
    this.#vectors = all.map(({ location }) => unitVector(location));
    this.#coordinates = Float64Array.from(this.#vectors.flat());
    this.#order = new Float64Array(all.length);
  }

  /**
   * Of an inventory's edges.
   * @param before of the inventory in use: where no edge has come, gone or moved, it is good for the next too
   */
  static of(all: readonly Edge[], before?: Nearest): Nearest {
    if (before === undefined || !before.#isOf(all)) return new Nearest(all);
    before.#poolsBefore = before.#pools;
    before.#pools = new Map();
    return before;
  }

  get edges(): Uint16Array {
    return this.#table.edges;
  }

  get km(): Float32Array {
    return this.#table.km;
  }

  /** @param members indices, each once */
  poolOf(members: readonly number[]): Pool {
    const sorted = members.toSorted((a, b) => a - b);
    const key = sorted.join(" ");
    const known = this.#pools.get(key) ?? this.#poolsBefore.get(key);
    const pool = known ?? { id: ++this.#poolsMade, members: Uint16Array.from(sorted) };
    this.#pools.set(key, pool);
    return pool;
  }

  /** Where the place's row begins in `edges` and `km`: `KEPT_EDGES` of the pool at most, nearest first. */
  rowOf(pool: Pool, latitude: number, longitude: number): number {
    const known = this.#table.find(pool.id, latitude, longitude);
    if (known >= 0) return known * KEPT_EDGES;
    if (this.#table.isCrowded) this.#table = new Table(this.#table.rows * 2);
    const row = this.#table.claim(pool.id, latitude, longitude);
    this.#fill(pool, latitude, longitude, row * KEPT_EDGES);
    return row * KEPT_EDGES;
  }

  /** All of the pool, nearest first, into arrays with room for them. */
  sortAll(
    { members }: Pool,
    latitude: number,
    longitude: number,
    edges: Uint16Array,
    km: Float32Array,
  ): void {
    const viewer = unitVector({ latitude, longitude });
    const [x, y, z] = viewer;
    const keys = this.#order.subarray(0, members.length);
    // Whole chords above, index below: numbers sort without a function that compares.
    for (let i = 0; i < members.length; i++) {
      const edge = members[i] as number;
      keys[i] = Math.floor(this.#chordTo(edge, x, y, z) * CHORD_STEPS) * INDEX_STEPS + edge;
    }
    keys.sort();
    for (let i = 0; i < members.length; i++) {
      const edge = (keys[i] as number) % INDEX_STEPS;
      edges[i] = edge;
      km[i] = distanceKm(viewer, this.#vectorOf(edge));
    }
  }

  /** To each of `members` in their order. */
  measure(members: Uint16Array, latitude: number, longitude: number, km: Float32Array): void {
    const viewer = unitVector({ latitude, longitude });
    for (let i = 0; i < members.length; i++) km[i] = distanceKm(viewer, this.#vectorOf(members[i] as number));
  }

  /** Insertion from the far end: most edges of a large pool are further than all that are kept. */
  #fill({ members }: Pool, latitude: number, longitude: number, start: number): void {
    const viewer = unitVector({ latitude, longitude });
    const [x, y, z] = viewer;
    const { edges, km } = this.#table;
    const chords = this.#chords;
    let count = 0;
    let furthest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < members.length; i++) {
      const edge = members[i] as number;
      const chord = this.#chordTo(edge, x, y, z);
      if (chord >= furthest) continue;
      let at = count < KEPT_EDGES ? count++ : count - 1;
      for (; at > 0 && (chords[at - 1] as number) > chord; at--) {
        chords[at] = chords[at - 1] as number;
        edges[start + at] = edges[start + at - 1] as number;
      }
      chords[at] = chord;
      edges[start + at] = edge;
      if (count === KEPT_EDGES) furthest = chords[KEPT_EDGES - 1] as number;
    }
    for (let i = start; i < start + count; i++)
      km[i] = distanceKm(viewer, this.#vectorOf(edges[i] as number));
  }

  #isOf(all: readonly Edge[]): boolean {
    return (
      all.length === this.#vectors.length &&
      all.every(({ location }, edge) => {
        const [x, y, z] = unitVector(location);
        const [thisX, thisY, thisZ] = this.#vectorOf(edge);
        return x === thisX && y === thisY && z === thisZ;
      })
    );
  }

  #vectorOf(edge: number): readonly [number, number, number] {
    return this.#vectors[edge] as readonly [number, number, number];
  }

  #chordTo(edge: number, x: number, y: number, z: number): number {
    const coordinates = this.#coordinates;
    const dx = x - (coordinates[3 * edge] as number);
    const dy = y - (coordinates[3 * edge + 1] as number);
    const dz = z - (coordinates[3 * edge + 2] as number);
    return dx * dx + dy * dy + dz * dz;
  }
}

const FIRST_ROWS = 1 << 10;
/** 128 octets each. */
const MOST_ROWS = 1 << 17;

/** Squared chords are at most 4; 2^35 steps and an index of 16 bits fit the 53 bits of a number. */
const CHORD_STEPS = 2 ** 33;
const INDEX_STEPS = 2 ** 16;

/** Rows by pool and place, each at one of the two places that its key's hash names. */
class Table {
  readonly rows: number;
  readonly edges: Uint16Array;
  readonly km: Float32Array;
  /** By row: latitude, longitude, pool; a pool of 0: empty. */
  readonly #keys: Float64Array;
  #claimed = 0;

  constructor(rows: number) {
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
