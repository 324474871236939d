import type { Judgement, Result, Rule, Scenario, Series } from "./types.ts";

/** Everyone who comes, in order of arrival; see demand.mjs. */
export interface Demand {
  readonly warmUpMs: number;
  readonly endMs: number;
  readonly count: number;
  readonly arrivesMs: Float64Array;
  readonly leavesMs: Float64Array;
  /** Index into the world's cities, largest first. */
  readonly city: Uint16Array;
  readonly network: Uint32Array;
  readonly stream: Uint16Array;
  readonly byDns: Uint8Array;
}

export interface Outcome {
  readonly result: Result;
  readonly series: Series;
}

export const SCENARIO_NAMES: readonly string[];
/** Those of the tables. */
export const USUAL_RULE_NAMES: readonly string[];
export const RULE_NAMES: readonly string[];
export function readScenario(nameOrFile: string, changes?: string): Scenario | { problems: string[] };
export function parseScenario(
  text: string,
  file: string,
  changes?: string,
): Scenario | { problems: string[] };
export function demandOf(scenario: Scenario, seed: number): Demand;
export function ruleNamed(name: string): Promise<Rule>;
export function simulate(scenario: Scenario, demand: Demand, rule: Rule, seed: number): Outcome;
export function optimum(scenario: Scenario, demand: Demand, sliceMs?: number): Promise<Outcome>;
export function judge(
  scenario: Scenario,
  options?: {
    rules?: readonly string[];
    seed?: number;
    onRule?: (name: string, seconds: number) => void;
  },
): Promise<{ judgement: Judgement; series: Record<string, Series> }>;
