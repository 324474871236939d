// npm run bench:selection -- [--scenario NAME-OR-FILE[,…]] [--with YAML] [--rules a,b] [--seed N]
//   [--json | --markdown] [--svg FILE]
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { judge, RULE_NAMES, readScenario, SCENARIO_NAMES, USUAL_RULE_NAMES } from "./judge.mjs";
import { plot } from "./plot.mjs";
import { markdown, table } from "./table.mjs";

const USAGE = `npm run bench:selection -- [options]
  --scenario NAME-OR-FILE[,…]  ${SCENARIO_NAMES.join(", ")}, or a file; default: all of these
  --with YAML                  in place of what the scenario says: --with 'dns: { share: 0 }'
  --rules NAME[,…]             ${RULE_NAMES.join(", ")};
                               default: ${USUAL_RULE_NAMES.join(", ")}
  --seed N                     instead of the scenario's own
  --json                       a line of JSON per scenario
  --markdown                   the tables as Markdown
  --svg FILE                   plot utilisation over time, edgeward beside nearest; of several scenarios
                               each into FILE with its name before the ending
`;

/** What a line of JSON has of every rule. */
const JSON_FIELDS = [
  "meanKm",
  "p95Km",
  "beyondCapacity",
  "peakUtilisation",
  "edgesPerStream",
  "movesPerViewer",
];

process.exitCode = await main();

async function main() {
  const options = optionsOf(process.argv.slice(2));
  if (options.wrong !== undefined) {
    process.stderr.write(`${options.wrong.join("\n")}\n\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  for (const scenario of options.scenarios) {
    const { judgement, series } = await judge(scenario, {
      rules: options.rules,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      onRule: (rule, seconds) => process.stderr.write(`${scenario.name} ${rule}: ${seconds.toFixed(1)} s\n`),
    });
    process.stdout.write(options.format(judgement, scenario));
    if (options.svg !== undefined)
      writeFileSync(svgFile(options.svg, scenario.name, options.scenarios.length), plot(scenario, series));
  }
  return 0;
}

/** @param {string[]} args */
function optionsOf(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        scenario: { type: "string" },
        with: { type: "string" },
        rules: { type: "string" },
        seed: { type: "string" },
        svg: { type: "string" },
        json: { type: "boolean" },
        markdown: { type: "boolean" },
        help: { type: "boolean", short: "h" },
      },
    }));
  } catch (error) {
    return { wrong: [error instanceof Error ? error.message : String(error)] };
  }
  const read = (values.scenario?.split(",") ?? SCENARIO_NAMES).map((scenario) =>
    readScenario(scenario, values.with),
  );
  const rules = values.rules?.split(",") ?? USUAL_RULE_NAMES;
  const wrong = [
    ...read.flatMap((scenario) => ("problems" in scenario ? scenario.problems : [])),
    ...rules
      .filter((rule) => !RULE_NAMES.includes(rule))
      .map((rule) => `--rules: ${rule} is not one of ${RULE_NAMES.join(", ")}`),
    ...(values.seed !== undefined && !/^\d{1,9}$/.test(values.seed)
      ? [`--seed: ${values.seed} is not a whole number`]
      : []),
    ...(values.svg !== undefined && !(rules.includes("edgeward") && rules.includes("nearest"))
      ? ["--svg: plots edgeward beside nearest, so both must be among --rules"]
      : []),
  ];
  if (wrong.length > 0) return { wrong };
  return {
    scenarios: /** @type {import("./types.ts").Scenario[]} */ (read),
    rules,
    seed: values.seed === undefined ? undefined : Number(values.seed),
    svg: values.svg,
    help: values.help ?? false,
    format: values.json ? json : values.markdown ? markdown : table,
  };
}

/** @param {import("./types.ts").Judgement} judgement */
function json({ scenario, results }) {
  const shown = Object.fromEntries(
    Object.entries(results).map(([rule, result]) => [
      rule,
      Object.fromEntries(JSON_FIELDS.map((field) => [field, result[field]])),
    ]),
  );
  return `${JSON.stringify({ scenario, results: shown }, (_key, value) => (typeof value === "number" ? Number(value.toPrecision(7)) : value))}\n`;
}

/** @param {string} file @param {string} scenario @param {number} count */
function svgFile(file, scenario, count) {
  return count === 1 ? file : file.replace(/(\.[^./]*)?$/, `-${scenario}$1`);
}
