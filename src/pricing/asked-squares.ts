import type { LearnedAskers } from "./learned.ts";
import { areaOf, askersKey, movedAskers, placeOf, type PoolOf, squareKey, squareOf } from "./squares.ts";

/** How sure the first guess of a factor is, as a variance. */
const FIRST_VARIANCE = 2;
/** How much less sure a factor becomes per second: it may be another one in an hour. */
const VARIANCE_PER_SECOND = 1 / 3600;
const FACTOR_MIN = 0.05;
const FACTOR_MAX = 100;
/** In standard deviations: what is further off has another cause. */
const SURPRISE_MAX = 6;

/**
 * What is known of askers by square degree, each by its position: they are looked through by the hundred thousand
 * every second. Each has a factor to what an answer brings on average; what a report shows too much or too little is
 * shared out among those who could have caused it, as much as each is uncertain (a Kalman filter whose covariance is
 * taken to be diagonal).
 */
export class AskedSquares {
  /** As from `askersKey`. */
  readonly keys: number[] = [];
  readonly factors: number[] = [];
  readonly variances: number[] = [];
  /** When it was last learned from; NaN never. */
  readonly learnedAtMs: number[] = [];
  /** The position of its area in `areas`. */
  readonly areaOf: number[] = [];
  readonly areas: number[] = [];
  readonly #byKey = new Map<number, number>();
  readonly #byArea = new Map<number, number>();

  at(pool: number, latitude: number, longitude: number, nameSubnets: boolean): number {
    const key = askersKey(squareKey(pool, latitude, longitude), nameSubnets);
    return this.#byKey.get(key) ?? this.#add(key);
  }

  /**
   * A report shows `missing` more viewers than expected.
   * @param weights by square: how many viewers more there would be if its factor were 1 higher
   * @param variance of what the report shows by chance
   */
  learn(weights: ReadonlyMap<number, number>, missing: number, variance: number, atMs: number): void {
    let total = variance;
    for (const [square, weight] of weights) total += this.#agedVariance(square, atMs) * weight * weight;
    if (!(missing * missing < SURPRISE_MAX * SURPRISE_MAX * total)) return;
    for (const [square, weight] of weights) {
      const gain = ((this.variances[square] as number) * weight) / total;
      const factor = (this.factors[square] as number) + gain * missing;
      this.factors[square] = Math.min(FACTOR_MAX, Math.max(FACTOR_MIN, factor));
      this.variances[square] = (this.variances[square] as number) * (1 - gain * weight);
    }
  }

  /** What was learned of a pool, of those who can be located. */
  memory(pool: number): LearnedAskers[] {
    const learned: LearnedAskers[] = [];
    for (const [square, key] of this.keys.entries()) {
      const { pool: its, latitude, longitude } = placeOf(squareOf(key));
      const [factor, variance] = [this.factors[square] as number, this.variances[square] as number];
      if (its !== pool || Number.isNaN(latitude) || variance >= FIRST_VARIANCE) continue;
      learned.push({ latitude, longitude, nameSubnets: key % 2 === 1, factor, variance });
    }
    return learned;
  }

  remember(pool: number, askers: readonly LearnedAskers[]): void {
    for (const { latitude, longitude, nameSubnets, factor, variance } of askers) {
      const square = this.at(pool, latitude, longitude, nameSubnets);
      this.factors[square] = factor;
      this.variances[square] = variance;
    }
  }

  /**
   * What others know of a square, unless more is known here.
   * @returns its position in the pool that has taken its own one's place
   */
  takeFrom(others: AskedSquares, position: number, poolOf: PoolOf): number | undefined {
    const key = movedAskers(others.keys[position] as number, poolOf);
    if (key === undefined) return undefined;
    const square = this.#byKey.get(key) ?? this.#add(key);
    const variance = others.variances[position] as number;
    if (variance < (this.variances[square] as number)) {
      this.factors[square] = others.factors[position] as number;
      this.variances[square] = variance;
      this.learnedAtMs[square] = others.learnedAtMs[position] as number;
    }
    return square;
  }

  /** As it has grown since it was last learned from. */
  #agedVariance(square: number, nowMs: number): number {
    const atMs = this.learnedAtMs[square] as number;
    const seconds = Number.isNaN(atMs) ? 0 : Math.max(0, nowMs - atMs) / 1000;
    const grown = (this.variances[square] as number) + seconds * VARIANCE_PER_SECOND;
    this.learnedAtMs[square] = nowMs;
    return (this.variances[square] = Math.min(FIRST_VARIANCE, grown));
  }

  #add(key: number): number {
    const square = this.keys.push(key) - 1;
    this.#byKey.set(key, square);
    this.factors.push(1);
    this.variances.push(FIRST_VARIANCE);
    this.learnedAtMs.push(Number.NaN);
    const { pool, latitude, longitude } = placeOf(squareOf(key));
    this.areaOf.push(this.#areaAt(areaOf(pool, latitude, longitude)));
    return square;
  }

  #areaAt(area: number): number {
    const known = this.#byArea.get(area) ?? this.areas.push(area) - 1;
    this.#byArea.set(area, known);
    return known;
  }
}
