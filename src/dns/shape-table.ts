import type { Memory } from "../model/decision.ts";
import type { ClientSubnetRules } from "../model/service.ts";
import type { ZoneData } from "./holding.ts";
import { type QueryShape, SHAPE_WORDS } from "./query-shape.ts";

/** What queries of one shape have in common. */
export interface Shape {
  /** 1 or more; no two have the same, until the table is cleared. */
  readonly id: number;
  /** The id of the first shape that is answered from the same replies, or its own. */
  readonly repliesOf: number;
  readonly type: number;
  /** For the rate limit, of replies that have none of their own. */
  readonly class: number;
  /** Whose decisions answer them; absent: the answer is the same for everybody. */
  readonly memory?: Memory | undefined;
  readonly rules?: ClientSubnetRules | undefined;
}

/** The shapes of queries that were asked more than once. A table of fixed size, with room for four in a set. */
export class ShapeTable {
  readonly #hashes = new Int32Array(SLOTS);
  /** 0: the slot is free. */
  readonly #layouts = new Int16Array(SLOTS);
  readonly #words = new Int32Array(SLOTS * SHAPE_WORDS);
  readonly #shapes: (Shape | undefined)[] = Array.from({ length: SLOTS });
  /** By set: of the last query that was not found there. */
  readonly #strangers = new Int32Array(SLOTS / WAYS);
  readonly #kindred = new Map<Memory, Map<string, Kindred>>();
  #added = 0;

  find(query: QueryShape): Shape | undefined {
    const first = setOf(query.hash);
    for (let slot = first; slot < first + WAYS; slot++)
      if (this.#hashes[slot] === query.hash && this.#isAt(slot, query)) return this.#shapes[slot];
    return undefined;
  }

  /** Whether it was also the last one of its set that was not found: what is asked only once is not worth its place. */
  isAskedAgain({ hash }: QueryShape): boolean {
    const set = setOf(hash) / WAYS;
    const isAgain = this.#strangers[set] === hash;
    this.#strangers[set] = hash;
    return isAgain;
  }

  /**
   * In place of another, where the set is full.
   * @param alikeIn as of `LastAnswer`
   */
  add(query: QueryShape, of: Omit<Shape, "id" | "repliesOf">, alikeIn?: ZoneData): Shape {
    const { type, class: ofAnswers, memory, rules } = of;
    const id = ++this.#added;
    const repliesOf =
      memory === undefined || alikeIn === undefined
        ? id
        : this.#firstLike(query.besideName, memory, { zone: alikeIn, rules, id });
    // Written out: what is spread comes in several layouts, which cost more to read.
    const shape: Shape = { id, repliesOf, type, class: ofAnswers, memory, rules };
    const first = setOf(query.hash);
    let slot = first + (this.#added % WAYS);
    for (let free = first; free < first + WAYS; free++) if (this.#layouts[free] === 0) slot = free;
    this.#hashes[slot] = query.hash;
    this.#layouts[slot] = query.layout;
    query.copyTo(this.#words, slot * SHAPE_WORDS);
    this.#shapes[slot] = shape;
    return shape;
  }

  /** How many, since it was cleared. */
  get added(): number {
    return this.#added;
  }

  clear(): void {
    this.#added = 0;
    this.#layouts.fill(0);
    this.#shapes.fill(undefined);
    this.#kindred.clear();
  }

  /** @returns the id of the first shape that is answered like this one by the same decision */
  #firstLike(besideName: string, memory: Memory, own: Kindred): number {
    const all = this.#kindred.get(memory) ?? new Map<string, Kindred>();
    this.#kindred.set(memory, all);
    const first = all.get(besideName) ?? own;
    all.set(besideName, first);
    return first.zone === own.zone && first.rules === own.rules ? first.id : own.id;
  }

  #isAt(slot: number, query: QueryShape): boolean {
    return this.#layouts[slot] === query.layout && query.isAt(this.#words, slot * SHAPE_WORDS);
  }
}

/** The first of those that differ in their names alone. */
interface Kindred {
  readonly zone: ZoneData;
  readonly rules: ClientSubnetRules | undefined;
  readonly id: number;
}

const WAYS = 4;
const SLOTS = 1 << 13;

function setOf(hash: number): number {
  return (hash & (SLOTS / WAYS - 1)) * WAYS;
}
