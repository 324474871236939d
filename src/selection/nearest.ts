import { distanceKm, type UnitVector, unitVector } from "../base/sphere.ts";
import type { Edge } from "../model/edge.ts";
import { KEPT_EDGES, NearestTable } from "./nearest-table.ts";
import { GONE, type Heritage, InheritedPools, isSame, type PlacedEdge } from "./inherited-pools.ts";

/** A set of edges that services share; indices in ascending order. */
export interface Pool {
  /** 1 or more. */
  readonly id: number;
  readonly members: Uint16Array;
  /** Absent: nothing is known of it by the inventory before. */
  readonly heritage?: Heritage | undefined;
}

/**
 * The nearest edges of a pool for every place that was asked for, so that what depends on geography alone is
 * computed once. A table of bounded size: who is pushed out of it is computed again. It goes from inventory to
 * inventory: where edges have come, gone or moved, each row is put right when it is asked for.
 */
export class Nearest {
  readonly #edges: readonly PlacedEdge[];
  /** The same behind one another: every edge of a large pool is looked at for every place that is new. */
  readonly #coordinates: Float64Array;
  readonly #chords = new Float64Array(KEPT_EDGES);
  readonly #order: Float64Array;
  #table: NearestTable;
  /** Tells whose rows are right here, and whose can be put right. */
  readonly #generation = ++generations;
  readonly #generationBefore: number;
  readonly #inherited: InheritedPools | undefined;
  /** By their members, */
  #pools = new Map<string, Pool>();
  /** and those of the inventory before, whose places are known still. */
  #poolsBefore: ReadonlyMap<string, Pool> = new Map();

  private constructor(all: readonly PlacedEdge[], before?: Nearest) {
    this.#edges = all;
    this.#coordinates = Float64Array.from(all.flatMap(({ vector }) => vector));
    this.#order = new Float64Array(all.length);
    const inherited = before && InheritedPools.of(before.#edges, all, before.#pools);
    this.#inherited = inherited;
    this.#generationBefore = before === undefined ? 0 : before.#generation;
    this.#table = before === undefined || inherited === undefined ? new NearestTable() : before.#table;
  }

  /**
   * Of an inventory's edges.
   * @param before of the inventory in use: where no edge has come, gone or moved, it is good for the next too
   */
  static of(edges: readonly Edge[], before?: Nearest): Nearest {
    const all = edges.map(({ id, location }) => ({ id, vector: unitVector(location) }));
    if (before === undefined || !before.#isOf(all)) return new Nearest(all, before);
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
    const pool = this.#pools.get(key) ?? this.#poolsBefore.get(key) ?? this.#newPool(sorted);
    this.#pools.set(key, pool);
    return pool;
  }

  #newPool(sorted: readonly number[]): Pool {
    const heritage = this.#inherited?.take(sorted);
    return { id: heritage?.id ?? ++poolsMade, members: Uint16Array.from(sorted), heritage };
  }

  /** Where the place's row begins in `edges` and `km`: `KEPT_EDGES` of the pool at most, nearest first. */
  rowOf(pool: Pool, latitude: number, longitude: number): number {
    let row = this.#table.find(pool.id, latitude, longitude);
    const madeIn = row < 0 ? NEVER : this.#table.madeIn(row);
    if (madeIn === this.#generation) return row * KEPT_EDGES;
    if (row < 0) {
      if (this.#table.isCrowded) this.#table = new NearestTable(this.#table.rows * 2);
      row = this.#table.claim(pool.id, latitude, longitude);
    }
    const start = row * KEPT_EDGES;
    const isRight = madeIn === this.#generationBefore && this.#putRight(pool, latitude, longitude, start);
    if (!isRight) this.#fill(pool, latitude, longitude, start);
    this.#table.setMadeIn(row, this.#generation);
    return start;
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

  #fill({ members }: Pool, latitude: number, longitude: number, start: number): void {
    const viewer = unitVector({ latitude, longitude });
    this.#measureRow(viewer, start, this.#insertAll(members, viewer, start, 0));
  }

  /**
   * A row of the inventory before, from which nobody is missing but who is gone, and to which nobody is to be added
   * but who has come. @returns false: there may be others, behind those in it
   */
  #putRight({ heritage }: Pool, latitude: number, longitude: number, start: number): boolean {
    if (heritage === undefined || this.#inherited === undefined) return false;
    const { indexNow } = this.#inherited;
    const { edges, km } = this.#table;
    const { sizeBefore, newcomers } = heritage;
    const end = start + Math.min(KEPT_EDGES, sizeBefore);
    let to = start;
    for (let from = start; from < end; from++) {
      const now = indexNow[edges[from] as number] as number;
      if (now === GONE && sizeBefore > KEPT_EDGES) return false;
      if (now === GONE) continue;
      km[to] = km[from] as number;
      edges[to++] = now;
    }
    if (newcomers.length === 0) return true;
    const viewer = unitVector({ latitude, longitude });
    const [x, y, z] = viewer;
    const count = to - start;
    for (let i = 0; i < count; i++) this.#chords[i] = this.#chordTo(edges[start + i] as number, x, y, z);
    this.#measureRow(viewer, start, this.#insertAll(newcomers, viewer, start, count));
    return true;
  }

  /**
   * Insertion from the far end: most edges of a large pool are further than all that are kept.
   * @param members in ascending order
   * @param known how many are there already, with their chords, nearest first
   * @returns how many there are then
   */
  #insertAll(members: Uint16Array, [x, y, z]: UnitVector, start: number, known: number): number {
    const { edges } = this.#table;
    const chords = this.#chords;
    let count = known;
    let furthest = count === KEPT_EDGES ? (chords[count - 1] as number) : Number.POSITIVE_INFINITY;
    for (let i = 0; i < members.length; i++) {
      const edge = members[i] as number;
      const chord = this.#chordTo(edge, x, y, z);
      if (chord > furthest) continue;
      let at = count;
      while (at > 0 && this.#isBefore(chord, edge, start, at - 1)) at--;
      if (at === KEPT_EDGES) continue;
      if (count < KEPT_EDGES) count++;
      for (let to = count - 1; to > at; to--) {
        chords[to] = chords[to - 1] as number;
        edges[start + to] = edges[start + to - 1] as number;
      }
      chords[at] = chord;
      edges[start + at] = edge;
      if (count === KEPT_EDGES) furthest = chords[KEPT_EDGES - 1] as number;
    }
    return count;
  }

  /** Of two at one distance, the first in the inventory comes first. */
  #isBefore(chord: number, edge: number, start: number, other: number): boolean {
    const otherChord = this.#chords[other] as number;
    return (
      chord < otherChord || (chord === otherChord && edge < (this.#table.edges[start + other] as number))
    );
  }

  #measureRow(viewer: UnitVector, start: number, count: number): void {
    const { edges, km } = this.#table;
    for (let i = start; i < start + count; i++)
      km[i] = distanceKm(viewer, this.#vectorOf(edges[i] as number));
  }

  #isOf(all: readonly PlacedEdge[]): boolean {
    return (
      all.length === this.#edges.length &&
      all.every(({ vector }, edge) => isSame(vector, this.#vectorOf(edge)))
    );
  }

  #vectorOf(edge: number): UnitVector {
    return (this.#edges[edge] as PlacedEdge).vector;
  }

  #chordTo(edge: number, x: number, y: number, z: number): number {
    const coordinates = this.#coordinates;
    const dx = x - (coordinates[3 * edge] as number);
    const dy = y - (coordinates[3 * edge + 1] as number);
    const dz = z - (coordinates[3 * edge + 2] as number);
    return dx * dx + dy * dy + dz * dz;
  }
}

/** Of all inventories: a table may hold rows of several. */
let generations = 0;
let poolsMade = 0;

/** Generations begin with 1. */
const NEVER = -1;

/** Squared chords are at most 4; 2^35 steps and an index of 16 bits fit the 53 bits of a number. */
const CHORD_STEPS = 2 ** 33;
const INDEX_STEPS = 2 ** 16;
