import { mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * What every configuration of Knot DNS begins with here: one thread of each kind, and all files in a folder of its
 * own, where the folders that it wants are made.
 *
 * @param {string} folder
 * @param {number} port of 127.0.0.1
 * @param {string} settings more lines of the section `server`
 */
export function knotServer(folder, port, settings = "") {
  const [run, state] = [join(folder, "run"), join(folder, "state")];
  for (const path of [run, state]) mkdirSync(path);
  return `
server:
    rundir: ${run}
    listen: 127.0.0.1@${port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
    ${settings}
database:
    storage: ${state}
`;
}
