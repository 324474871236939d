import { createSocket } from "node:dgram";
import { encode } from "./questions.mjs";

const PATIENCE_MS = 1000;

/**
 * @typedef {object} Answer
 * @property {number} rcode
 * @property {readonly string[]} addresses
 * @property {number | undefined} scope of the client subnet sent back
 */

/**
 * @typedef {object} Client
 * @property {(question: Pick<import("./questions.mjs").Question, "name" | "subnet">) => Promise<Answer | undefined>} ask
 *   undefined when no answer came in time
 * @property {() => void} stop
 */

/** Asks one question after the other, and reads the whole answer. @param {number} port @returns {Client} */
export function connect(port) {
  const socket = createSocket("udp4");
  /** @type {(packet: Buffer) => void} */
  let heard = () => {};
  socket.on("message", (packet) => heard(packet));
  socket.on("error", () => {});
  let id = 0;
  return {
    ask(question) {
      id = (id + 1) & 0xffff;
      return new Promise((resolve) => {
        const impatience = setTimeout(() => resolve(undefined), PATIENCE_MS);
        heard = (packet) => {
          if (packet.readUInt16BE(0) !== id) return;
          clearTimeout(impatience);
          resolve(read(packet));
        };
        socket.send(encode(question, id), port, "127.0.0.1");
      });
    },
    stop: () => void socket.close(),
  };
}

const [TYPE_A, TYPE_OPT, CLIENT_SUBNET] = [1, 41, 8];

/** @param {Buffer} packet with one question @returns {Answer} */
function read(packet) {
  let at = afterName(packet, 12) + 4;
  const addresses = [];
  let scope;
  const records = packet.readUInt16BE(6) + packet.readUInt16BE(8) + packet.readUInt16BE(10);
  for (let i = 0; i < records; i++) {
    at = afterName(packet, at);
    const [type, octets] = [packet.readUInt16BE(at), packet.readUInt16BE(at + 8)];
    const data = packet.subarray(at + 10, at + 10 + octets);
    if (type === TYPE_A && i < packet.readUInt16BE(6)) addresses.push(data.join("."));
    if (type === TYPE_OPT) scope = scopeIn(data);
    at += 10 + octets;
  }
  return { rcode: packet.readUInt8(3) & 0x0f, addresses, scope };
}

/** @param {Buffer} packet @param {number} at */
function afterName(packet, at) {
  for (;;) {
    const octet = packet.readUInt8(at);
    if (octet >= 0xc0) return at + 2;
    at += 1 + octet;
    if (octet === 0) return at;
  }
}

/** @param {Buffer} options of an OPT record */
function scopeIn(options) {
  for (let at = 0; at + 4 <= options.length; at += 4 + options.readUInt16BE(at + 2))
    if (options.readUInt16BE(at) === CLIENT_SUBNET) return options.readUInt8(at + 7);
  return undefined;
}
