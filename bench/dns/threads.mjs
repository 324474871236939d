// npm run bench -- dns-threads [--rounds=5] [--seconds=3]
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { configuration } from "../lib/edgeward.mjs";
import { option } from "../lib/option.mjs";
import { freePort, inScratch, LOAD_CORE, SERVER_CORE, start, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { SITES } from "../lib/sites.mjs";
import { median } from "../lib/statistics.mjs";
import { perCpuSecond, titleOf, total } from "./contest.mjs";
import { startLoad } from "./load.mjs";
import { EXISTING_NAMES } from "./questions.mjs";

/** @typedef {import("./generator.mjs").Yield} Yield */

const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 3);
const BOTH_CORES = `${SERVER_CORE},${LOAD_CORE}`;
const CASES = /** @type {const} */ ([
  { threads: 1, cores: SERVER_CORE, where: "one core" },
  { threads: 1, cores: BOTH_CORES, where: "both cores, shared with the generator" },
  { threads: 2, cores: BOTH_CORES, where: "both cores, shared with the generator" },
  { threads: 2, cores: SERVER_CORE, where: "one core" },
]);
const MIXES = /** @type {const} */ (["one subnet", "mixture"]);
/** Each thread keeps decisions of its own, and has to make them first: until hardly anything is gained any more. */
const WARM_UP = { rounds: 12, seconds: 5, gain: 1.05 };

await inScratch(async (scratch) => {
  const load = await startLoad();
  const servers = [];
  try {
    for (const [i, each] of CASES.entries()) servers.push(await startServer(join(scratch, String(i)), each));
    for (const { child } of servers) await untilQuiet(child.pid);
    const tables = [];
    for (const mix of MIXES) {
      for (const server of servers) await warmUp(server, mix, load);
      tables.push(await tableOf(servers, mix, load));
    }
    publish({
      bench: "dns-threads",
      question: "Does a query cost more when two threads answer?",
      tables,
      notes: [
        "Where cores are left, two threads answer twice as many queries as one, times this ratio: what they get in each other's way is CPU time. One core for both has the caches of one. The generator takes half of the two cores here.",
      ],
    });
  } finally {
    await load.stop();
    for (const { child } of servers) await child.stop();
  }
});

/** @param {string} folder @param {typeof CASES[number]} options */
async function startServer(folder, { threads, cores, where }) {
  mkdirSync(folder);
  const port = await freePort();
  const file = join(folder, "edgeward.yaml");
  const ports = { dns: port, http: await freePort(), https: 0, ops: await freePort() };
  writeFileSync(file, JSON.stringify(configuration(ports, EXISTING_NAMES, SITES, undefined)));
  const program = join(dirname(fileURLToPath(import.meta.url)), "threads-server.mjs");
  const child = start(cores, [process.execPath, program, file, String(threads)]);
  await child.says("answers");
  return { child, port, threads, where };
}

/**
 * @param {Awaited<ReturnType<typeof startServer>>} server
 * @param {typeof MIXES[number]} mix
 * @param {import("./load.mjs").Load} load
 */
async function warmUp({ port, child }, mix, load) {
  let before = 0;
  for (let round = 0; round < WARM_UP.rounds; round++) {
    const rate = perCpuSecond(await load.run({ port, pid: child.pid, mix, seconds: WARM_UP.seconds }));
    if (rate < before * WARM_UP.gain) return;
    before = rate;
  }
}

/**
 * @param {Awaited<ReturnType<typeof startServer>>[]} servers
 * @param {typeof MIXES[number]} mix
 * @param {import("./load.mjs").Load} load
 */
async function tableOf(servers, mix, load) {
  /** @type {{ server: typeof servers[number], yields: Yield[], shares: number[] }[]} */
  const found = servers.map((server) => ({ server, yields: [], shares: [] }));
  for (let round = 1; round <= ROUNDS; round++)
    for (const { server, yields, shares } of found) {
      const { port, child, threads, where } = server;
      const before = threadTicks(child.pid);
      const result = await load.run({ port, pid: child.pid, mix, seconds: SECONDS });
      yields.push(result);
      shares.push(shareOfBusiest(before, threadTicks(child.pid)));
      progress(
        `${mix}, round ${round}, ${threads} threads, ${where}: ${Math.round(perCpuSecond(result))} per CPU second`,
      );
    }
  return {
    title: `${titleOf(mix)}: median of ${ROUNDS} rounds of ${SECONDS} s in turns`,
    columns: [
      "UDP threads",
      "on",
      "queries per CPU second",
      "one thread there ×",
      "answers per second",
      "% of the CPU time in the busiest thread",
      "wrong",
      "lost",
    ],
    rows: found.map(({ server: { threads, where }, yields, shares }) => [
      threads,
      where,
      median(yields.map(perCpuSecond)),
      threads === 1
        ? ""
        : ratioTo(
            found.find((one) => one.server.threads === 1 && one.server.where === where)?.yields ?? [],
            yields,
          ),
      median(yields.map(({ answers, seconds }) => answers / seconds)),
      median(shares),
      total(yields, "wrong"),
      total(yields, "lost"),
    ]),
  };
}

/** Of queries per CPU second. @param {readonly Yield[]} alone @param {readonly Yield[]} yields */
function ratioTo(alone, yields) {
  return median(yields.map((one, i) => perCpuSecond(one) / perCpuSecond(alone[i] ?? one)));
}

/** CPU time of each thread of a process, in ticks. @param {number} pid */
function threadTicks(pid) {
  const ticks = readdirSync(`/proc/${pid}/task`).map((thread) => {
    const text = readFileSync(`/proc/${pid}/task/${thread}/stat`, "latin1");
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    return /** @type {const} */ ([thread, Number(fields[11]) + Number(fields[12])]);
  });
  return new Map(ticks);
}

/** @param {Map<string, number>} before @param {Map<string, number>} after @returns {number} percent */
function shareOfBusiest(before, after) {
  const spent = [...after].map(([thread, ticks]) => ticks - (before.get(thread) ?? 0));
  return (100 * Math.max(...spent)) / spent.reduce((sum, one) => sum + one, 0);
}
