import { AskedSquares } from "./asked-squares.ts";
import type { LearnedAskers } from "./learned.ts";
import type { Arrivals } from "./ledger.ts";
import { PastAnswers, type Step } from "./past-answers.ts";
import type { Returned } from "./returns.ts";
import type { Rushes } from "./rushes.ts";
import type { PoolOf } from "./squares.ts";

/**
 * How many viewers a DNS answer brings, by the square degree that its asker stands in and by whether the asker names
 * its client's subnet: a resolver with a city behind it brings more within a time to live than a single network.
 * Each is learned from reports, as `AskedSquares` has it.
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

/** Answers are handed over about once a second, by all threads one after the other. */
const TOLD_LATE_MS = 2000;

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
  const bySlot = new Map<number, PastAnswers>();
  /** By position of an area: the rush of a time that is looked at; NaN: not yet asked for. */
  let rushIn = new Float64Array(0);

  const pastOf = (slot: number): PastAnswers => {
    const past = bySlot.get(slot) ?? new PastAnswers();
    bySlot.set(slot, past);
    return past;
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
    const usualMs = ttlMsOf(pool);
    const ttlMs = Math.max(0, usualMs - shortMs);
    const usual = usualMs > 0 ? (answers * ttlMs) / usualMs : answers;
    const back = answers * (returned.get(squares.keys[square] as number)?.perAnswer ?? 0);
    pastOf(slot).give(square, answers, usual, back, ttlMs, nowMs);
  };
  const keptWithin = (slot: number, fromMs: number, toMs: number): Iterable<[Step, number]> =>
    bySlot.get(slot)?.keptWithin(fromMs, toMs) ?? [];
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
    for (const [{ atMs, squares: of, answers, usual }, ttlMs] of keptWithin(slot, fromMs, toMs)) {
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
      for (const past of bySlot.values()) past.forgetOld(nowMs);
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
    backAfter: (slot, atMs) => bySlot.get(slot)?.backAfter(atMs) ?? 0,
    renumber(poolOf) {
      const before = squares;
      squares = new AskedSquares();
      const positions = before.keys.map((_, position) => squares.takeFrom(before, position, poolOf));
      for (const past of bySlot.values()) past.move(positions);
    },
    forget: (slot) => bySlot.get(slot)?.forget(),
    held(slot, nowMs) {
      const held = new Map<number, number>();
      for (const [{ squares: of, answers }] of keptWithin(slot, nowMs, nowMs))
        for (const [i, square] of of.entries()) {
          const key = squares.keys[square] as number;
          held.set(key, (held.get(key) ?? 0) + (answers[i] as number));
        }
      return held;
    },
    bind: (slot, viewers, nowMs) => pastOf(slot).bind(viewers, nowMs),
    heldUntilMs(slot, nowMs) {
      const held = new Map<number, number[]>();
      for (const [{ squares: of, answers, atMs }, ttlMs] of keptWithin(slot, nowMs, nowMs)) {
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
      const weights = new Map<number, number>();
      eachPart(slot, fromMs, toMs, (square, given, kept) => {
        const weight = average.viewersPerAnswer * (broughtBy(square)[0] < 1 ? given : kept);
        if (weight > 0) weights.set(square, (weights.get(square) ?? 0) + weight);
      });
      squares.learn(weights, missing, variance, toMs);
    },
    memory: (pool) => squares.memory(pool),
    remember: (pool, askers) => squares.remember(pool, askers),
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
