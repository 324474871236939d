import type { Arrivals, Arrived } from "./ledger.ts";
import { askersKey, movedAskers, type PoolOf, squareKey } from "./squares.ts";

/**
 * Viewers who lost their edge and have not come back. They do within seconds, each by himself at the HTTP door; at the
 * DNS door whoever waits behind a resolver comes with its next answer.
 */
export interface Returns {
  lose(lost: Iterable<Lost>, nowMs: number): void;
  /**
   * Whoever asked for them holds answers for other edges: they are bound for these, and wait no more. Before a loss
   * is noticed, an answer for the lost edge that runs out is followed by one for another, whose viewers nobody can
   * send elsewhere.
   * @param held by edge, answers by askers
   */
  bind(held: ReadonlyMap<number, ReadonlyMap<number, number>>): Bound[];
  /** Other pools. */
  renumber(poolOf: PoolOf): void;
  /** Whether anybody waits. */
  areAwaited(): boolean;
  /** What came since the last call, and how many of them had been waiting. */
  take(arrivals: Arrivals, nowMs: number): Returned;
  /** Waiting viewers of a square degree. */
  waitingAt(square: number): number;
  /** How many more than usual the next answer brings, by askers: as `World.returning`. */
  next(nowMs: number): ReadonlyMap<number, number>;
}

/** Viewers of a lost edge in one square degree. */
export interface Lost {
  /** As from `askersKey`. */
  readonly askers: number;
  /** Who came by redirects: they wait with the resolvers, */
  readonly http: number;
  /** by answers, */
  readonly dns: number;
  /** whose askers hold on to the lost edge until these moments: nobody of theirs comes before. Empty: unknown. */
  readonly heldUntilMs: readonly number[];
}

/** Viewers from a square degree who come to an edge without another decision. */
export interface Bound {
  readonly askers: number;
  readonly edge: number;
  readonly viewers: number;
}

/** By askers; who comes by redirects is with the resolvers. */
export type Returned = ReadonlyMap<number, Back>;

export interface Back {
  /** Share of the redirects whose viewers had been waiting, 0..1. */
  readonly httpShare: number;
  /** Viewers who had been waiting for each of the answers. */
  readonly perAnswer: number;
}

/** Whoever has not come back after this long does not, */
export const REDIRECTS_MS = 20_000;
/** or after this, where a resolver held on to the lost edge. */
const ANSWERS_MS = 60_000;
const NEGLIGIBLE_VIEWERS = 0.5;

export function createReturns(): Returns {
  let byAskers = new Map<number, Waiting>();

  const takeBack = (key: number, { http, dns }: Arrived, nowMs: number): Back | undefined => {
    const waiting = byAskers.get(key);
    if (waiting === undefined) return undefined;
    const redirects = Math.min(http, waiting.http);
    waiting.http -= redirects;
    const free = Math.min(dns, freeAskers(waiting, nowMs));
    const back = free * perAsker(waiting);
    waiting.dns -= back;
    waiting.heldUntilMs.splice(0, free);
    return { httpShare: http > 0 ? redirects / http : 0, perAnswer: dns > 0 ? back / dns : 0 };
  };

  const forget = (nowMs: number): void => {
    for (const [key, waiting] of byAskers) {
      if (nowMs - waiting.lostAtMs > REDIRECTS_MS) waiting.http = 0;
      const isOver = nowMs - waiting.lostAtMs > ANSWERS_MS;
      if (isOver || waiting.http + waiting.dns < NEGLIGIBLE_VIEWERS) byAskers.delete(key);
    }
  };

  return {
    lose(lost, nowMs) {
      for (const { askers, http, dns, heldUntilMs } of lost) {
        const now = { http, dns, lostAtMs: nowMs, heldUntilMs: heldUntilMs.toSorted((a, b) => a - b) };
        byAskers.set(askers, joinWaiting(byAskers.get(askers), now));
      }
    },
    bind(held) {
      const bound: Bound[] = [];
      for (const [askers, waiting] of byAskers) {
        const elsewhere = [...held].flatMap(([edge, ofEdge]) => {
          const answers = ofEdge.get(askers) ?? 0;
          return answers > 0 ? [{ edge, answers }] : [];
        });
        const count = elsewhere.reduce((sum, { answers }) => sum + answers, waiting.heldUntilMs.length);
        const each = waiting.dns / Math.max(1, count);
        for (const { edge, answers } of elsewhere) bound.push({ askers, edge, viewers: each * answers });
        if (elsewhere.length > 0) waiting.dns = each * waiting.heldUntilMs.length;
      }
      return bound;
    },
    renumber(poolOf) {
      const before = byAskers;
      byAskers = new Map();
      for (const [askers, waiting] of before) {
        const moved = movedAskers(askers, poolOf);
        if (moved !== undefined) byAskers.set(moved, joinWaiting(byAskers.get(moved), waiting));
      }
    },
    areAwaited: () => byAskers.size > 0,
    take(arrivals, nowMs) {
      const returned = new Map<number, Back>();
      for (const [key, arrived] of arrivedByAskers(arrivals)) {
        const back = takeBack(key, arrived, nowMs);
        if (back !== undefined) returned.set(key, back);
      }
      forget(nowMs);
      return returned;
    },
    waitingAt(square) {
      let viewers = 0;
      for (const nameSubnets of [false, true]) {
        const { http, dns } = byAskers.get(askersKey(square, nameSubnets)) ?? NOBODY;
        viewers += http + dns;
      }
      return viewers;
    },
    next(nowMs) {
      const next = new Map<number, number>();
      for (const [key, waiting] of byAskers) {
        const each = perAsker(waiting);
        if (each >= NEGLIGIBLE_VIEWERS && freeAskers(waiting, nowMs) > 0) next.set(key, each);
      }
      return next;
    },
  };
}

/** As `Lost`. */
interface Waiting {
  http: number;
  dns: number;
  readonly lostAtMs: number;
  /** Ascending. */
  readonly heldUntilMs: number[];
}

const NOBODY = { http: 0, dns: 0, heldUntilMs: [] };

function joinWaiting(before: Waiting | undefined, now: Waiting): Waiting {
  if (before === undefined) return now;
  return {
    http: before.http + now.http,
    dns: before.dns + now.dns,
    lostAtMs: Math.max(before.lostAtMs, now.lostAtMs),
    heldUntilMs: [...before.heldUntilMs, ...now.heldUntilMs].sort((a, b) => a - b),
  };
}

/** How many may ask now; one, where nobody is known. */
function freeAskers({ heldUntilMs }: Waiting, nowMs: number): number {
  if (heldUntilMs.length === 0) return 1;
  const held = heldUntilMs.findIndex((untilMs) => untilMs > nowMs);
  return held < 0 ? heldUntilMs.length : held;
}

function perAsker({ dns, heldUntilMs }: Waiting): number {
  return dns / Math.max(1, heldUntilMs.length);
}

function arrivedByAskers(arrivals: Arrivals): Map<number, Arrived> {
  const sums = new Map<number, Arrived>();
  for (const [pool, byPlace] of arrivals.entries())
    for (const [{ latitude = Number.NaN, longitude = Number.NaN }, byEdge] of byPlace) {
      const square = squareKey(pool, latitude, longitude);
      const add = (nameSubnets: boolean, http: number, dns: number): void => {
        const key = askersKey(square, nameSubnets);
        const sum = sums.get(key) ?? { http: 0, dns: 0 };
        sums.set(key, { http: sum.http + http, dns: sum.dns + dns });
      };
      for (const { http, dns, subnets = 0 } of byEdge.values()) {
        add(false, http, dns - subnets);
        if (subnets > 0) add(true, 0, subnets);
      }
    }
  return sums;
}
