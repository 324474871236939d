import { availableParallelism, cpus, release, totalmem } from "node:os";

/**
 * @typedef {object} Machine
 * @property {string} cpu
 * @property {number} cores
 * @property {number} memoryGiB
 * @property {string} system
 * @property {string} node
 * @property {string} date UTC, to the minute
 */

/** @returns {Machine} what every figure depends on */
export function machine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release().split("-")[0]} ${process.arch}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 16).replace("T", " "),
  };
}

/** @param {Machine} machine */
export function machineLine({ cpu, cores, memoryGiB, system, node, date }) {
  return `${cpu}, ${cores} cores, ${memoryGiB} GiB, ${system}, Node ${node}, ${date} UTC`;
}
