// node bench/selection/bounds.mjs [NAME-OR-FILE] [--with YAML] [--seed N]
import { parseArgs } from "node:util";
import { boundKm } from "./bound.mjs";
import { demandOf, optimum, readScenario } from "./judge.mjs";

/** @typedef {import("./types.ts").Scenario} Scenario */

process.exitCode = await main();

/** How near whoever moves nobody can come to the optimum, which moves everybody. */
async function main() {
  const { values, positionals } = parseArgs({
    options: { with: { type: "string" }, seed: { type: "string" } },
    allowPositionals: true,
  });
  const scenario = readScenario(positionals[0] ?? "flash-crowd", values.with);
  if ("problems" in scenario) {
    process.stderr.write(`${scenario.problems.join("\n")}\n`);
    return 2;
  }
  const seed = Number(values.seed ?? scenario.seed);
  const demand = demandOf(scenario, seed);
  const { result } = await optimum(scenario, demand);
  /** @param {string} whoever @param {number} km */
  const show = (whoever, km) =>
    process.stdout.write(`| ${whoever} | ${km.toFixed(0)} | ${(km / result.meanKm).toFixed(3)} |\n`);
  process.stdout.write(`| ${scenario.name} | mean km | × optimum |\n|---|---:|---:|\n`);
  show("moves nobody, and knows how many come when", boundKm(scenario, demand));
  const losses = scenario.faults.filter(({ kind }) => kind === "down");
  if (losses.length > 0) {
    const untilMs = Math.min(...losses.map(({ fromMs }) => fromMs));
    show(
      "and of no loss before it",
      boundKm(scenario, demand, { scenario: lossless(scenario), demand, untilMs }),
    );
  }
  const changes = scenario.demand.regions.flatMap(({ timeline }) =>
    timeline.length > 1 ? [timeline[0][0]] : [],
  );
  if (changes.length > 0) {
    const calm = steady(scenario);
    const expected = { scenario: calm, demand: demandOf(calm, seed), untilMs: Math.min(...changes) };
    show("and of no crowd before it", boundKm(scenario, demand, expected));
  }
  return 0;
}

/** @param {Scenario} scenario @returns {Scenario} */
function lossless(scenario) {
  return { ...scenario, faults: scenario.faults.filter(({ kind }) => kind !== "down") };
}

/** As many come all the time as at first. @param {Scenario} scenario @returns {Scenario} */
function steady(scenario) {
  const regions = scenario.demand.regions.map((region) => ({
    ...region,
    timeline: region.timeline.slice(0, 1),
  }));
  return { ...scenario, demand: { ...scenario.demand, regions } };
}
