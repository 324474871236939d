import type { Asked, Askers } from "./askers.ts";
import type { Arrivals } from "./ledger.ts";
import type { Returned } from "./returns.ts";
import { areaOf, askersKey, movedSquare, placeOf, type PoolOf, squareKey } from "./squares.ts";

/**
 * How many times as many viewers as usual come from a part of the world, judged by those of HTTP, of whom each is
 * counted, and by resolvers that hold no answer: one that answers from its cache brings as many times more, and
 * nobody sees them come.
 */
export interface Rushes {
  /** Decisions since `pass`. Who comes back after a loss is expected, and no rush. */
  add(arrivals: Arrivals, returned: Returned, nowMs: number): void;
  /** All since the last call have been added. */
  pass(nowMs: number): void;
  /** Other pools. */
  renumber(poolOf: PoolOf): void;
  /** 1: as usual; never less. */
  at(area: number, atMs: number): number;
  /** Its mean over some time; what is yet to come is taken to be as it is. */
  between(area: number, fromMs: number, toMs: number): number;
  /**
   * Viewers whom great ones bring now beyond the usual ones, within the time that answers are usually kept, by pool.
   */
  beyond(): ReadonlyMap<number, number>;
}

/** A rush is what has come within about this time, */
const RUSH_SECONDS = 3;
/** beside what comes in this, in which a rush is not taken for usual at once. */
const USUAL_SECONDS = 240;
const USUAL_GROWTH = 2;
const RUSH_MAX = 50;
/** Before that nothing is usual. */
const FIRST_SECONDS = 60;
/** Where nobody is expected, one in so many seconds is. */
const FEW_SECONDS = 20;
/** Chance alone is no rush, in standard deviations. */
const SURPRISE = 3;
const KEEP_SAMPLES = 120;

/** What is less than this many times the usual needs no haste. */
const GREAT = 2;

/** @param average viewers whom an average answer brings */
export function createRushes(
  askers: Askers,
  ttlMsOf: (pool: number) => number,
  average: { readonly viewersPerAnswer: number },
): Rushes {
  let areas = new Map<number, Area>();
  /** Oldest first. */
  let samples: Sample[] = [];
  let firstMs: number | undefined;

  /** The last sample up to then, or the first. */
  const before = (atMs: number): Sample | undefined => {
    let [low, high] = [0, samples.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((samples[middle] as Sample).atMs > atMs) high = middle - 1;
      else low = middle;
    }
    return samples[low];
  };
  const sumBy = (area: number, atMs: number): number => {
    const sample = before(atMs);
    if (sample === undefined) return atMs;
    const beyond = (sample.factors.get(area) ?? 1) - 1;
    return atMs + (sample.sums.get(area) ?? 0) + beyond * (atMs - sample.atMs);
  };

  const areaAt = (key: number): Area => {
    const known = areas.get(key);
    if (known !== undefined) return known;
    const area = newArea();
    areas.set(key, area);
    return area;
  };

  return {
    add(arrivals, returned, nowMs) {
      askers.add(arrivals, returned, nowMs);
      for (const [pool, byPlace] of arrivals.entries())
        for (const [{ latitude = Number.NaN, longitude = Number.NaN }, byEdge] of byPlace) {
          const area = areaAt(areaOf(pool, latitude, longitude));
          const { httpShare = 0 } =
            returned.get(askersKey(squareKey(pool, latitude, longitude), false)) ?? {};
          for (const { http } of byEdge.values()) area.came += http * (1 - httpShare);
        }
    },
    pass(nowMs) {
      const seconds = (nowMs - (samples.at(-1)?.atMs ?? nowMs - 1000)) / 1000;
      if (seconds <= 0) return;
      firstMs ??= nowMs;
      const isYoung = nowMs - firstMs < FIRST_SECONDS * 1000;
      const asked = askers.pass(nowMs);
      for (const [key, area] of areas) takeSecond(area, asked.get(key) ?? NOBODY_ASKED, seconds, isYoung);
      const factors = new Map<number, number>();
      for (const [key, area] of areas) {
        const factor = isYoung ? 1 : factorOf(area);
        if (factor > 1) area.rushedAtMs = nowMs;
        factors.set(key, factor);
      }
      samples.push(sampleOf(samples.at(-1), nowMs, factors));
      if (samples.length > 2 * KEEP_SAMPLES) samples = samples.slice(-KEEP_SAMPLES);
    },
    renumber(poolOf) {
      askers.renumber(poolOf);
      const moved = <T>(byArea: ReadonlyMap<number, T>, join: (a: T, b: T) => T) =>
        rekeyed(byArea, poolOf, join);
      areas = moved(areas, joinAreas);
      samples = samples.map(({ atMs, factors, sums }) => ({
        atMs,
        factors: moved(factors, Math.max),
        sums: moved(sums, Math.max),
      }));
    },
    beyond() {
      const byPool = new Map<number, number>();
      for (const [key, factor] of samples.at(-1)?.factors ?? []) {
        if (factor < GREAT) continue;
        const { usualRedirects, usualAnswers } = areaAt(key);
        const perSecond = usualRedirects + usualAnswers * average.viewersPerAnswer;
        const { pool } = placeOf(key);
        const viewers = ((perSecond * ttlMsOf(pool)) / 1000) * (factor - 1);
        byPool.set(pool, (byPool.get(pool) ?? 0) + viewers);
      }
      return byPool;
    },
    at: (area, atMs) => before(atMs)?.factors.get(area) ?? 1,
    between(area, fromMs, toMs) {
      if (toMs <= fromMs || (areas.get(area)?.rushedAtMs ?? Number.NEGATIVE_INFINITY) < fromMs) return 1;
      return (sumBy(area, toMs) - sumBy(area, fromMs)) / (toMs - fromMs);
    },
  };
}

/** Areas of two pools that have become one are joined. */
function rekeyed<T>(
  byArea: ReadonlyMap<number, T>,
  poolOf: PoolOf,
  join: (one: T, other: T) => T,
): Map<number, T> {
  const moved = new Map<number, T>();
  for (const [area, value] of byArea) {
    const key = movedSquare(area, poolOf);
    if (key === undefined) continue;
    const there = moved.get(key);
    moved.set(key, there === undefined ? value : join(there, value));
  }
  return moved;
}

interface Sample {
  readonly atMs: number;
  /** By area, of the time since the sample before. */
  readonly factors: ReadonlyMap<number, number>;
  /** By area: factors × milliseconds up to this moment, beyond 1. */
  readonly sums: ReadonlyMap<number, number>;
}

function sampleOf(last: Sample | undefined, atMs: number, factors: ReadonlyMap<number, number>): Sample {
  if (last === undefined) return { atMs, factors, sums: new Map() };
  const sums = new Map(last.sums);
  for (const [area, factor] of factors)
    if (factor > 1) sums.set(area, (sums.get(area) ?? 0) + (factor - 1) * (atMs - last.atMs));
  return { atMs, factors, sums };
}

/** Arrivals per second: redirects, and answers. */
interface Area {
  /** Redirects, not yet taken. */
  came: number;
  fast: number;
  /** What would be usual in the place of `fast`. */
  expected: number;
  usualRedirects: number;
  usualAnswers: number;
  /** When it was last more than usual. */
  rushedAtMs: number;
}

function newArea(): Area {
  const rushedAtMs = Number.NEGATIVE_INFINITY;
  return { came: 0, fast: 0, expected: 0, usualRedirects: 0, usualAnswers: 0, rushedAtMs };
}

function joinAreas(one: Area, other: Area): Area {
  return {
    came: one.came + other.came,
    fast: one.fast + other.fast,
    expected: one.expected + other.expected,
    usualRedirects: one.usualRedirects + other.usualRedirects,
    usualAnswers: one.usualAnswers + other.usualAnswers,
    rushedAtMs: Math.max(one.rushedAtMs, other.rushedAtMs),
  };
}

const NOBODY_ASKED: Asked = { answers: 0, free: 1 };

function takeSecond(area: Area, { answers, free }: Asked, seconds: number, isYoung: boolean): void {
  const [redirects, asked] = [area.came / seconds, answers / seconds];
  area.came = 0;
  const fast = 1 - Math.exp(-seconds / RUSH_SECONDS);
  area.fast += (redirects + asked - area.fast) * fast;
  area.expected += (area.usualRedirects + area.usualAnswers * free - area.expected) * fast;
  const usual = 1 - Math.exp(-seconds / (isYoung ? FIRST_SECONDS / 4 : USUAL_SECONDS));
  area.usualRedirects += (believed(redirects, area.usualRedirects, isYoung) - area.usualRedirects) * usual;
  const expected = area.usualAnswers * free;
  area.usualAnswers += (believed(asked, expected, isYoung) - expected) * usual;
}

function believed(rate: number, usual: number, isYoung: boolean): number {
  return isYoung ? rate : Math.min(rate, usual * USUAL_GROWTH + 1 / USUAL_SECONDS);
}

function factorOf({ fast, expected }: Area): number {
  const atLeast = fast - SURPRISE * Math.sqrt(fast / (2 * RUSH_SECONDS));
  return Math.min(RUSH_MAX, Math.max(1, atLeast / (expected + 1 / FEW_SECONDS)));
}
