import { createSocket } from "node:dgram";
import { connect } from "node:net";
import { encode } from "../dns/questions.mjs";
import { NAME, pause } from "./server.mjs";

const COOKIE = 10;

/** @param {number} id @param {Uint8Array} [cookie] */
export function query(id, cookie) {
  const plain = Buffer.from(encode({ name: NAME, subnet: undefined }, id));
  if (cookie === undefined) return plain;
  plain.writeUInt16BE(4 + cookie.length, plain.length - 2);
  const header = Buffer.alloc(4);
  header.writeUInt16BE(COOKIE, 0);
  header.writeUInt16BE(cookie.length, 2);
  return Buffer.concat([plain, header, cookie]);
}

/** @param {Uint8Array} message */
export function frame(message) {
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]);
}

/**
 * @typedef {object} Asked
 * @property {number} sent
 * @property {number} full
 * @property {number} truncated
 * @property {number} octetsOut of the queries
 * @property {number} octetsIn of the replies
 */

/**
 * Asks over UDP at a pace from one address.
 * @param {{ port: number, from: string, perSecond: number, seconds: number, cookie?: Uint8Array | undefined }} load
 * @returns {Promise<Asked>}
 */
export async function askAtPace({ port, from, perSecond, seconds, cookie }) {
  const socket = createSocket("udp4");
  const asked = { sent: 0, full: 0, truncated: 0, octetsOut: 0, octetsIn: 0 };
  socket.on("message", (message) => {
    asked.octetsIn += message.length;
    if ((message.readUInt8(2) & 0x02) === 0) asked.full++;
    else asked.truncated++;
  });
  await new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
    socket.bind(0, from, () => resolve());
  });
  const startMs = performance.now();
  const total = perSecond * seconds;
  while (asked.sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) / 1000) * perSecond) + 1);
    for (; asked.sent < due; asked.sent++) {
      const packet = query(asked.sent & 0xffff, cookie);
      asked.octetsOut += packet.length;
      socket.send(packet, port, "127.0.0.1");
    }
    await pause(1);
  }
  await pause(500);
  socket.close();
  return asked;
}

/**
 * The cookie that the server gives to an address.
 * @param {number} port
 * @param {string} from
 * @returns {Promise<Uint8Array>}
 */
export function cookieFor(port, from) {
  const socket = createSocket("udp4");
  return new Promise((resolve) => {
    socket.on("message", (message) => {
      const at = message.length - 24;
      socket.close();
      resolve(Uint8Array.from(message.subarray(at)));
    });
    socket.bind(0, from, () => {
      socket.send(query(1, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)), port, "127.0.0.1");
    });
  });
}

/**
 * One query over UDP; how long the answer took, undefined without one.
 * @param {number} port
 * @param {number} [patienceMs]
 * @returns {Promise<number | undefined>}
 */
export function askUdp(port, patienceMs = 2000) {
  const socket = createSocket("udp4");
  const startMs = performance.now();
  return new Promise((resolve) => {
    const end = (/** @type {number | undefined} */ ms) => {
      clearTimeout(impatience);
      socket.close();
      resolve(ms);
    };
    const impatience = setTimeout(() => end(undefined), patienceMs);
    socket.on("message", () => end(performance.now() - startMs));
    socket.send(query(7), port, "127.0.0.1");
  });
}

/**
 * Opens a connection, writes, and counts the messages that come until it is closed or enough have come.
 * @param {{ port: number, from?: string, write?: Uint8Array, enough?: number, patienceMs?: number }} talk
 * @returns {Promise<number>}
 */
export function askTcp({
  port,
  from = "127.0.0.1",
  write = frame(query(7)),
  enough = 1,
  patienceMs = 20_000,
}) {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  let received = Buffer.alloc(0);
  let count = 0;
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(impatience);
      socket.destroy();
      resolve(count);
    };
    const impatience = setTimeout(end, patienceMs);
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
        received = received.subarray(2 + received.readUInt16BE(0));
        count++;
      }
      if (count >= enough) end();
    });
    socket.on("close", end);
    socket.on("error", end);
    socket.write(write);
  });
}

/** An idle connection. @param {number} port @returns {Promise<import("node:net").Socket>} */
export function open(port, from = "127.0.0.1") {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  socket.on("error", () => {});
  return new Promise((resolve) => {
    socket.once("connect", () => resolve(socket));
    socket.once("close", () => resolve(socket));
  });
}

/**
 * One query after the other over TCP, each on a connection of its own, without waiting for answers.
 * @param {{ port: number, from: string, everyMs: number }} load
 * @returns {() => Promise<{ asked: number, answered: number }>} ends it, when all have been answered or given up
 */
export function connectOften({ port, from, everyMs }) {
  const run = { isOver: false };
  const connecting = (async () => {
    const talks = [];
    while (!run.isOver) {
      talks.push(askTcp({ port, from }));
      await pause(everyMs);
    }
    return await Promise.all(talks);
  })();
  return async () => {
    run.isOver = true;
    const counts = await connecting;
    return { asked: counts.length, answered: counts.reduce((sum, count) => sum + count, 0) };
  };
}
