import type { Demand } from "./judge.mjs";
import type { Scenario } from "./types.ts";

/** What is taken to come until so long after the warm-up: whoever comes by then is placed as if it did. */
export interface Expected {
  readonly scenario: Scenario;
  readonly demand: Demand;
  readonly untilMs: number;
}

export function boundKm(scenario: Scenario, demand: Demand, expected?: Expected): number;
