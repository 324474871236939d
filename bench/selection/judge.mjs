import { demandOf } from "./demand.mjs";
import { optimum } from "./optimum.mjs";
import { ruleNamed, USUAL_RULE_NAMES } from "./rules.mjs";
import { simulate } from "./simulate.mjs";

export { demandOf } from "./demand.mjs";
export { optimum } from "./optimum.mjs";
export { RULE_NAMES, ruleNamed, USUAL_RULE_NAMES } from "./rules.mjs";
export { parseScenario, readScenario, SCENARIO_NAMES } from "./scenario.mjs";
export { simulate } from "./simulate.mjs";

/**
 * One scenario under several rules: the same viewers, faults and reports' jitter for each.
 * @param {import("./types.ts").Scenario} scenario
 * @param {{rules?: readonly string[], seed?: number, onRule?: (name: string, seconds: number) => void}} [options]
 * @returns {Promise<{judgement: import("./types.ts").Judgement, series: Record<string, import("./types.ts").Series>}>}
 */
export async function judge(
  scenario,
  { rules = USUAL_RULE_NAMES, seed = scenario.seed, onRule = () => {} } = {},
) {
  const demand = demandOf(scenario, seed);
  /** @type {Record<string, import("./types.ts").Result>} */
  const results = {};
  /** @type {Record<string, import("./types.ts").Series>} */
  const series = {};
  for (const name of rules) {
    const began = performance.now();
    const outcome =
      name === "optimum"
        ? await optimum(scenario, demand)
        : simulate(scenario, demand, await ruleNamed(name), seed);
    results[name] = outcome.result;
    series[name] = outcome.series;
    onRule(name, (performance.now() - began) / 1000);
  }
  return {
    judgement: {
      scenario: scenario.name,
      seed,
      capacity: scenario.edges.reduce((sum, edge) => sum + edge.capacity, 0),
      viewers: presence(demand),
      results,
    },
    series,
  };
}

/** Viewers present, each second of the measured interval. @param {import("./demand.mjs").Demand} demand */
function presence({ warmUpMs, endMs, count, arrivesMs, leavesMs, byLeaving }) {
  let [arrived, left, sum, peak] = [0, 0, 0, 0];
  for (let atMs = warmUpMs; atMs < endMs; atMs += 1000) {
    while (arrived < count && arrivesMs[arrived] <= atMs) arrived++;
    while (left < count && leavesMs[byLeaving[left]] <= atMs) left++;
    sum += arrived - left;
    peak = Math.max(peak, arrived - left);
  }
  return { mean: sum / Math.max(1, (endMs - warmUpMs) / 1000), peak };
}
