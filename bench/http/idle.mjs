import { once } from "node:events";
import { connect } from "node:net";
import { residentMiB } from "../lib/process.mjs";

/** @typedef {Pick<import("./peers/peer.ts").RunningPeer, "port" | "pid">} Server */

const CONNECTIONS = 10_000;
/** So many at a time, so that none waits for its answer for long. */
const TOGETHER = 100;
const SETTLE_MS = 2000;

/**
 * What connections take that are answered once and then stay silent; they are closed again.
 * @param {Server} server
 * @param {string} hostname
 */
export async function idleMemory(server, hostname) {
  const { sockets, beforeMiB, withMiB } = await openIdle(server, hostname);
  const open = sockets.filter(({ readyState }) => readyState === "open").length;
  for (const socket of sockets) socket.destroy();
  return { open, beforeMiB, withMiB, kibEach: ((withMiB - beforeMiB) * 1024) / CONNECTIONS };
}

/**
 * Opens them, and leaves them to the caller.
 * @param {Server} server
 * @param {string} hostname
 */
export async function openIdle({ port, pid }, hostname) {
  const beforeMiB = residentMiB(pid);
  /** @type {import("node:net").Socket[]} */
  const sockets = [];
  while (sockets.length < CONNECTIONS)
    sockets.push(...(await Promise.all(Array.from({ length: TOGETHER }, () => answered(port, hostname)))));
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  return { sockets, beforeMiB, withMiB: residentMiB(pid) };
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
