// npm run bench -- start
import { startEdgeward } from "./lib/edgeward.mjs";
import { cpuSeconds, inScratch, PINNING_NOTE, proportionalMiB, residentMiB } from "./lib/process.mjs";
import { progress, publish } from "./lib/publish.mjs";
import { median } from "./lib/statistics.mjs";

const ROUNDS = 5;
/** By then what the start needed only once is freed, if it ever is. */
const SETTLE_MS = 3000;

const rounds = [];
for (let round = 1; round <= ROUNDS; round++) {
  rounds.push(await inScratch(startOnce));
  progress(`round ${round} of ${ROUNDS}`);
}
/** @param {"startSeconds" | "cpuSeconds" | "readyMiB" | "settledMiB" | "proportionalMiB"} key */
const middle = (key) => median(rounds.map((round) => round[key]));
publish({
  bench: "start",
  question: "How long does a start take, and how much memory a service with the packaged city database?",
  tables: [
    {
      title: `Median of ${ROUNDS} starts, files in the page cache`,
      columns: ["", "value"],
      rows: [
        ["from command to open doors, s", middle("startSeconds")],
        ["CPU time until then, s", middle("cpuSeconds")],
        ["resident memory when the doors open, MiB", middle("readyMiB")],
        [`resident memory ${SETTLE_MS / 1000} s later, MiB`, middle("settledMiB")],
        ["proportional set size then, MiB", middle("proportionalMiB")],
      ],
    },
  ],
  notes: [PINNING_NOTE],
});

/** @param {string} folder */
async function startOnce(folder) {
  const { child, startSeconds } = await startEdgeward(folder, { hostnames: ["live.cdn.example.net"] });
  try {
    const atReady = { cpuSeconds: cpuSeconds(child.pid), readyMiB: residentMiB(child.pid) };
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const settledMiB = residentMiB(child.pid);
    return { startSeconds, ...atReady, settledMiB, proportionalMiB: proportionalMiB(child.pid) };
  } finally {
    await child.stop();
  }
}
