// npm run bench -- decisions [--pairs=3] [--passes=5]
import { join } from "node:path";
import { startAsked } from "../lib/asked.mjs";
import { option } from "../lib/option.mjs";
import { LOAD_CORE, SERVER_CORE } from "../lib/process.mjs";
import { publish } from "../lib/publish.mjs";
import { median } from "../lib/statistics.mjs";

const EDGE_COUNTS = [50, 500];
const CLIENTS = 100_000;
/** So few decisions in a row that whatever else the machine does meets both engines. */
const SLICE = 5000;
/** What is compiled, and when, differs from one process to the next; */
const PAIRS = option("pairs", 3);
/** each starts so often with an engine that has seen nobody, not counting the first time. */
const PASSES = option("passes", 5);

/**
 * CPU seconds of both engines over all clients.
 * @typedef {{priced: number, plain: number}} Cost
 */

const rows = [];
for (const edgeCount of EDGE_COUNTS) rows.push(...(await figures(edgeCount)));
publish({
  bench: "decisions",
  question: "How many decisions does a CPU second make?",
  tables: [
    {
      title: `rank: nearest, half of the edges loaded, ${CLIENTS.toLocaleString("en-US")} random /24s, median of ${PAIRS} × ${PASSES} passes`,
      columns: [
        "edges",
        "clients",
        "per CPU second with prices",
        "without",
        "with / without",
        "lowest",
        "highest",
      ],
      rows,
    },
  ],
});

/** @param {number} edgeCount */
async function figures(edgeCount) {
  /** @type {Cost[]} */
  const first = [];
  /** @type {Cost[]} */
  const again = [];
  for (let pair = 0; pair < PAIRS; pair++) {
    const priced = await startEngine(edgeCount, "priced");
    const plain = await startEngine(edgeCount, "plain");
    for (let pass = 0; pass <= PASSES; pass++) {
      const atFirst = await costOf(priced, plain, true);
      const later = await costOf(priced, plain, false);
      if (pass === 0) continue;
      first.push(atFirst);
      again.push(later);
    }
    await Promise.all([priced.stop(), plain.stop()]);
  }
  return [rowOf(edgeCount, "at first sight", first), rowOf(edgeCount, "seen before", again)];
}

/** @param {number} edgeCount @param {string} when @param {readonly Cost[]} costs */
function rowOf(edgeCount, when, costs) {
  const ratios = costs.map(({ priced, plain }) => plain / priced);
  return [
    String(edgeCount),
    when,
    CLIENTS / median(costs.map(({ priced }) => priced)),
    CLIENTS / median(costs.map(({ plain }) => plain)),
    median(ratios),
    Math.min(...ratios),
    Math.max(...ratios),
  ];
}

/**
 * Both decide for all clients, in turns.
 * @param {Engine} priced
 * @param {Engine} plain
 * @param {boolean} isNew
 */
async function costOf(priced, plain, isNew) {
  const cost = { priced: 0, plain: 0 };
  for (let from = 0; from < CLIENTS; from += SLICE) {
    const order = { isNew: isNew && from === 0, from, to: from + SLICE };
    const plainGoesFirst = (from / SLICE) % 2 === 1;
    if (plainGoesFirst) cost.plain += await plain.ask(order);
    cost.priced += await priced.ask(order);
    if (!plainGoesFirst) cost.plain += await plain.ask(order);
  }
  return cost;
}

/**
 * @typedef {import("../lib/asked.mjs").Asked<import("./engine.mjs").Order, number>} Engine answers with seconds of
 * CPU time, all threads
 */

/**
 * @param {number} edgeCount
 * @param {"priced" | "plain"} kind
 * @returns {Promise<Engine>}
 */
function startEngine(edgeCount, kind) {
  const file = join(import.meta.dirname, "engine.mjs");
  return startAsked(`${SERVER_CORE},${LOAD_CORE}`, file, [String(edgeCount), String(CLIENTS), kind]);
}
