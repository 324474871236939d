/**
 * @typedef {import("./types.ts").Judgement} Judgement
 * @typedef {import("./types.ts").Result} Result
 */

/** @type {readonly [string, (result: Result, optimum: Result | undefined) => string][]} */
const COLUMNS = [
  ["mean km", ({ meanKm }) => meanKm.toFixed(0)],
  ["× optimum", ({ meanKm }, optimum) => (optimum ? (meanKm / optimum.meanKm).toFixed(3) : "")],
  ["p95 km", ({ p95Km }) => p95Km.toFixed(0)],
  ["beyond capacity", ({ beyondCapacity }) => percent(beyondCapacity)],
  ["unserved", ({ unserved }) => percent(unserved)],
  ["peak utilisation", ({ peakUtilisation }) => `${(100 * peakUtilisation).toFixed(1)} %`],
  ["edges per stream", ({ edgesPerStream }) => edgesPerStream?.toFixed(1) ?? ""],
  ["moves per viewer", ({ movesPerViewer }) => movesPerViewer?.toFixed(3) ?? ""],
];
/** Where anybody is steered. @type {typeof COLUMNS} */
const STEERED_COLUMNS = [
  ["moves by steering", ({ steeringMovesPerViewer }) => steeringMovesPerViewer?.toFixed(3) ?? ""],
];

/** For a terminal. @param {Judgement} judgement @param {import("./types.ts").Scenario} scenario */
export function table(judgement, scenario) {
  const rows = rowsOf(judgement);
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  const lines = rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  "),
  );
  return `${headline(judgement, scenario)}\n${lines.join("\n")}\n\n`;
}

/** @param {Judgement} judgement @param {import("./types.ts").Scenario} scenario */
export function markdown(judgement, scenario) {
  const [head, ...rows] = rowsOf(judgement).map((row) => `| ${row.join(" | ")} |`);
  const rule = `|---|${columnsFor(judgement)
    .map(() => "---:|")
    .join("")}`;
  return `### ${judgement.scenario}\n${headline(judgement, scenario)}\n\n${[head, rule, ...rows].join("\n")}\n\n`;
}

/** @param {Judgement} judgement @param {import("./types.ts").Scenario} scenario */
function headline({ scenario, viewers, capacity, seed }, { about, edges }) {
  const [mean, peak, room] = [viewers.mean, viewers.peak, capacity].map((n) =>
    Math.round(n).toLocaleString("en"),
  );
  return `${about} (${scenario}): ${mean} viewers on average, ${peak} at the peak, room for ${room} on ${edges.length} edges; seed ${seed}.`;
}

/** @param {Judgement} judgement */
function columnsFor({ results }) {
  const isSteered = Object.values(results).some((result) => result.steeringMovesPerViewer !== null);
  return isSteered ? [...COLUMNS, ...STEERED_COLUMNS] : COLUMNS;
}

/** @param {Judgement} judgement */
function rowsOf(judgement) {
  const { results } = judgement;
  const columns = columnsFor(judgement);
  /** @param {string} rule @param {Result} result */
  const row = (rule, result) => [rule, ...columns.map(([, cell]) => cell(result, results.optimum))];
  const head = ["rule", ...columns.map(([title]) => title)];
  return [head, ...Object.entries(results).map(([rule, result]) => row(rule, result))];
}

/** Never shows nothing for something. @param {number} share */
function percent(share) {
  if (share === 0) return "0 %";
  return share < 0.0001 ? "< 0.01 %" : `${(100 * share).toFixed(2)} %`;
}
