import { readFileSync } from "node:fs";
import { askAtPace, connectOften } from "./clients.mjs";
import { askOften } from "./http-clients.mjs";
import { pause, until, withEdgeward } from "./server.mjs";

const TIMES = 3;
const SECONDS = 30;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "replace",
    what: `${TIMES} times another process takes the place of the one before, under 500 UDP queries, 50 TCP connections and some 100 redirects per second`,
    run: (folder) =>
      withEdgeward(folder, {}, async ({ child, ports }) => {
        const tcp = connectOften({ port: ports.dns, from: "127.0.5.1", everyMs: 20 });
        const http = askOften(ports.http);
        const udp = askAtPace({ port: ports.dns, from: "127.0.4.1", perSecond: 500, seconds: SECONDS });
        const took = [];
        let pid = child.pid;
        for (let i = 0; i < TIMES; i++) {
          await pause(1000);
          const startMs = performance.now();
          const next = await replaced(ports.ops);
          if (next === undefined || !(await until(() => !isRunning(pid), 10_000))) break;
          took.push(performance.now() - startMs);
          pid = next;
        }
        const asked = await udp;
        const connections = await tcp();
        const redirects = await http();
        process.kill(pid, "SIGTERM");
        const lost = redirects.filter((ms) => Number.isNaN(ms)).length;
        const isComplete = asked.full === asked.sent && connections.answered === connections.asked;
        return {
          held: took.length === TIMES && isComplete && lost === 0,
          figure: `${took.length} replaced, each within ${(Math.max(...took) / 1000).toFixed(1)} s; UDP ${asked.full} of ${asked.sent}, TCP ${connections.answered} of ${connections.asked} answered; ${lost} of ${redirects.length} redirects lost, the latest after ${Math.round(Math.max(...redirects))} ms`,
        };
      }),
  },
];

/**
 * Once the operators' door of the one before is open.
 * @param {number} port
 * @returns {Promise<number | undefined>} the process that serves from now on
 */
async function replaced(port) {
  let pid = /** @type {number | undefined} */ (undefined);
  await until(async () => {
    try {
      const response = await fetch(`http://127.0.0.1:${port}/v1/replace`, { method: "POST" });
      ({ pid } = /** @type {{ pid?: number }} */ (await response.json()));
      return true;
    } catch {
      return false;
    }
  }, 60_000);
  return pid;
}

/** @param {number} pid */
function isRunning(pid) {
  try {
    return !readFileSync(`/proc/${pid}/stat`, "latin1").includes(") Z ");
  } catch {
    return false;
  }
}
