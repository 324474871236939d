import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { LOAD_CORE, start } from "../lib/process.mjs";

/**
 * @typedef {object} Load
 * @property {(order: import("./generator.mjs").Order) => Promise<import("./generator.mjs").Yield>} run
 * @property {() => Promise<void>} stop
 */

/** Starts the generator, on its own core. @returns {Promise<Load>} */
export async function startLoad() {
  const file = join(dirname(fileURLToPath(import.meta.url)), "generator.mjs");
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
