// Asks a DNS server over TCP as fast as it answers, and checks every answer. Started by load.mjs.
import { connect } from "node:net";
import { cpuSeconds } from "../lib/process.mjs";
import { encode, questions } from "./questions.mjs";

/**
 * @typedef {object} TcpOrder
 * @property {number} port
 * @property {number} pid of the server, whose CPU time is read
 * @property {import("./questions.mjs").Mix} mix
 * @property {TcpManner} manner
 * @property {number} seconds
 */

/** One connection for all queries, or one connection for each. @typedef {"pipelined" | "one each"} TcpManner */

/**
 * @typedef {object} TcpYield
 * @property {number} answers
 * @property {number} wrong answers that are not what was asked for
 * @property {number} lost connections that ended without an answer
 * @property {number} seconds
 * @property {number} serverCpuSeconds
 */

const QUESTION_COUNT = 1 << 14;
/** Queries in one write on the connection that is kept, and how many may be on the way. */
const WRITE = 64;
const WINDOW = 256;
/** Connections at a time where each carries one query. */
const CONNECTIONS = 32;
/** Addresses of the client's end, so that it does not run out of ports. */
const ADDRESSES = 16;
const WARM_UP_MS = 1000;

const counts = { answers: 0, wrong: 0, lost: 0 };
const run = { isOver: true };
/** @type {Set<import("node:net").Socket>} */
const open = new Set();

process.on("message", (/** @type {TcpOrder} */ order) => void carryOut(order));
process.on("disconnect", () => process.exit());
process.send?.("ready");

/** @param {TcpOrder} order */
async function carryOut({ port, pid, mix, manner, seconds }) {
  const asked = questions(mix, QUESTION_COUNT).map((question, id) => ({
    frame: framed(encode(question, id)),
    exists: question.exists,
  }));
  run.isOver = false;
  const ended = manner === "pipelined" ? pipeline(port, asked) : oneEach(port, asked);
  await pause(WARM_UP_MS);
  Object.assign(counts, { answers: 0, wrong: 0, lost: 0 });
  const before = { ms: performance.now(), cpu: cpuSeconds(pid) };
  await pause(seconds * 1000);
  /** @type {TcpYield} */
  const result = {
    ...counts,
    seconds: (performance.now() - before.ms) / 1000,
    serverCpuSeconds: cpuSeconds(pid) - before.cpu,
  };
  run.isOver = true;
  for (const socket of open) socket.destroy();
  await ended;
  process.send?.(result);
}

/** @typedef {{ frame: Buffer, exists: boolean }} Asked */

/** @param {number} port @param {readonly Asked[]} asked @returns {Promise<void>} */
function pipeline(port, asked) {
  const writes = [];
  for (let at = 0; at < asked.length; at += WRITE)
    writes.push(Buffer.concat(asked.slice(at, at + WRITE).map(({ frame }) => frame)));
  let next = 0;
  let onTheWay = 0;
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  const fill = () => {
    while (!run.isOver && onTheWay + WRITE <= WINDOW) {
      socket.write(/** @type {Buffer} */ (writes[next++ % writes.length]));
      onTheWay += WRITE;
    }
  };
  socket.on("connect", fill);
  socket.on(
    "data",
    messages((message) => {
      onTheWay--;
      check(message, asked);
      fill();
    }),
  );
  return closed(socket, () => onTheWay > 0);
}

/** @param {number} port @param {readonly Asked[]} asked */
async function oneEach(port, asked) {
  let next = 0;
  const converse = async () => {
    while (!run.isOver) {
      const number = next++;
      const socket = connect({
        port,
        host: "127.0.0.1",
        localAddress: `127.9.0.${1 + (number % ADDRESSES)}`,
      });
      socket.write(asked[number % asked.length]?.frame ?? Buffer.alloc(0));
      let isAnswered = false;
      socket.on(
        "data",
        messages((message) => {
          isAnswered = true;
          check(message, asked);
          socket.end();
        }),
      );
      await closed(socket, () => !isAnswered);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, converse));
}

/** @param {import("node:net").Socket} socket @param {() => boolean} isEarly @returns {Promise<void>} */
function closed(socket, isEarly) {
  socket.on("error", () => {});
  open.add(socket);
  return new Promise((resolve) => {
    socket.on("close", () => {
      open.delete(socket);
      if (!run.isOver && isEarly()) counts.lost++;
      resolve();
    });
  });
}

/** Cuts a stream into messages. @param {(message: Buffer) => void} each @returns {(chunk: Buffer) => void} */
function messages(each) {
  let rest = Buffer.alloc(0);
  return (chunk) => {
    const octets = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    while (at + 2 <= octets.length) {
      const end = at + 2 + octets.readUInt16BE(at);
      if (end > octets.length) break;
      each(octets.subarray(at + 2, end));
      at = end;
    }
    rest = octets.subarray(at);
  };
}

/**
 * Right is: a known id, authoritative, and two addresses or NXDOMAIN.
 * @param {Buffer} message
 * @param {readonly Asked[]} asked
 */
function check(message, asked) {
  counts.answers++;
  const [rcode, answers] = asked[message.readUInt16BE(0)]?.exists ? [0, 2] : [3, 0];
  const isRight =
    (message.readUInt8(2) & 0x86) === 0x84 &&
    (message.readUInt8(3) & 0x0f) === rcode &&
    message.readUInt16BE(6) === answers;
  if (!isRight) counts.wrong++;
}

/** @param {Uint8Array} message */
function framed(message) {
  return Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 0xff), message]);
}

/** @param {number} ms @returns {Promise<void>} */
function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
