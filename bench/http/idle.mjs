import { once } from "node:events";
import { connect } from "node:net";
import { residentMiB } from "../lib/process.mjs";

/** @typedef {import("./peers/peer.ts").RunningPeer} RunningPeer */

const CONNECTIONS = 10_000;
/** So many at a time, so that none waits for its answer for long. */
const TOGETHER = 100;
const SETTLE_MS = 2000;

/**
 * Opens connections that are answered once and then stay silent, and closes them again.
 * @param {RunningPeer} peer
 * @param {string} hostname
 */
export async function idleMemory({ port, pid }, hostname) {
  const beforeMiB = residentMiB(pid);
  /** @type {import("node:net").Socket[]} */
  const sockets = [];
  try {
    while (sockets.length < CONNECTIONS)
      sockets.push(...(await Promise.all(Array.from({ length: TOGETHER }, () => answered(port, hostname)))));
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const withMiB = residentMiB(pid);
    const open = sockets.filter(({ readyState }) => readyState === "open").length;
    return { open, beforeMiB, withMiB, kibEach: ((withMiB - beforeMiB) * 1024) / CONNECTIONS };
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

/** @param {number} port @param {string} hostname */
async function answered(port, hostname) {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(`GET /live/index.m3u8 HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  const [answer] = await once(socket, "data");
  if (!String(answer).startsWith("HTTP/1.1 302 ")) throw new Error(`answered with ${answer}`);
  return socket;
}
