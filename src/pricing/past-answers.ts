/** Answers are kept this much longer than their time to live, for reports that come late. */
const LATE_MS = 90_000;
/** Whoever lost his edge tries it again and again until he is told another, about so often. */
const RETRY_MS = 10_000;

/** Answers to one square, and how many usual ones they are by how long they are kept. */
export interface Given {
  answers: number;
  usual: number;
}

/**
 * What was told at one moment: squares (positions in `AskedSquares`), answers for each, what these count, and the
 * viewers who come back with them.
 */
export interface Step {
  readonly atMs: number;
  readonly squares: number[];
  readonly answers: number[];
  readonly usual: number[];
  readonly back: number[];
}

/** What was answered for one edge, as long as that matters. */
export class PastAnswers {
  /** How many, since ever. */
  told = 0;
  /** What those that are not forgotten come to, by square. */
  readonly bySquare = new Map<number, Given>();
  /** By time to live in milliseconds, oldest first. */
  readonly #byTtl = new Map<number, Step[]>();

  /**
   * Answers for a square that are kept for `ttlMs`.
   * @param usual how many usual ones they are
   * @param back viewers who come back with them
   */
  give(square: number, answers: number, usual: number, back: number, ttlMs: number, atMs: number): void {
    this.told += answers;
    const step = this.#stepOf(ttlMs, atMs);
    step.squares.push(square);
    step.answers.push(answers);
    step.usual.push(usual);
    step.back.push(back);
    const sum = this.bySquare.get(square) ?? { answers: 0, usual: 0 };
    this.bySquare.set(square, sum);
    sum.answers += answers;
    sum.usual += usual;
  }

  /** Viewers who come back with answers that were given before. */
  bind(viewers: number, atMs: number): void {
    const [ttlMs = 0] = this.#byTtl.keys();
    this.#stepOf(ttlMs, atMs).back.push(viewers);
  }

  /** Those that are kept at some time between two moments, with their time to live in milliseconds. */
  *keptWithin(fromMs: number, toMs: number): Generator<[Step, number]> {
    for (const [ttlMs, given] of this.#byTtl)
      for (const step of givenWithin(given, fromMs - ttlMs, toMs)) yield [step, ttlMs];
  }

  /** Viewers who come back after a moment, with answers that were given before. */
  backAfter(momentMs: number): number {
    let sum = 0;
    for (const given of this.#byTtl.values())
      for (const { back, atMs } of givenWithin(given, momentMs - RETRY_MS, momentMs))
        for (const viewers of back) sum += viewers * (1 - (momentMs - atMs) / RETRY_MS);
    return sum;
  }

  /** All but how many there were. */
  forget(): void {
    this.#byTtl.clear();
    this.bySquare.clear();
  }

  /** Those that no report can show any more. */
  forgetOld(nowMs: number): void {
    for (const [ttlMs, given] of this.#byTtl) {
      const kept = firstAfter(given, nowMs - ttlMs - LATE_MS);
      for (const { squares, answers, usual } of given.slice(0, kept))
        for (const [i, square] of squares.entries()) {
          const sum = this.bySquare.get(square) as Given;
          sum.answers -= answers[i] as number;
          sum.usual -= usual[i] as number;
          if (sum.answers <= 0) this.bySquare.delete(square);
        }
      if (kept > 0) this.#byTtl.set(ttlMs, given.slice(kept));
    }
  }

  /** @param positions by position before; undefined: the square is gone, and who was answered there */
  move(positions: readonly (number | undefined)[]): void {
    const before = [...this.bySquare];
    this.bySquare.clear();
    for (const [position, { answers, usual }] of before) {
      const square = positions[position];
      if (square === undefined) continue;
      const there = this.bySquare.get(square) ?? { answers: 0, usual: 0 };
      this.bySquare.set(square, { answers: there.answers + answers, usual: there.usual + usual });
    }
    for (const [ttlMs, given] of this.#byTtl)
      this.#byTtl.set(
        ttlMs,
        given.map((step) => movedStep(step, positions)),
      );
  }

  /** What was told at once is one step, however many squares it is of. */
  #stepOf(ttlMs: number, atMs: number): Step {
    const given = this.#byTtl.get(ttlMs) ?? [];
    this.#byTtl.set(ttlMs, given);
    const last = given.at(-1);
    if (last?.atMs === atMs) return last;
    const step = { atMs, squares: [], answers: [], usual: [], back: [] };
    given.push(step);
    return step;
  }
}

function movedStep(
  { atMs, squares, answers, usual, back }: Step,
  positions: readonly (number | undefined)[],
): Step {
  const moved: Step = { atMs, squares: [], answers: [], usual: [], back: [...back] };
  for (const [i, position] of squares.entries()) {
    const square = positions[position];
    if (square === undefined) continue;
    moved.squares.push(square);
    moved.answers.push(answers[i] as number);
    moved.usual.push(usual[i] as number);
  }
  return moved;
}

/** Those after a moment, up to another. */
function givenWithin(given: readonly Step[], afterMs: number, upToMs: number): readonly Step[] {
  return given.slice(firstAfter(given, afterMs), firstAfter(given, upToMs));
}

/** The position of the first one after a moment. */
function firstAfter(given: readonly Step[], atMs: number): number {
  let [low, high] = [0, given.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((given[middle] as Step).atMs > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
