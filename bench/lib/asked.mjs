import { start } from "./process.mjs";

/**
 * A program of Node that says something once it is ready, and then answers each order with one message.
 * @template Order, Answer
 * @typedef {object} Asked
 * @property {(order: Order) => Promise<Answer>} ask rejects when it ends before it answers; one order at a time
 * @property {() => Promise<void>} stop
 */

/**
 * @param {number | string} core as for `start`
 * @param {string} file
 * @param {readonly string[]} [args]
 * @returns {Promise<Asked<any, any>>}
 */
export async function startAsked(core, file, args = []) {
  const child = start(core, [process.execPath, file, ...args], { ipc: true });
  await answerOf(child);
  return {
    ask(order) {
      const answer = answerOf(child);
      child.process.send(order);
      return answer;
    },
    stop: child.stop,
  };
}

/** @param {import("./process.mjs").Child} child @returns {Promise<any>} */
function answerOf(child) {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`it has ended before it answered:\n${child.output()}`));
    child.process.once("exit", ended);
    child.process.once("message", (message) => {
      child.process.off("exit", ended);
      resolve(message);
    });
  });
}
