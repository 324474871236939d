import { connect } from "node:net";
import { NAME, pause } from "./server.mjs";

/** @param {{ path?: string, more?: string }} [how] */
export function request({ path = "/live/a.m3u8", more = "" } = {}) {
  return `GET ${path} HTTP/1.1\r\nHost: ${NAME}\r\n${more}\r\n`;
}

/** @param {number} port @returns {Promise<import("node:net").Socket>} that nobody has to listen to */
export async function openHttp(port) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise((resolve) => {
    socket.once("connect", resolve);
    socket.once("close", resolve);
  });
  return socket;
}

/**
 * What comes back until the server closes, or is silent for so long.
 * @param {number} port @param {string} text @param {number} [patienceMs]
 * @returns {Promise<string>}
 */
export async function exchange(port, text, patienceMs = 20_000) {
  const socket = await openHttp(port);
  let received = "";
  socket.setEncoding("latin1").on("data", (data) => {
    received += data;
  });
  socket.setTimeout(patienceMs, () => void socket.destroy());
  if (!socket.destroyed) {
    const closed = new Promise((resolve) => void socket.once("close", resolve));
    socket.write(text, "latin1");
    await closed;
  }
  return received;
}

/**
 * @param {number} port
 * @returns {Promise<number>} milliseconds to a redirect on a connection of its own; NaN for none
 */
export async function redirectMs(port) {
  const startMs = performance.now();
  const answer = await exchange(port, request({ more: "Connection: close\r\n" }), 5000);
  return answer.startsWith("HTTP/1.1 302 ") ? performance.now() - startMs : Number.NaN;
}

/**
 * A viewer who asks again and again, each time on a connection of his own.
 * @param {number} port @param {number} [everyMs]
 * @returns {() => Promise<number[]>} ends it; milliseconds of each redirect, NaN for one that never came
 */
export function askOften(port, everyMs = 10) {
  const run = { isOver: false };
  const took = /** @type {number[]} */ ([]);
  const asking = (async () => {
    while (!run.isOver) {
      took.push(await redirectMs(port));
      await pause(everyMs);
    }
  })();
  return async () => {
    run.isOver = true;
    await asking;
    return took;
  };
}
