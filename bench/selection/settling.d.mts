import type { Scenario } from "./types.ts";

/** How the price of one edge fares after a step. */
export interface Settled {
  /** How long after the step the price was outside the band for the last time; 0: it never was. */
  readonly settlesSeconds: number;
  /** Furthest from its median before the step. */
  readonly beforeKm: number;
  /** The same from half a minute after it on. */
  readonly afterKm: number;
}

export interface Settling extends Settled {
  readonly id: string;
  /** At the end. */
  readonly priceKm: number;
}

export function settlingOf(scenario: Scenario, stepAtMs: number): Promise<Settling[]>;
export function settling(priceKm: readonly number[], stepSecond: number): Settled;
