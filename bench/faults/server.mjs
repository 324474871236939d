import { readdirSync } from "node:fs";
import { startEdgeward } from "../lib/edgeward.mjs";

/** What is asked for in every fault; two addresses. */
export const NAME = "live.cdn.example.net";

/**
 * Runs the real program while `work` does.
 * @template T
 * @param {string} folder
 * @param {object} more keys of the configuration
 * @param {(server: import("../lib/edgeward.mjs").Edgeward) => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withEdgeward(folder, more, work) {
  const server = await startEdgeward(folder, { hostnames: [NAME], more });
  try {
    return await work(server);
  } finally {
    await server.child.stop();
  }
}

/** @param {number} pid @returns {number} open descriptors */
export function descriptors(pid) {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/**
 * The sum of a metric's samples.
 * @param {import("../lib/edgeward.mjs").Edgeward} server
 * @param {string} start of the sample lines
 */
export async function metric({ ports }, start) {
  const response = await fetch(`http://127.0.0.1:${ports.ops}/metrics`);
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith(start));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

/** @param {number} ms @returns {Promise<void>} */
export function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/**
 * Looks until it is so, or for too long.
 * @param {() => boolean | Promise<boolean>} isSo
 * @param {number} patienceMs
 */
export async function until(isSo, patienceMs) {
  const endMs = performance.now() + patienceMs;
  while (performance.now() < endMs) {
    if (await isSo()) return true;
    await pause(20);
  }
  return false;
}
