import type { LearnedAskers } from "./learned.ts";
import type { Arrivals } from "./ledger.ts";
import type { Returned } from "./returns.ts";
import { AskedSquares, FIRST_VARIANCE } from "./asked-squares.ts";
import type { Rushes } from "./rushes.ts";
import { placeOf, type PoolOf, squareOf } from "./squares.ts";

/**
 * How many viewers a DNS answer brings, by the square degree that its asker stands in and by whether the asker names
 * its client's subnet: a resolver with a city behind it brings more within a time to live than a single network. Each
 * has a factor to what an answer brings on average; what a report shows too much or too little is shared out among
 * those who could have caused it, as much as each is uncertain (a Kalman filter whose covariance is taken to be
 * diagonal).
 */
export interface Answers {
  /**
   * What was answered since the last call, and who comes back with it; whoever cannot be located has a square of his
   * own.
   */
  add(arrivals: Arrivals, returned: Returned, nowMs: number): void;
  /** Answers for an edge that `add` was told of. */
  told(slot: number): number;
  /**
   * What is told of may be lost, at a reload or with a thread: so many are certain to have been told of, and no more
   * than so many.
   */
  settleTold(slot: number, least: number, most: number): void;
  /** What an answer for a place usually brings, as a multiple of the average. */
  factor(pool: number, latitude: number, longitude: number, nameSubnets: boolean): number;
  /** Viewers whom one for a place brings that is kept for this share of the usual time. */
  viewers(pool: number, latitude: number, longitude: number, nameSubnets: boolean, keptShare: number): number;
  /** Viewers who come with an edge's answers between two moments. */
  between(slot: number, fromMs: number, toMs: number): Coming;
  /** Viewers who come back after a moment, with answers that were given before. */
  backAfter(slot: number, atMs: number): number;
  /** By askers (`askersKey`), until when they hold answers for an edge, as of now. */
  heldUntilMs(slot: number, nowMs: number): ReadonlyMap<number, readonly number[]>;
  /** Other pools. */
  renumber(poolOf: PoolOf): void;
  /** An edge is not there any more: whoever has its slot next was named in none of its answers. */
  forget(slot: number): void;
  /** How many answers for an edge askers (`askersKey`) hold, as of now. */
  held(slot: number, nowMs: number): ReadonlyMap<number, number>;
  /** Viewers who had lost their edge come to this one with answers that are held already. */
  bind(slot: number, viewers: number, nowMs: number): void;
  /**
   * A report of an edge shows `missing` more viewers than expected between two moments.
   * @param variance of what it shows by chance
   */
  learn(slot: number, fromMs: number, toMs: number, missing: number, variance: number): void;
  /** Of a pool. */
  memory(pool: number): LearnedAskers[];
  remember(pool: number, askers: readonly LearnedAskers[]): void;
  /** The mean and the greatest of late for an edge, in viewers, as of now. */
  sizes(slot: number, nowMs: number): Sizes;
}

export interface Coming {
  readonly viewers: number;
  /** How many more if an average answer brought one more. */
  readonly slope: number;
}

export interface Sizes {
  readonly mean: number;
  /** Of the mean, those who come at once. */
  readonly atOnce: number;
  /** Of one that is kept as long as usual. */
  readonly greatest: number;
  /** How many times as much as usual the greatest brings, because of a rush. */
  readonly rush: number;
}

/** How much less sure a factor becomes per second: it may be another one in an hour. */
const VARIANCE_PER_SECOND = 1 / 3600;
const FACTOR_MIN = 0.05;
const FACTOR_MAX = 100;
/** Answers are kept this much longer than their time to live, for reports that come late. */
const LATE_MS = 90_000;
/** Answers are handed over about once a second, by all threads one after the other. */
const TOLD_LATE_MS = 2000;
/** Whoever lost his edge tries it again and again until he is told another, about so often. */
const RETRY_MS = 10_000;
/** In standard deviations: what is further off has another cause. */
const SURPRISE_MAX = 6;

/**
 * Whoever has his resolver ask comes at once; all the others come while the answer is kept, the more of them the
 * longer it is, and as many times more in a rush.
 * @param ttlMsOf how long the answers of a pool are usually kept
 * @param average viewers whom an average answer brings that is kept so long
 */
export function createAnswers(
  ttlMsOf: (pool: number) => number,
  rushes: Pick<Rushes, "at" | "between">,
  average: { readonly viewersPerAnswer: number },
): Answers {
  let squares = new AskedSquares();
  const bySlot = new Map<number, Past>();
  /** By position of an area: the rush of a time that is looked at; NaN: not yet asked for. */
  let rushIn = new Float64Array(0);

  const pastOf = (slot: number): Past => {
    const known = bySlot.get(slot);
    if (known !== undefined) return known;
    const past = { told: 0, byTtl: new Map(), bySquare: new Map() };
    bySlot.set(slot, past);
    return past;
  };
  /** What was told at once is one step, however many squares it is of. */
  const stepOf = (past: Past, ttlMs: number, atMs: number): Step => {
    const given = past.byTtl.get(ttlMs) ?? [];
    past.byTtl.set(ttlMs, given);
    const last = given.at(-1);
    if (last?.atMs === atMs) return last;
    const step = { atMs, squares: [], answers: [], usual: [], back: [] };
    given.push(step);
    return step;
  };
  const give = (
    slot: number,
    pool: number,
    square: number,
    answers: number,
    shortMs: number,
    returned: Returned,
    nowMs: number,
  ): void => {
    const past = pastOf(slot);
    past.told += answers;
    const usualMs = ttlMsOf(pool);
    const ttlMs = Math.max(0, usualMs - shortMs);
    const usual = usualMs > 0 ? (answers * ttlMs) / usualMs : answers;
    const step = stepOf(past, ttlMs, nowMs);
    step.squares.push(square);
    step.answers.push(answers);
    step.usual.push(usual);
    step.back.push(answers * (returned.get(squares.keys[square] as number)?.perAnswer ?? 0));
    const sum = past.bySquare.get(square) ?? { answers: 0, usual: 0 };
    past.bySquare.set(square, sum);
    sum.answers += answers;
    sum.usual += usual;
  };
  /**
   * Calls `visit` for the answers of each square with how many were given between two moments, and with the part of
   * their time to live that lies between them: times the rush then and how many usual answers they are.
   */
  const eachPart = (
    slot: number,
    fromMs: number,
    toMs: number,
    visit: (square: number, given: number, kept: number) => void,
  ): void => {
    for (const [{ atMs, squares: of, answers, usual }, ttlMs] of keptWithin(bySlot.get(slot), fromMs, toMs)) {
      const isGiven = atMs > fromMs && atMs <= toMs;
      const [beginMs, endMs] = [Math.max(atMs, fromMs), Math.min(atMs + ttlMs, toMs)];
      const part = endMs > beginMs ? (endMs - beginMs) / ttlMs : 0;
      if (part === 0 && !isGiven) continue;
      if (rushIn.length < squares.areas.length) rushIn = new Float64Array(2 * squares.areas.length);
      rushIn.fill(Number.NaN);
      for (let i = 0; i < of.length; i++) {
        const square = of[i] as number;
        const area = squares.areaOf[square] as number;
        let rush = rushIn[area] as number;
        if (Number.isNaN(rush))
          rush = rushIn[area] = rushes.between(squares.areas[area] as number, beginMs, endMs);
        visit(square, isGiven ? (answers[i] as number) : 0, part * rush * (usual[i] as number));
      }
    }
  };
  /** Viewers whom a usual one brings: at once, and while it is kept. */
  const broughtBy = (square: number): readonly [number, number] => {
    const all = (squares.factors[square] as number) * average.viewersPerAnswer;
    const atOnce = Math.min(1, all);
    return [atOnce, all - atOnce];
  };

  return {
    add(arrivals, returned, nowMs) {
      for (const [pool, byPlace] of arrivals.entries())
        for (const [{ latitude = Number.NaN, longitude = Number.NaN }, byEdge] of byPlace)
          for (const [slot, { dns, subnets = 0, shortSeconds = 0 }] of byEdge) {
            const shortMs = dns > 0 ? Math.round(shortSeconds / dns) * 1000 : 0;
            const of = (nameSubnets: boolean) => squares.at(pool, latitude, longitude, nameSubnets);
            if (dns > subnets) give(slot, pool, of(false), dns - subnets, shortMs, returned, nowMs);
            if (subnets > 0) give(slot, pool, of(true), subnets, shortMs, returned, nowMs);
          }
      for (const past of bySlot.values()) forgetOld(past, nowMs);
    },
    told: (slot) => bySlot.get(slot)?.told ?? 0,
    settleTold(slot, least, most) {
      const past = pastOf(slot);
      past.told = Math.min(most, Math.max(least, past.told));
    },
    factor: (pool, latitude, longitude, nameSubnets) =>
      squares.factors[squares.at(pool, latitude, longitude, nameSubnets)] as number,
    viewers(pool, latitude, longitude, nameSubnets, keptShare) {
      const [atOnce, others] = broughtBy(squares.at(pool, latitude, longitude, nameSubnets));
      return atOnce + others * keptShare;
    },
    between(slot, fromMs, toMs) {
      const { factors } = squares;
      let [viewers, slope] = [0, 0];
      eachPart(slot, fromMs, toMs, (square, given, kept) => {
        const [atOnce, others] = broughtBy(square);
        viewers += given * atOnce + kept * others;
        slope += (factors[square] as number) * (atOnce < 1 ? given : kept);
      });
      return { viewers, slope };
    },
    backAfter(slot, momentMs) {
      let sum = 0;
      for (const given of bySlot.get(slot)?.byTtl.values() ?? [])
        for (const { back, atMs } of givenWithin(given, momentMs - RETRY_MS, momentMs))
          for (const viewers of back) sum += viewers * (1 - (momentMs - atMs) / RETRY_MS);
      return sum;
    },
    renumber(poolOf) {
      const before = squares;
      squares = new AskedSquares();
      const positions = before.keys.map((_, position) => squares.takeFrom(before, position, poolOf));
      for (const past of bySlot.values()) movePast(past, positions);
    },
    forget(slot) {
      const past = bySlot.get(slot);
      if (past !== undefined) bySlot.set(slot, { told: past.told, byTtl: new Map(), bySquare: new Map() });
    },
    held(slot, nowMs) {
      const held = new Map<number, number>();
      for (const [{ squares: of, answers }] of keptWithin(bySlot.get(slot), nowMs, nowMs))
        for (const [i, square] of of.entries()) {
          const key = squares.keys[square] as number;
          held.set(key, (held.get(key) ?? 0) + (answers[i] as number));
        }
      return held;
    },
    bind(slot, viewers, nowMs) {
      const past = pastOf(slot);
      const [ttlMs = 0] = past.byTtl.keys();
      stepOf(past, ttlMs, nowMs).back.push(viewers);
    },
    heldUntilMs(slot, nowMs) {
      const held = new Map<number, number[]>();
      for (const [{ squares: of, answers, atMs }, ttlMs] of keptWithin(bySlot.get(slot), nowMs, nowMs)) {
        const untilMs = atMs - TOLD_LATE_MS + ttlMs;
        if (untilMs <= nowMs) continue;
        for (const [i, square] of of.entries()) {
          const key = squares.keys[square] as number;
          const ofSquare = held.get(key) ?? [];
          held.set(key, ofSquare);
          for (let n = 0; n < (answers[i] as number); n++) ofSquare.push(untilMs);
        }
      }
      return held;
    },
    learn(slot, fromMs, toMs, missing, variance) {
      const { factors, variances, learnedAtMs } = squares;
      const weights = new Map<number, number>();
      eachPart(slot, fromMs, toMs, (square, given, kept) => {
        const weight = average.viewersPerAnswer * (broughtBy(square)[0] < 1 ? given : kept);
        if (weight > 0) weights.set(square, (weights.get(square) ?? 0) + weight);
      });
      let total = variance;
      for (const [square, weight] of weights) {
        const atMs = learnedAtMs[square] as number;
        const seconds = Number.isNaN(atMs) ? 0 : Math.max(0, toMs - atMs) / 1000;
        const grown = (variances[square] as number) + seconds * VARIANCE_PER_SECOND;
        variances[square] = Math.min(FIRST_VARIANCE, grown);
        learnedAtMs[square] = toMs;
        total += variances[square] * weight * weight;
      }
      if (!(missing * missing < SURPRISE_MAX * SURPRISE_MAX * total)) return;
      for (const [square, weight] of weights) {
        const gain = ((variances[square] as number) * weight) / total;
        const factor = (factors[square] as number) + gain * missing;
        factors[square] = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, factor));
        variances[square] = (variances[square] as number) * (1 - gain * weight);
      }
    },
    memory(pool) {
      const learned: LearnedAskers[] = [];
      for (const [square, key] of squares.keys.entries()) {
        const place = placeOf(squareOf(key));
        const [factor, variance] = [squares.factors[square] as number, squares.variances[square] as number];
        const { latitude, longitude } = place;
        if (place.pool !== pool || Number.isNaN(latitude) || variance >= FIRST_VARIANCE) continue;
        learned.push({ latitude, longitude, nameSubnets: key % 2 === 1, factor, variance });
      }
      return learned;
    },
    remember(pool, askers) {
      for (const { latitude, longitude, nameSubnets, factor, variance } of askers) {
        const square = squares.at(pool, latitude, longitude, nameSubnets);
        squares.factors[square] = factor;
        squares.variances[square] = variance;
      }
    },
    sizes(slot, nowMs) {
      let [given, kept, first, greatest, rush] = [0, 0, 0, 0, 1];
      for (const [square, { answers, usual }] of bySlot.get(slot)?.bySquare ?? []) {
        const now = rushes.at(squares.areas[squares.areaOf[square] as number] as number, nowMs);
        const [atOnce, later] = broughtBy(square);
        const others = later * now;
        given += answers;
        first += answers * atOnce;
        kept += usual * others;
        const one = atOnce + (others * usual) / answers;
        if (one > greatest) [greatest, rush] = [one, now];
      }
      if (given <= 0) return { mean: average.viewersPerAnswer, atOnce: 1, greatest, rush };
      return { mean: (first + kept) / given, atOnce: first / given, greatest, rush };
    },
  };
}

/** What was answered for an edge. */
interface Past {
  told: number;
  /** By time to live in milliseconds, oldest first. */
  readonly byTtl: Map<number, Step[]>;
  /** What they count, by square. */
  readonly bySquare: Map<number, Given>;
}

/** Answers, and how many usual ones they are by how long they are kept. */
interface Given {
  answers: number;
  usual: number;
}

/**
 * What was told at one moment: squares, answers for each, what these count, and the viewers who come back with them.
 */
interface Step {
  readonly atMs: number;
  readonly squares: number[];
  readonly answers: number[];
  readonly usual: number[];
  readonly back: number[];
}

/** @param positions by position before; undefined: the square is gone, and who was answered there */
function movePast({ byTtl, bySquare }: Past, positions: readonly (number | undefined)[]): void {
  const sums = new Map<number, Given>();
  for (const [position, given] of bySquare) {
    const moved = positions[position];
    if (moved === undefined) continue;
    const there = sums.get(moved) ?? { answers: 0, usual: 0 };
    sums.set(moved, { answers: there.answers + given.answers, usual: there.usual + given.usual });
  }
  bySquare.clear();
  for (const [square, given] of sums) bySquare.set(square, given);
  for (const [ttlMs, given] of byTtl)
    byTtl.set(
      ttlMs,
      given.map((step) => movedStep(step, positions)),
    );
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

function forgetOld({ byTtl, bySquare }: Past, nowMs: number): void {
  for (const [ttlMs, given] of byTtl) {
    const kept = firstAfter(given, nowMs - ttlMs - LATE_MS);
    for (const { squares, answers, usual } of given.slice(0, kept))
      for (const [i, square] of squares.entries()) {
        const sum = bySquare.get(square) as Given;
        sum.answers -= answers[i] as number;
        sum.usual -= usual[i] as number;
        if (sum.answers <= 0) bySquare.delete(square);
      }
    if (kept > 0) byTtl.set(ttlMs, given.slice(kept));
  }
}

/** Those that are kept at some time between two moments, with their time to live in milliseconds. */
function* keptWithin(past: Past | undefined, fromMs: number, toMs: number): Generator<[Step, number]> {
  for (const [ttlMs, given] of past?.byTtl ?? [])
    for (const step of givenWithin(given, fromMs - ttlMs, toMs)) yield [step, ttlMs];
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
