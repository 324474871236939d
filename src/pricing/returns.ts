import type { Arrivals, Arrived } from "./ledger.ts";
import { squareKey } from "./squares.ts";

/**
 * Viewers who lost their edge and have not come back. They do within seconds, each by himself at the HTTP door; at the
 * DNS door whoever waits behind a resolver comes with its next answer.
 */
export interface Returns {
  lose(lost: Iterable<Lost>): void;
  /** What came since the last call, and how many of them had been waiting. */
  take(arrivals: Arrivals, seconds: number): Returned;
  /** Waiting viewers by square degree. */
  waitingAt(square: number): number;
  /** What the next answers bring beside the usual, in viewers: on average, and at most; 0 while nobody waits. */
  next(): Wave;
}

/** Viewers of a lost edge in one square degree. */
export interface Lost {
  readonly square: number;
  /** Who came by redirects, */
  readonly http: number;
  /** by answers, */
  readonly dns: number;
  /** and by how many different askers these may have come, at least one. */
  readonly askers: number;
}

/** By square degree. */
export type Returned = ReadonlyMap<number, Back>;

export interface Back {
  /** Share of the redirects whose viewers had been waiting, 0..1. */
  readonly httpShare: number;
  /** Viewers who had been waiting for each of the answers. */
  readonly perAnswer: number;
}

export interface Wave {
  readonly mean: number;
  readonly greatest: number;
}

/** Whoever has not come back after about this long does not, */
const REDIRECTS_SECONDS = 20;
/** or his resolver knew the lost edge for as long as it may. */
const ANSWERS_SECONDS = 60;
const NEGLIGIBLE_VIEWERS = 0.5;

export function createReturns(): Returns {
  const squares = new Map<number, Waiting>();

  const takeBack = (square: number, { http, dns }: Arrived): Back | undefined => {
    const waiting = squares.get(square);
    if (waiting === undefined) return undefined;
    const redirects = Math.min(http, waiting.http);
    waiting.http -= redirects;
    const back = waiting.dns * Math.min(1, dns / waiting.askers);
    waiting.dns -= back;
    waiting.askers = Math.max(1, waiting.askers - dns);
    return { httpShare: http > 0 ? redirects / http : 0, perAnswer: dns > 0 ? back / dns : 0 };
  };

  let wave: Wave | undefined;

  const forget = (seconds: number): void => {
    for (const [square, waiting] of squares) {
      waiting.http *= Math.exp(-seconds / REDIRECTS_SECONDS);
      waiting.dns *= Math.exp(-seconds / ANSWERS_SECONDS);
      if (waiting.http + waiting.dns < NEGLIGIBLE_VIEWERS) squares.delete(square);
    }
  };

  return {
    lose(lost) {
      wave = undefined;
      for (const { square, http, dns, askers } of lost) {
        const before = squares.get(square) ?? { http: 0, dns: 0, askers: 0 };
        const both = { http: before.http + http, dns: before.dns + dns, askers: before.askers + askers };
        squares.set(square, { ...both, askers: Math.max(1, both.askers) });
      }
    },
    take(arrivals, seconds) {
      const returned = new Map<number, Back>();
      if (squares.size === 0) return returned;
      wave = undefined;
      for (const [square, arrived] of bySquare(arrivals)) {
        const back = takeBack(square, arrived);
        if (back !== undefined) returned.set(square, back);
      }
      forget(seconds);
      return returned;
    },
    waitingAt(square) {
      const waiting = squares.get(square);
      return waiting === undefined ? 0 : waiting.http + waiting.dns;
    },
    next: () => (wave ??= waveOf(squares.values())),
  };
}

function waveOf(waiting: Iterable<Waiting>): Wave {
  let [viewers, allAskers, greatest] = [0, 0, 0];
  for (const { dns, askers } of waiting) {
    viewers += dns;
    allAskers += askers;
    greatest = Math.max(greatest, dns / askers);
  }
  return { mean: allAskers > 0 ? viewers / allAskers : 0, greatest };
}

/** As `Lost`, of one square degree. */
interface Waiting {
  http: number;
  dns: number;
  askers: number;
}

function bySquare(arrivals: Arrivals): Map<number, Arrived> {
  const sums = new Map<number, Arrived>();
  for (const [pool, byPlace] of arrivals.entries())
    for (const [{ latitude = 0, longitude = 0 }, byEdge] of byPlace) {
      const square = squareKey(pool, latitude, longitude);
      const sum = sums.get(square) ?? { http: 0, dns: 0 };
      sums.set(square, sum);
      for (const { http, dns } of byEdge.values()) {
        sum.http += http;
        sum.dns += dns;
      }
    }
  return sums;
}
