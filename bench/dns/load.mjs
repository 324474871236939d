import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LOAD_CORE, start } from "../lib/process.mjs";

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
  const child = start(LOAD_CORE, [process.execPath, file], { ipc: true });
  await answerOf(child);
  return {
    run(order) {
      const answer = answerOf(child);
      child.process.send(order);
      return answer;
    },
    stop: child.stop,
  };
}

/** @param {import("../lib/process.mjs").Child} child @returns {Promise<any>} */
function answerOf(child) {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`the load generator has ended:\n${child.output()}`));
    child.process.once("exit", ended);
    child.process.once("message", (message) => {
      child.process.off("exit", ended);
      resolve(message);
    });
  });
}
