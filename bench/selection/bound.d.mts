import type { Demand } from "./judge.mjs";
import type { Scenario } from "./types.ts";

export function boundKm(scenario: Scenario, demand: Demand, foreseesLosses: boolean): number;
