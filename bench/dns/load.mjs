import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startAsked } from "../lib/asked.mjs";
import { LOAD_CORE } from "../lib/process.mjs";

/**
 * @template Order, Yield
 * @typedef {object} LoadOf
 * @property {(order: Order) => Promise<Yield>} run
 * @property {() => Promise<void>} stop
 */
/** @typedef {LoadOf<import("./generator.mjs").Order, import("./generator.mjs").Yield>} Load */
/** @typedef {LoadOf<import("./tcp-generator.mjs").TcpOrder, import("./tcp-generator.mjs").TcpYield>} TcpLoad */

/** Over UDP. @returns {Promise<Load>} */
export function startLoad() {
  return startGenerator("generator.mjs");
}

/** @returns {Promise<TcpLoad>} */
export function startTcpLoad() {
  return startGenerator("tcp-generator.mjs");
}

/** Starts a generator, on its own core. @param {string} name @returns {Promise<LoadOf<any, any>>} */
async function startGenerator(name) {
  const file = join(dirname(fileURLToPath(import.meta.url)), name);
  const { ask, stop } = await startAsked(LOAD_CORE, file);
  return { run: ask, stop };
}

/** @param {number} longestMs in one round, of all @returns {string} what is to be said beside delays */
export function heldUpNote(longestMs) {
  return `The generator itself was held up for at most ${longestMs.toFixed(0)} ms of a round; what was on the way then is not timed, nor asked afterwards.`;
}
