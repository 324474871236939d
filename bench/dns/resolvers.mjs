import { allocate, Batch, connectUdp } from "./libc.mjs";
import { encode } from "./questions.mjs";

const SLOT_OCTETS = 96;
const REPLY_OCTETS = 512;
const BATCH = 64;
const STEP_MS = 50;
const HEADER_OCTETS = 12;
const TYPE_AND_CLASS_OCTETS = 4;
/** In a record of one address with its name as a pointer (RFC 1035 4.1.4). */
const ADDRESS_AT = 12;

/**
 * Resolvers that send client subnets and cache by them: each network is asked for once in a time to live, at a moment
 * of its own. So few queries are what its viewers cause.
 * @typedef {object} Resolvers
 * @property {() => void} stop
 */

/**
 * @param {number} port of 127.0.0.1
 * @param {readonly import("./questions.mjs").Question[]} networks one question of each, for a name that exists
 * @param {number} ttlSeconds
 * @param {(network: number, address: number) => void} onAnswer the first address, as a number
 * @returns {Resolvers}
 */
export function startResolvers(port, networks, ttlSeconds, onAnswer) {
  const fd = connectUdp(port);
  const outgoing = new Batch(BATCH);
  const incoming = new Batch(BATCH, REPLY_OCTETS);
  const memory = allocate(networks.length * SLOT_OCTETS);
  const lengths = networks.map((question, i) => {
    const packet = encode(question, 0);
    memory.bytes.set(packet, i * SLOT_OCTETS);
    return packet.length;
  });
  /** How many were asked for, from the first network on, round and round; that is the id. */
  let asked = 0;
  const startMs = performance.now();

  const hear = () => {
    for (let count = BATCH; count === BATCH; ) {
      count = incoming.receive(fd, false);
      for (let i = 0; i < count; i++) take(i * REPLY_OCTETS);
    }
  };
  /** @param {number} at where the reply begins */
  const take = (at) => {
    const { bytes } = incoming;
    const last = asked - 1;
    const network = (last - ((last - (word(bytes, at) >>> 16)) & 0xffff)) % networks.length;
    const name = networks[network]?.name ?? "";
    if ((word(bytes, at + 4) & 0xffff) === 0) throw new Error(`${name} was answered with no address`);
    const answerAt = at + HEADER_OCTETS + name.length + 2 + TYPE_AND_CLASS_OCTETS;
    onAnswer(network, word(bytes, answerAt + ADDRESS_AT));
  };
  const ask = () => {
    const due = Math.floor(((performance.now() - startMs) / 1000 / ttlSeconds) * networks.length);
    while (asked < due) {
      const count = Math.min(BATCH, due - asked);
      for (let i = 0; i < count; i++) {
        const network = (asked + i) % networks.length;
        const at = network * SLOT_OCTETS;
        memory.bytes[at] = (asked + i) >> 8;
        memory.bytes[at + 1] = asked + i;
        outgoing.set(i, Number(memory.address) + at, lengths[network] ?? 0);
      }
      const sent = outgoing.send(fd, count);
      if (sent === 0) return;
      asked += sent;
    }
  };
  const timer = setInterval(() => {
    hear();
    ask();
  }, STEP_MS);
  return { stop: () => clearInterval(timer) };
}

/** Four octets, most significant first. @param {Uint8Array} bytes @param {number} at */
function word(bytes, at) {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(at, at + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}
