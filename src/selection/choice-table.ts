import type { Decision } from "../model/decision.ts";

/** What DNS names at a place. */
export interface PlaceChoice {
  /** As of `ServiceState`. */
  readonly condition: number;
  /** Which edges, best first: indices of 16 bits, two in a word, and zeros behind the last. */
  readonly words: Uint32Array;
  /** How many edges there are, 1..16, */
  readonly count: number;
  /** and how many of them, from the first on, are answered. */
  readonly answers: number;
}

/** Of a decision for DNS. */
export function choiceOf({ edges, answers = edges.length }: Decision, condition: number): PlaceChoice {
  const words = new Uint32Array(CHOICE_WORDS);
  new Uint16Array(words.buffer).set(edges.map(({ edge }) => edge.index));
  return { condition, words, count: edges.length, answers };
}

/** Numbers that were given to choices. Of a bounded size: once it is full, nothing is known any more. */
export class ChoiceTable {
  /** By slot: the choice's condition and counts, its number, and its edges; counts of 0: it is free. */
  readonly #rows = new Uint32Array(FIELDS * SLOTS);
  #known = 0;

  /** -1: it has none. */
  find(choice: PlaceChoice): number {
    const at = this.#rowOf(choice);
    return this.#rows[at + COUNTS] === 0 ? -1 : (this.#rows[at + NUMBER] as number);
  }

  put(choice: PlaceChoice, number: number): void {
    if (2 * this.#known >= SLOTS) this.clear();
    const at = this.#rowOf(choice);
    if (this.#rows[at + COUNTS] === 0) this.#known++;
    this.#rows[at] = choice.condition;
    this.#rows[at + COUNTS] = countsOf(choice);
    this.#rows[at + NUMBER] = number;
    this.#rows.set(choice.words, at + WORDS);
  }

  clear(): void {
    this.#rows.fill(0);
    this.#known = 0;
  }

  /** Where its row begins, or the free one where it would be. */
  #rowOf(choice: PlaceChoice): number {
    for (let slot = slotOf(choice); ; slot = (slot + 1) & (SLOTS - 1)) {
      const at = FIELDS * slot;
      if (this.#rows[at + COUNTS] === 0 || this.#isAt(at, choice)) return at;
    }
  }

  #isAt(at: number, choice: PlaceChoice): boolean {
    const rows = this.#rows;
    if (rows[at] !== choice.condition || rows[at + COUNTS] !== countsOf(choice)) return false;
    for (let i = 0; 2 * i < choice.count; i++) if (rows[at + WORDS + i] !== choice.words[i]) return false;
    return true;
  }
}

function countsOf({ count, answers }: PlaceChoice): number {
  return (answers << 8) | count;
}

function slotOf(choice: PlaceChoice): number {
  let hash = Math.imul(choice.condition, 0x9e3779b1) ^ countsOf(choice);
  for (let i = 0; 2 * i < choice.count; i++) {
    hash = Math.imul(hash ^ (hash >>> 15) ^ (choice.words[i] as number), 0x85ebca6b);
  }
  return (hash ^ (hash >>> 13)) & (SLOTS - 1);
}

/** As a service may answer 16 edges. */
export const CHOICE_WORDS = 8;

const COUNTS = 1;
const NUMBER = 2;
const WORDS = 3;
const FIELDS = WORDS + CHOICE_WORDS;
const SLOTS = 1 << 12;
