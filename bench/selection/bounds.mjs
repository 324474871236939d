// node bench/selection/bounds.mjs [NAME-OR-FILE] [--with YAML] [--seed N]
import { parseArgs } from "node:util";
import { boundKm } from "./bound.mjs";
import { demandOf, optimum, readScenario } from "./judge.mjs";

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
  const demand = demandOf(scenario, Number(values.seed ?? scenario.seed));
  const { result } = await optimum(scenario, demand);
  /** @param {string} whoever @param {number} km */
  const show = (whoever, km) =>
    process.stdout.write(`| ${whoever} | ${km.toFixed(0)} | ${(km / result.meanKm).toFixed(3)} |\n`);
  process.stdout.write(`| ${scenario.name} | mean km | × optimum |\n|---|---:|---:|\n`);
  show("moves nobody, and knows how many come when", boundKm(scenario, demand, true));
  if (scenario.faults.some(({ kind }) => kind === "down"))
    show("and of no loss before it", boundKm(scenario, demand, false));
  return 0;
}
