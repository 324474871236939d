import { areaOf, askersKey, movedAskers, placeOf, type PoolOf, squareKey, squareOf } from "./squares.ts";

/** How sure the first guess of a factor is, as a variance. */
export const FIRST_VARIANCE = 2;

/**
 * What is known of askers by square degree, each by its position: they are looked through by the hundred thousand
 * every second.
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
