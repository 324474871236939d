// npm run bench -- dns-reload [--rounds=5] [--seconds=6]
import { readFileSync, writeFileSync } from "node:fs";
import { withMoreEdges } from "../faults/reload.mjs";
import { startEdgeward } from "../lib/edgeward.mjs";
import { option } from "../lib/option.mjs";
import { inScratch, PINNING_NOTE, untilQuiet } from "../lib/process.mjs";
import { progress, publish } from "../lib/publish.mjs";
import { median } from "../lib/statistics.mjs";
import { stolenNotes, undisturbed } from "../lib/stolen.mjs";
import { heldUpNote, startLoad } from "./load.mjs";
import { EXISTING_NAMES } from "./questions.mjs";

const ROUNDS = option("rounds", 5);
const SECONDS = option("seconds", 6);
const MORE_EDGES = 500;

await inScratch(async (folder) => {
  const load = await startLoad();
  const { child, file, ports } = await startEdgeward(folder, { hostnames: EXISTING_NAMES });
  try {
    await untilQuiet(child.pid);
    const base = { port: ports.dns, pid: child.pid, mix: /** @type {const} */ ("mixture"), seconds: SECONDS };
    const full = await load.run(base);
    const perSecond = Math.round(full.answers / full.seconds / 2);
    const text = readFileSync(file, "utf8");
    /** @type {Record<string, { p50: number[], p99: number[], lost: number }>} */
    const found = { quiet: { p50: [], p99: [], lost: 0 }, reload: { p50: [], p99: [], lost: 0 } };
    let reloads = 0;
    let longestHeldUpMs = 0;
    /** Within the time that is measured: the generator warms up for a second first. */
    const reloadSoon = () =>
      setTimeout(() => {
        writeFileSync(file, withMoreEdges(text, MORE_EDGES + ++reloads));
        child.process.kill("SIGHUP");
      }, 1500);
    for (let round = 1; round <= ROUNDS; round++)
      for (const [name, of] of Object.entries(found)) {
        const { p50Ms, p99Ms, lost, heldUpMs } = await undisturbed(() => {
          if (name === "reload") reloadSoon();
          return load.run({ ...base, perSecond });
        });
        of.p50.push(p50Ms);
        of.p99.push(p99Ms);
        of.lost += lost;
        longestHeldUpMs = Math.max(longestHeldUpMs, heldUpMs);
        progress(`round ${round}, ${name}: p50 ${p50Ms.toFixed(3)} ms, p99 ${p99Ms.toFixed(3)} ms`);
      }
    const taken = child.output().split("configuration taken").length - 1;
    publish({
      bench: "dns-reload",
      question: "Does a reload show in the delay of answers?",
      tables: [
        {
          title: `The mixture at half load (${perSecond} queries per second), ${ROUNDS} rounds of ${SECONDS} s; ${taken} reloads with ${MORE_EDGES} edges taken`,
          columns: ["", "p50 ms", "p99 ms, median", "p99 ms, highest", "lost"],
          rows: Object.entries(found).map(([name, { p50, p99, lost }]) => [
            name === "reload" ? "with a reload in each round" : "without",
            median(p50),
            median(p99),
            Math.max(...p99),
            lost,
          ]),
        },
      ],
      notes: [PINNING_NOTE, heldUpNote(longestHeldUpMs), ...stolenNotes()],
    });
  } finally {
    await load.stop();
    await child.stop();
  }
});
