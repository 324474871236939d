// npm run bench -- dns-reload [--rounds=5] [--seconds=6]
import { readFileSync, writeFileSync } from "node:fs";
import { withMoreEdges } from "../faults/reload.mjs";
import { startEdgeward } from "../lib/edgeward.mjs";
import { option } from "../lib/option.mjs";
import { inScratch, PINNING_NOTE, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { median } from "../lib/statistics.mjs";
import { SITES } from "../lib/sites.mjs";
import { stolenNotes, undisturbed } from "../lib/stolen.mjs";
import { circumstancesIn, perCpuSecond, present, started } from "./contest.mjs";
import { heldUpNote, startLoad } from "./load.mjs";
import { gdnsd } from "./peers/gdnsd.mjs";
import { EXISTING_NAMES } from "./questions.mjs";

const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 6);
const MORE_EDGES = 500;
/** At half load, most of the questions come within this: whatever a reload before made new has been decided. */
const WARM_UP_SECONDS = 5;
const RELOAD_AFTER_MS = 1000 * WARM_UP_SECONDS + 500;

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {number} port
 * @property {number} pid of the server that is asked
 * @property {boolean} isBesideReload
 * @property {number[]} p50Ms of each round
 * @property {number[]} p99Ms
 * @property {number} lost
 */

await inScratch(async (folder) => {
  const load = await startLoad();
  const { child, file, ports } = await startEdgeward(folder, { hostnames: EXISTING_NAMES });
  const { there, notes } = present([gdnsd]);
  /** @type {import("./contest.mjs").Contender[]} */
  const peers = [];
  try {
    for (const peer of there) peers.push(await started(peer, await circumstancesIn(folder, SITES)));
    for (const { pid } of [child, ...peers]) await untilQuiet(pid);
    const mix = /** @type {const} */ ("mixture");
    const full = await load.run({ port: ports.dns, pid: child.pid, mix, seconds: SECONDS });
    const perSecond = Math.round(full.answers / full.seconds / 2);
    const text = readFileSync(file, "utf8");
    let reloads = 0;
    let longestHeldUpMs = 0;
    const reload = () => {
      writeFileSync(file, withMoreEdges(text, MORE_EDGES + ++reloads));
      child.process.kill("SIGHUP");
    };
    const taken = () => child.output().split("configuration taken").length - 1;
    const reloadSoon = () => setTimeout(reload, RELOAD_AFTER_MS);
    const asked = [
      { name: "edgeward", port: ports.dns, pid: child.pid },
      ...peers.map(({ port, pid, peer }) => ({ name: `${peer.name} on the same core`, port, pid })),
    ];
    /** @type {Row[]} */
    const rows = asked.flatMap((server) =>
      [false, true].map((isBesideReload) => ({ ...server, isBesideReload, p50Ms: [], p99Ms: [], lost: 0 })),
    );
    for (let round = 1; round <= ROUNDS; round++)
      for (const row of rows) {
        const { p50Ms, p99Ms, lost, heldUpMs } = await undisturbed(() => {
          if (row.isBesideReload) reloadSoon();
          return load.run({
            port: row.port,
            pid: row.pid,
            mix,
            seconds: SECONDS,
            warmUpSeconds: WARM_UP_SECONDS,
            perSecond,
          });
        });
        row.p50Ms.push(p50Ms);
        row.p99Ms.push(p99Ms);
        row.lost += lost;
        longestHeldUpMs = Math.max(longestHeldUpMs, heldUpMs);
        progress(`round ${round}, ${titleOf(row)}: p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`);
      }
    const takenMeanwhile = taken();
    const inFirstSecond = [];
    const later = [];
    const asFast = { port: ports.dns, pid: child.pid, mix };
    for (let round = 1; round <= ROUNDS; round++) {
      const before = taken();
      reload();
      while (taken() === before) await new Promise((resolve) => setTimeout(resolve, 100));
      await untilQuiet(child.pid);
      inFirstSecond.push(perCpuSecond(await load.run({ ...asFast, seconds: 1, warmUpSeconds: 0 })));
      later.push(perCpuSecond(await load.run({ ...asFast, seconds: 1, warmUpSeconds: SECONDS })));
    }
    publish({
      bench: "dns-reload",
      question: "Does a reload show in the delay of answers?",
      tables: [
        {
          title: `The mixture at half load (${perSecond} queries per second), ${ROUNDS} rounds of ${SECONDS} s in turns; ${takenMeanwhile} reloads of edgeward with ${MORE_EDGES} edges taken`,
          columns: ["", "p50 ms", "p99 ms, lowest", "p99 ms, median", "p99 ms, highest", "lost"],
          rows: rows.map((row) => [
            titleOf(row),
            median(row.p50Ms),
            Math.min(...row.p99Ms),
            median(row.p99Ms),
            Math.max(...row.p99Ms),
            row.lost,
          ]),
        },
        {
          title: `The mixture as fast as it is answered, ${ROUNDS} rounds: what is asked for the first time after a reload is decided anew`,
          columns: ["", "queries per CPU second", "lowest", "highest"],
          rows: [
            rowOf("the first second after a reload", inFirstSecond),
            rowOf(`the second after ${SECONDS + 1} of them`, later),
          ],
        },
      ],
      notes: [PINNING_NOTE, heldUpNote(longestHeldUpMs), ...stolenNotes(), ...notes],
    });
  } finally {
    await load.stop();
    await child.stop();
    for (const { stop } of peers) await stop();
  }
});

/** @param {Row} row */
function titleOf({ name, isBesideReload }) {
  return isBesideReload ? `${name}, beside a reload of edgeward` : name;
}

/** @param {string} name @param {readonly number[]} rates */
function rowOf(name, rates) {
  return [name, median(rates), Math.min(...rates), Math.max(...rates)];
}
