import type { Arrivals } from "./ledger.ts";
import type { Returned } from "./returns.ts";
import { areaOf, type Rushes } from "./rushes.ts";
import { squareKey } from "./squares.ts";

/**
 * How many viewers a DNS answer brings, by the square degree that its asker stands in: a resolver with a city behind
 * it brings more within a time to live than a single network. Each square has a factor to what an answer brings on
 * average; what a report shows too much or too little is shared out among those who could have caused it, as much
 * as each is uncertain (a Kalman filter whose covariance is taken to be diagonal).
 */
export interface Answers {
  /** What was answered since the last call, and who comes back with it. */
  add(arrivals: Arrivals, returned: Returned, nowMs: number): void;
  /** Answers for an edge that `add` was told of. */
  told(slot: number): number;
  /** What an answer for a place usually brings, as a multiple of the average. */
  factor(pool: number, latitude: number, longitude: number): number;
  /** Viewers of an edge's answers that come between two moments, in average answers. */
  between(slot: number, fromMs: number, toMs: number): number;
  /** Viewers who come back after a moment, with answers that were given before. */
  backAfter(slot: number, atMs: number): number;
  /** By square degree, until when askers hold answers for an edge, as of now. */
  heldUntilMs(slot: number, nowMs: number): ReadonlyMap<number, readonly number[]>;
  /**
   * A report of an edge shows `missing` more average answers than expected between two moments.
   * @param variance of what it shows by chance, in average answers
   */
  learn(slot: number, fromMs: number, toMs: number, missing: number, variance: number): void;
  /** The mean and the greatest of late for an edge, in average answers, as of now. */
  sizes(slot: number, nowMs: number): Sizes;
}

export interface Sizes {
  readonly mean: number;
  readonly greatest: number;
  /** How many times as much as usual the greatest brings, because of a rush. */
  readonly rush: number;
}

/** How sure the first guess of a factor is, as a variance, */
const FIRST_VARIANCE = 2;
/** and how much less sure a factor becomes per second: it may be another one in an hour. */
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

/** @param ttlMs how long an answer is cached */
export function createAnswers(ttlMs: number, rushes: Pick<Rushes, "at" | "between">): Answers {
  const squares = new Map<number, Square>();
  const bySlot = new Map<number, Past>();

  const squareAt = (pool: number, latitude: number, longitude: number): Square => {
    const key = squareKey(pool, latitude, longitude);
    const known = squares.get(key);
    if (known !== undefined) return known;
    const area = areaOf(pool, latitude, longitude);
    const square = { key, area, factor: 1, variance: FIRST_VARIANCE, atMs: Number.NaN };
    squares.set(key, square);
    return square;
  };
  const pastOf = (slot: number): Past => {
    const known = bySlot.get(slot);
    if (known !== undefined) return known;
    const past = { told: 0, given: [], bySquare: new Map() };
    bySlot.set(slot, past);
    return past;
  };
  /** The part of an answer's time to live that lies between two moments, times the rush then. */
  const share = (area: number, atMs: number, fromMs: number, toMs: number): number => {
    const [beginMs, endMs] = [Math.max(atMs, fromMs), Math.min(atMs + ttlMs, toMs)];
    return endMs <= beginMs ? 0 : ((endMs - beginMs) / ttlMs) * rushes.between(area, beginMs, endMs);
  };

  return {
    add(arrivals, returned, nowMs) {
      for (const [pool, byPlace] of arrivals.entries())
        for (const [{ latitude = 0, longitude = 0 }, byEdge] of byPlace)
          for (const [slot, { dns }] of byEdge) {
            if (dns === 0) continue;
            const past = pastOf(slot);
            past.told += dns;
            const square = squareAt(pool, latitude, longitude);
            const back = dns * (returned.get(square.key)?.perAnswer ?? 0);
            past.given.push({ square, answers: dns, back, atMs: nowMs });
            past.bySquare.set(square, (past.bySquare.get(square) ?? 0) + dns);
          }
      for (const past of bySlot.values()) forgetUntil(past, nowMs - ttlMs - LATE_MS);
    },
    told: (slot) => bySlot.get(slot)?.told ?? 0,
    factor: (pool, latitude, longitude) => squareAt(pool, latitude, longitude).factor,
    between(slot, fromMs, toMs) {
      let sum = 0;
      for (const { square, answers, atMs } of givenWithin(bySlot.get(slot), fromMs - ttlMs, toMs))
        sum += answers * square.factor * share(square.area, atMs, fromMs, toMs);
      return sum;
    },
    backAfter(slot, momentMs) {
      let sum = 0;
      for (const { back, atMs } of givenWithin(bySlot.get(slot), momentMs - RETRY_MS, momentMs))
        if (back > 0) sum += back * (1 - (momentMs - atMs) / RETRY_MS);
      return sum;
    },
    heldUntilMs(slot, nowMs) {
      const held = new Map<number, number[]>();
      for (const { square, answers, atMs } of bySlot.get(slot)?.given ?? []) {
        const untilMs = atMs - TOLD_LATE_MS + ttlMs;
        if (untilMs <= nowMs) continue;
        const ofSquare = held.get(square.key) ?? [];
        held.set(square.key, ofSquare);
        for (let i = 0; i < answers; i++) ofSquare.push(untilMs);
      }
      return held;
    },
    learn(slot, fromMs, toMs, missing, variance) {
      const weights = new Map<Square, number>();
      for (const { square, answers, atMs } of givenWithin(bySlot.get(slot), fromMs - ttlMs, toMs)) {
        const part = answers * share(square.area, atMs, fromMs, toMs);
        if (part > 0) weights.set(square, (weights.get(square) ?? 0) + part);
      }
      let total = variance;
      for (const [square, weight] of weights) {
        const seconds = Number.isNaN(square.atMs) ? 0 : Math.max(0, toMs - square.atMs) / 1000;
        square.variance = Math.min(FIRST_VARIANCE, square.variance + seconds * VARIANCE_PER_SECOND);
        square.atMs = toMs;
        total += square.variance * weight * weight;
      }
      if (!(missing * missing < SURPRISE_MAX * SURPRISE_MAX * total)) return;
      for (const [square, weight] of weights) {
        const gain = (square.variance * weight) / total;
        square.factor = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, square.factor + gain * missing));
        square.variance *= 1 - gain * weight;
      }
    },
    sizes(slot, nowMs) {
      let [viewers, count, greatest, rush] = [0, 0, 0, 1];
      for (const [square, answers] of bySlot.get(slot)?.bySquare ?? []) {
        const now = rushes.at(square.area, nowMs);
        viewers += answers * square.factor * now;
        count += answers;
        if (square.factor * now > greatest) [greatest, rush] = [square.factor * now, now];
      }
      return { mean: count > 0 ? viewers / count : 1, greatest, rush };
    },
  };
}

interface Square {
  readonly key: number;
  readonly area: number;
  factor: number;
  variance: number;
  /** When it was last learned from; NaN never. */
  atMs: number;
}

/** What was answered for an edge. */
interface Past {
  told: number;
  /** Oldest first. */
  given: Given[];
  /** The same answers, added up. */
  readonly bySquare: Map<Square, number>;
}

interface Given {
  readonly square: Square;
  readonly answers: number;
  /** Viewers who come back with them. */
  readonly back: number;
  readonly atMs: number;
}

function forgetUntil(past: Past, untilMs: number): void {
  const kept = firstAfter(past.given, untilMs);
  for (const { square, answers } of past.given.slice(0, kept)) {
    const left = (past.bySquare.get(square) as number) - answers;
    if (left > 0) past.bySquare.set(square, left);
    else past.bySquare.delete(square);
  }
  if (kept > 0) past.given = past.given.slice(kept);
}

/** Those after a moment, up to another. */
function givenWithin(past: Past | undefined, afterMs: number, upToMs: number): readonly Given[] {
  if (past === undefined) return [];
  return past.given.slice(firstAfter(past.given, afterMs), firstAfter(past.given, upToMs));
}

/** The position of the first one after a moment. */
function firstAfter(given: readonly Given[], atMs: number): number {
  let [low, high] = [0, given.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((given[middle] as Given).atMs > atMs) high = middle;
    else low = middle + 1;
  }
  return low;
}
