// node bench/selection/losses.mjs [NAME-OR-FILE]
import { judge, readScenario } from "./judge.mjs";

/** @typedef {import("./types.ts").Scenario} Scenario */

/** From the end of the warm-up on. */
const LOST_AT_MS = 60_000;
const DURATION_MS = 300_000;

process.exitCode = await main(process.argv[2] ?? "site-loss");

/**
 * What the loss of each site does to the others, by the engine and with the scenario's viewers.
 * @param {string} name
 */
async function main(name) {
  const scenario = readScenario(name);
  if ("problems" in scenario) {
    process.stderr.write(`${scenario.problems.join("\n")}\n`);
    return 2;
  }
  process.stdout.write("| lost | peak of any other | beyond capacity | unserved |\n|---|---:|---:|---:|\n");
  for (const [edge, { id }] of scenario.edges.entries()) {
    const { judgement } = await judge(withLossOf(scenario, edge), { rules: ["edgeward"] });
    const { peakUtilisation, beyondCapacity, unserved } = judgement.results["edgeward"];
    const shares = [peakUtilisation, beyondCapacity, unserved].map(
      (share) => `${(share * 100).toFixed(3)} %`,
    );
    process.stdout.write(`| ${id} | ${shares.join(" | ")} |\n`);
  }
  return 0;
}

/** @param {Scenario} scenario @param {number} edge @returns {Scenario} */
function withLossOf(scenario, edge) {
  /** @type {import("./types.ts").Fault} */
  const loss = { edge, kind: "down", fromMs: LOST_AT_MS, untilMs: DURATION_MS, factor: 1 };
  return { ...scenario, durationMs: DURATION_MS, faults: [loss] };
}
