import type { Arrivals, Arrived } from "./ledger.ts";
import { squareKey } from "./squares.ts";

/**
 * Viewers who lost their edge and have not come back. They do within seconds, each by himself at the HTTP door; at the
 * DNS door whoever waits behind a resolver comes with its next answer.
 */
export interface Returns {
  lose(lost: Iterable<Lost>, nowMs: number): void;
  /** What came since the last call, and how many of them had been waiting. */
  take(arrivals: Arrivals, nowMs: number): Returned;
  /** Waiting viewers by square degree. */
  waitingAt(square: number): number;
  /** How many more than usual the next answer brings, by square degree: as `World.returning`. */
  next(nowMs: number): ReadonlyMap<number, number>;
}

/** Viewers of a lost edge in one square degree. */
export interface Lost {
  readonly square: number;
  /** Who came by redirects, */
  readonly http: number;
  /** by answers, */
  readonly dns: number;
  /** whose askers hold on to the lost edge until these moments: nobody of theirs comes before. Empty: unknown. */
  readonly heldUntilMs: readonly number[];
}

/** By square degree. */
export type Returned = ReadonlyMap<number, Back>;

export interface Back {
  /** Share of the redirects whose viewers had been waiting, 0..1. */
  readonly httpShare: number;
  /** Viewers who had been waiting for each of the answers. */
  readonly perAnswer: number;
}

/** Whoever has not come back after this long does not, */
const REDIRECTS_MS = 20_000;
/** or after this, where a resolver held on to the lost edge. */
const ANSWERS_MS = 60_000;
const NEGLIGIBLE_VIEWERS = 0.5;

export function createReturns(): Returns {
  const squares = new Map<number, Waiting>();

  const takeBack = (square: number, { http, dns }: Arrived, nowMs: number): Back | undefined => {
    const waiting = squares.get(square);
    if (waiting === undefined) return undefined;
    const redirects = Math.min(http, waiting.http);
    waiting.http -= redirects;
    const askers = Math.min(dns, freeAskers(waiting, nowMs));
    const back = askers * perAsker(waiting);
    waiting.dns -= back;
    waiting.heldUntilMs.splice(0, askers);
    return { httpShare: http > 0 ? redirects / http : 0, perAnswer: dns > 0 ? back / dns : 0 };
  };

  const forget = (nowMs: number): void => {
    for (const [square, waiting] of squares) {
      if (nowMs - waiting.lostAtMs > REDIRECTS_MS) waiting.http = 0;
      const isOver = nowMs - waiting.lostAtMs > ANSWERS_MS;
      if (isOver || waiting.http + waiting.dns < NEGLIGIBLE_VIEWERS) squares.delete(square);
    }
  };

  return {
    lose(lost, nowMs) {
      for (const { square, http, dns, heldUntilMs } of lost) {
        const before = squares.get(square) ?? NOBODY;
        squares.set(square, {
          http: before.http + http,
          dns: before.dns + dns,
          lostAtMs: nowMs,
          heldUntilMs: [...before.heldUntilMs, ...heldUntilMs].sort((a, b) => a - b),
        });
      }
    },
    take(arrivals, nowMs) {
      const returned = new Map<number, Back>();
      if (squares.size === 0) return returned;
      for (const [square, arrived] of bySquare(arrivals)) {
        const back = takeBack(square, arrived, nowMs);
        if (back !== undefined) returned.set(square, back);
      }
      forget(nowMs);
      return returned;
    },
    waitingAt(square) {
      const waiting = squares.get(square);
      return waiting === undefined ? 0 : waiting.http + waiting.dns;
    },
    next(nowMs) {
      const next = new Map<number, number>();
      for (const [square, waiting] of squares) {
        const each = perAsker(waiting);
        if (each >= NEGLIGIBLE_VIEWERS && freeAskers(waiting, nowMs) > 0) next.set(square, each);
      }
      return next;
    },
  };
}

/** As `Lost`, of one square degree. */
interface Waiting {
  http: number;
  dns: number;
  readonly lostAtMs: number;
  /** Ascending. */
  readonly heldUntilMs: number[];
}

const NOBODY = { http: 0, dns: 0, heldUntilMs: [] };

/** How many may ask now; one, where nobody is known. */
function freeAskers({ heldUntilMs }: Waiting, nowMs: number): number {
  if (heldUntilMs.length === 0) return 1;
  const held = heldUntilMs.findIndex((untilMs) => untilMs > nowMs);
  return held < 0 ? heldUntilMs.length : held;
}

function perAsker({ dns, heldUntilMs }: Waiting): number {
  return dns / Math.max(1, heldUntilMs.length);
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
