// node bench/selection/steps.mjs [NAME-OR-FILE] [CONTINENT] [EDGE]
import { readScenario } from "./judge.mjs";
import { settlingOf } from "./settling.mjs";

/** @typedef {import("./types.ts").Scenario} Scenario */

/** From the end of the warm-up on. */
const STEP_AT_MS = 300_000;
const DURATION_MS = 900_000;

const [name = "site-loss", continent = "EU", edge = "sha1"] = process.argv.slice(2);
process.exitCode = await main();

/** How prices settle where twice as many come from one second to the next, and where an edge is lost. */
async function main() {
  const scenario = readScenario(name);
  const problems =
    "problems" in scenario ? scenario.problems : hasEdge(scenario) ? [] : [`no edge is called ${edge}`];
  if ("problems" in scenario || problems.length > 0) {
    process.stderr.write(`${problems.join("\n")}\n`);
    return 2;
  }
  await show(`twice as many from ${continent}`, twice(scenario));
  await show(`${edge} lost`, without(scenario));
  return 0;
}

/** @param {Scenario} scenario */
function hasEdge({ edges }) {
  return edges.some(({ id }) => id === edge);
}

/** @param {string} what @param {Scenario} scenario */
async function show(what, scenario) {
  const settlings = await settlingOf({ ...scenario, durationMs: DURATION_MS }, STEP_AT_MS);
  process.stdout.write(
    `### ${what}\n\n| edge | settles after s | off by km before | off by km after | price km at the end |\n|---|---:|---:|---:|---:|\n`,
  );
  for (const { id, settlesSeconds, beforeKm, afterKm, priceKm } of settlings)
    if (beforeKm > 0 || afterKm > 0 || priceKm > 0)
      process.stdout.write(
        `| ${id} | ${settlesSeconds} | ${beforeKm.toFixed(0)} | ${afterKm.toFixed(0)} | ${priceKm.toFixed(0)} |\n`,
      );
  process.stdout.write("\n");
}

/** @param {Scenario} scenario @returns {Scenario} */
function twice(scenario) {
  /** @type {import("./types.ts").Region} */
  const step = {
    continents: [continent],
    countries: [],
    timeline: [
      [STEP_AT_MS, 1],
      [STEP_AT_MS + 1000, 2],
    ],
  };
  const { demand } = scenario;
  return { ...scenario, faults: [], demand: { ...demand, regions: [...demand.regions, step] } };
}

/** @param {Scenario} scenario @returns {Scenario} */
function without(scenario) {
  const lost = scenario.edges.findIndex(({ id }) => id === edge);
  /** @type {import("./types.ts").Fault} */
  const fault = { edge: lost, kind: "down", fromMs: STEP_AT_MS, untilMs: DURATION_MS, factor: 1 };
  return { ...scenario, faults: [fault] };
}
