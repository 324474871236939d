import { spawn } from "node:child_process";
import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startEdgeward } from "../lib/edgeward.mjs";
import { PROJECT } from "../lib/process.mjs";
import { askOften, redirectMs } from "./http-clients.mjs";
import { metric, NAME, pause, until } from "./server.mjs";

const RELOADS = 30;

/** @type {readonly import("./fault.ts").Fault[]} */
export const faults = [
  {
    name: "log-disk-full",
    what: `the log goes to a full disk (/dev/full), and ${RELOADS} reloads write to it`,
    async run(folder) {
      const full = openSync("/dev/full", "w");
      const outcome = await servesWith(folder, full);
      closeSync(full);
      return outcome;
    },
  },
  {
    name: "log-reader-stops",
    what: `nobody reads the log from its pipe, and ${RELOADS} reloads write to it`,
    run: (folder) => servesWith(folder, "pipe"),
  },
];

/**
 * Runs the program with its log going there, has it log, and asks it meanwhile.
 * @param {string} folder @param {number | "pipe"} log
 */
async function servesWith(folder, log) {
  // Once as ever, for its configuration.
  const { child, ports, file } = await startEdgeward(folder, { hostnames: [NAME] });
  await child.stop();
  const server = spawn(process.execPath, [join(PROJECT, "dist", "main.js"), "serve", "-c", file], {
    stdio: ["ignore", "ignore", log],
  });
  server.stderr?.pause();
  try {
    const opened = await until(async () => !Number.isNaN(await redirectMs(ports.http)), 20_000);
    const end = askOften(ports.http);
    for (let i = 0; i < RELOADS; i++) {
      // A problem is a line for each: two such reloads are more than what is held for a slow reader.
      const wrong = Object.fromEntries(
        Array.from({ length: 400 }, (_, n) => [`unknown${i}${n}${"x".repeat(2000)}`, n]),
      );
      writeFileSync(file, JSON.stringify(wrong));
      server.kill("SIGHUP");
      await pause(200);
    }
    let dropped = 0;
    await until(async () => {
      dropped = await metric(/** @type {any} */ ({ ports }), "edgeward_log_dropped");
      return dropped > 0;
    }, 30_000);
    const took = await end();
    const lost = took.filter(Number.isNaN).length;
    return {
      held: opened && lost === 0 && dropped > 0 && server.exitCode === null,
      figure: `${took.length - lost} of ${took.length} redirects, ${dropped} lines dropped and counted`,
    };
  } finally {
    server.kill("SIGKILL");
  }
}
