// npm run bench -- take [--rounds=5]
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { loadConfig } from "../dist/config/load.js";
import { compileInSteps } from "../dist/dns/namespace.js";
import { packInventory, unpackInSteps } from "../dist/threads/packed-inventory.js";
import { createRedirector } from "../dist/engine/redirector.js";
import { startEdgeward } from "./lib/edgeward.mjs";
import { option } from "./lib/option.mjs";
import { inScratch } from "./lib/process.mjs";
import { progress, publish } from "./lib/publish.mjs";
import { largeConfiguration } from "./lib/large.mjs";
import { median } from "./lib/statistics.mjs";

const ROUNDS = option("rounds", 5);
/** Services and edges. */
const SIZES = /** @type {const} */ ([
  [1, 2000],
  [5000, 500],
]);
const PATIENCE_MS = 60_000;

const rows = [];
for (const [services, edges] of SIZES) rows.push(await inScratch((folder) => rowOf(folder, services, edges)));
publish({
  bench: "take",
  question: "How long are the steps in which a new configuration is taken?",
  tables: [
    {
      title: `Median of ${ROUNDS} reloads; of a thread that answers, without its sockets: the longest step and all of them`,
      columns: [
        "services",
        "edges",
        "main thread, longest turn ms",
        "thread, longest step, CPU ms",
        "which is",
        "thread, all steps, CPU ms",
        "steps",
      ],
      rows,
    },
  ],
  notes: [
    "The longest turn is the program's own measure, Node's, which looks every 10 ms, and has in it how long others held the core. The longest step is one with a garbage collection.",
  ],
});

/** @param {string} folder @param {number} services @param {number} edges */
async function rowOf(folder, services, edges) {
  const more = largeConfiguration(services, edges);
  const { child, file, ports } = await startEdgeward(folder, { hostnames: [], more });
  const turns = [];
  try {
    for (let round = 1; round <= ROUNDS; round++)
      turns.push(await longestTurnMs(child, file, ports.ops, round));
  } finally {
    await child.stop();
  }
  const loaded = await loadConfig(join(folder, "edgeward.yaml"), {
    environment: {},
    nowMs: Date.now(),
    generation: 1,
  });
  if (loaded.kind !== "ok") throw new Error(JSON.stringify(loaded.problems[0]));
  const runs = Array.from({ length: ROUNDS }, () => stepsOf(loaded.inventory));
  const longest = runs.map((steps) => steps.reduce((a, b) => (b.ms > a.ms ? b : a)));
  progress(`${services} services, ${edges} edges`);
  return [
    services,
    edges,
    median(turns),
    median(longest.map(({ ms }) => ms)),
    longest[0]?.name ?? "",
    median(runs.map((steps) => steps.reduce((sum, { ms }) => sum + ms, 0))),
    runs[0]?.length ?? 0,
  ];
}

/**
 * Of the main thread, from the edit until it is taken everywhere.
 * @param {import("./lib/process.mjs").Child} child
 * @param {string} file
 * @param {number} opsPort
 * @param {number} round
 */
async function longestTurnMs(child, file, opsPort, round) {
  const turn = async () => {
    const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
    return 1000 * Number(/^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(text)?.[1]);
  };
  await turn(); // What was before is forgotten when it is read.
  const config = JSON.parse(readFileSync(file, "utf8"));
  config.services.s0.dns.ttl = `${20 + round}s`;
  writeFileSync(file, JSON.stringify(config, undefined, 1));
  child.process.kill("SIGHUP");
  const endMs = performance.now() + PATIENCE_MS;
  while (child.output().split("configuration taken").length - 1 < round) {
    if (performance.now() > endMs) throw new Error(`the edit is not taken:\n${child.output().slice(-1000)}`);
    await pause(50);
  }
  await pause(500);
  return turn();
}

/**
 * Those of a thread that answers DNS, each with what it does.
 * @param {import("../src/model/inventory.ts").Inventory} inventory
 */
function stepsOf(inventory) {
  const parts = packInventory(inventory);
  const steps = [];
  const [next, unpacking] = timed("unpack", unpackInSteps(parts));
  steps.push(...unpacking);
  const redirector = createRedirector(() => ({ location: { layer: "none" }, prefixLength: 24 }));
  const [, preparing] = timed("prepare edges and services", redirector.prepareInSteps(next));
  steps.push(...preparing);
  const [, compiling] = timed("compile names", compileInSteps(next.zones, next.services, next.dns));
  return [...steps, ...compiling];
}

/**
 * @template T
 * @param {string} name
 * @param {Generator<undefined, T>} work
 * @returns {[T, { name: string, ms: number }[]]}
 */
function timed(name, work) {
  const steps = [];
  for (;;) {
    const before = process.cpuUsage();
    const { done, value } = work.next();
    const { user, system } = process.cpuUsage(before);
    steps.push({ name, ms: (user + system) / 1000 });
    if (done === true) return [value, steps];
  }
}

/** @param {number} ms */
function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
