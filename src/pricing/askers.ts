import type { Brought } from "./demand.ts";
import type { Arrivals } from "./ledger.ts";
import type { Returned } from "./returns.ts";
import { areaOf, askersKey, movedAskers, placeOf, type PoolOf, squareKey, squareOf } from "./squares.ts";

/**
 * How often those ask by DNS who hold no answer. Whoever serves many holds one nearly all the time, and asks hardly
 * more often when ten times as many come to him, but sooner after it has run out; whoever serves few asks ten times
 * as often, until he holds one too.
 */
export interface Askers {
  /** Answers since `pass`. Who brings back viewers after a loss asks because of that, and is left out. */
  add(arrivals: Arrivals, returned: Returned, nowMs: number): void;
  /** All since the last call have been added. @returns by area */
  pass(nowMs: number): ReadonlyMap<number, Asked>;
  /** Other pools. */
  renumber(poolOf: PoolOf): void;
}

/** Viewers whom an answer brings, as learned. */
export type PerAnswer = (pool: number, latitude: number, longitude: number, nameSubnets: boolean) => number;

export interface Asked {
  /** Answers. */
  readonly answers: number;
  /** How many are free to ask, as a multiple of how many usually are. */
  readonly free: number;
}

/** What is usual is averaged over this long. */
const USUAL_SECONDS = 900;
/** Answers are handed over about once a second: they were given about so long before. */
const TOLD_LATE_MS = 1000;
/** How many are free is not known more precisely. */
const FREE_MIN = 0.02;
/** Who has not asked for long is forgotten, per second. */
const NEGLIGIBLE_RATE = 1 / 7200;

export function createAskers(
  ttlMsOf: (pool: number) => number,
  keptShare: Brought["keptShare"],
  viewersPerAnswer: PerAnswer,
): Askers {
  let askers = new Map<number, Asker>();
  /** By the second: whose answers run out then. */
  let expiring = new Map<number, Asker[]>();
  let passedAtMs: number | undefined;
  let agedSeconds = 0;

  const askerAt = (key: number): Asker => {
    const known = askers.get(key);
    if (known !== undefined) return known;
    const { pool, latitude, longitude } = placeOf(squareOf(key));
    const area = areaOf(pool, latitude, longitude);
    const asker = { area, answers: 0, held: 0, rate: 0, usuallyHeld: 0, viewersPerAnswer: 1 };
    askers.set(key, asker);
    return asker;
  };

  const give = (
    key: number,
    viewersPerAnswer: number,
    answers: number,
    isBack: boolean,
    untilMs: number,
  ): void => {
    const asker = askerAt(key);
    asker.viewersPerAnswer = Math.max(1, viewersPerAnswer);
    if (!isBack) asker.answers += answers;
    asker.held += answers;
    const second = Math.ceil(untilMs / 1000);
    const others = expiring.get(second) ?? [];
    expiring.set(second, others);
    for (let i = 0; i < answers; i++) others.push(asker);
  };

  const expire = (nowMs: number): void => {
    for (const [second, their] of expiring) {
      if (second * 1000 > nowMs) continue;
      for (const asker of their) asker.held--;
      expiring.delete(second);
    }
  };

  return {
    add(arrivals, returned, nowMs) {
      for (const [pool, byPlace] of arrivals.entries())
        for (const [{ latitude = Number.NaN, longitude = Number.NaN }, byEdge] of byPlace) {
          const square = squareKey(pool, latitude, longitude);
          for (const nameSubnets of [false, true]) {
            const key = askersKey(square, nameSubnets);
            const isBack = (returned.get(key)?.perAnswer ?? 0) > 0;
            for (const arrived of byEdge.values()) {
              const { dns, subnets = 0 } = arrived;
              const answers = nameSubnets ? subnets : dns - subnets;
              if (answers <= 0) continue;
              const untilMs = nowMs - TOLD_LATE_MS + ttlMsOf(pool) * keptShare(pool, arrived);
              give(key, viewersPerAnswer(pool, latitude, longitude, nameSubnets), answers, isBack, untilMs);
            }
          }
        }
    },
    pass(nowMs) {
      const seconds = passedAtMs === undefined ? 1 : (nowMs - passedAtMs) / 1000;
      passedAtMs = nowMs;
      if (seconds <= 0) return new Map();
      agedSeconds += seconds;
      const share = Math.min(1, seconds / Math.min(agedSeconds, USUAL_SECONDS));
      const sums = new Map<number, Sum>();
      for (const [key, asker] of askers) {
        const sum = sums.get(asker.area) ?? { answers: 0, usual: 0, free: 0 };
        sums.set(asker.area, sum);
        sum.answers += asker.answers;
        sum.usual += asker.rate;
        sum.free += asker.rate * freeOf(asker);
        asker.rate += (asker.answers / seconds - asker.rate) * share;
        asker.usuallyHeld += (asker.held - asker.usuallyHeld) * share;
        asker.answers = 0;
        if (asker.held === 0 && asker.rate < NEGLIGIBLE_RATE) askers.delete(key);
      }
      expire(nowMs);
      return new Map(
        [...sums].map(([area, { answers, usual, free }]) => [
          area,
          { answers, free: usual > 0 ? free / usual : 1 },
        ]),
      );
    },
    renumber(poolOf) {
      const before = askers;
      askers = new Map();
      for (const [key, asker] of before) {
        const moved = movedAskers(key, poolOf);
        if (moved === undefined || askers.has(moved)) continue;
        const { pool, latitude, longitude } = placeOf(squareOf(moved));
        asker.area = areaOf(pool, latitude, longitude);
        askers.set(moved, asker);
      }
    },
  };
}

interface Sum {
  answers: number;
  usual: number;
  free: number;
}

/** Those in a square degree who ask alike. */
interface Asker {
  area: number;
  /** Not yet taken. */
  answers: number;
  /** Answers that they hold. */
  held: number;
  /** Answers per second, */
  rate: number;
  /** and those held, usually. */
  usuallyHeld: number;
  /** As learned, at least 1. */
  viewersPerAnswer: number;
}

/**
 * One to whom a viewer comes every `1 / rate` seconds is asked for `viewersPerAnswer = 1 + ttl × rate` with each
 * answer, and so is free for a share of `1 / viewersPerAnswer` of the time: what is held beside what usually is tells
 * how many are free beside usual.
 */
function freeOf({ held, usuallyHeld, viewersPerAnswer }: Asker): number {
  if (usuallyHeld <= 0) return 1;
  const free = viewersPerAnswer - (viewersPerAnswer - 1) * (held / usuallyHeld);
  return Math.max(FREE_MIN, free);
}
