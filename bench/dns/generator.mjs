// Asks a DNS server as fast as it answers, or at a pace, and checks every answer. Started by load.mjs.
import { cpuSeconds } from "../lib/process.mjs";
import { quantile } from "../lib/statistics.mjs";
import { allocate, Batch, connectUdp } from "./libc.mjs";
import { encode, QUESTION_COUNT, questions } from "./questions.mjs";

/**
 * @typedef {object} Order
 * @property {number} port
 * @property {number} pid of the server, whose CPU time is read
 * @property {import("./questions.mjs").Mix} mix
 * @property {readonly string[]} [addresses] IPv4; an answer with another one is wrong
 * @property {number} seconds
 * @property {number} [warmUpSeconds] before that, not counted; 1 where left out
 * @property {number} [sockets] from which it is asked in turns; 8 where left out
 * @property {number} [perSecond] the pace; without it, as fast as it answers
 */

/**
 * @typedef {object} Yield
 * @property {number} answers
 * @property {number} wrong answers that are not what was asked for
 * @property {number} lost queries without an answer
 * @property {number} seconds
 * @property {number} serverCpuSeconds
 * @property {number} ownCpuSeconds
 * @property {number} p50Ms of the answers' delays; only at a pace
 * @property {number} p99Ms
 * @property {number} heldUpMs how long the generator itself was held up; only at a pace
 */

const SLOT_OCTETS = 96;
const SOCKET_COUNT = 8;
/** Queries on the way, over all sockets. */
const QUERIES_ON_THE_WAY = 512;
/** Messages per system call. */
const BATCH_MESSAGES = 64;
const REPLY_OCTETS = 512;
const HEADER_OCTETS = 12;
const TYPE_AND_CLASS_OCTETS = 4;
/** A record of one address with its name as a pointer (RFC 1035 4.1.4), and where in it the address is. */
const RECORD_OCTETS = 16;
const ADDRESS_AT = 12;
const WARM_UP_SECONDS = 1;
/** A socket that hears nothing for so long has lost what is on the way. */
const LOST_AFTER_MS = 250;
const MAX_DELAYS = 1 << 20;
/**
 * Between two turns at a pace; a longer pause is the generator's own, whose core somebody else had, and what was on
 * the way meanwhile says nothing of the server.
 */
const HELD_UP_MS = 1;

/** @type {Map<string, ReturnType<typeof prepare>>} */
const prepared = new Map();
/** By port and their number. @type {Map<string, Client[]>} */
const clientsAt = new Map();
/** @type {Set<number> | undefined} */
let allowed;
const outgoing = new Batch(BATCH_MESSAGES);
const incoming = new Batch(BATCH_MESSAGES, REPLY_OCTETS);

process.on("message", (/** @type {Order} */ order) => {
  process.send?.(carryOut(order));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");

/** @param {Order} order @returns {Yield} */
function carryOut({
  port,
  pid,
  mix,
  addresses,
  seconds,
  sockets = SOCKET_COUNT,
  perSecond,
  warmUpSeconds = WARM_UP_SECONDS,
}) {
  const known = prepared.get(mix) ?? prepare(mix);
  prepared.set(mix, known);
  const key = `${port}/${sockets}`;
  const clients =
    clientsAt.get(key) ?? Array.from({ length: sockets }, (_, i) => new Client(port, i, sockets));
  clientsAt.set(key, clients);
  allowed = addresses && new Set(addresses.map(numberOf));
  for (const client of clients) client.take(known, perSecond !== undefined);
  const step = perSecond === undefined ? roundOfWindows(clients) : roundAtPace(clients, perSecond);

  runUntil(performance.now() + warmUpSeconds * 1000, step);
  for (const client of clients) client.forgetCounts();
  const before = { ms: performance.now(), cpu: cpuSeconds(pid), own: process.cpuUsage() };
  runUntil(before.ms + seconds * 1000, step);
  const own = process.cpuUsage(before.own);
  const serverCpuSeconds = cpuSeconds(pid) - before.cpu;
  const elapsed = (performance.now() - before.ms) / 1000;
  const counts = clients.map(({ counts }) => counts);
  const delays = Float64Array.from(clients.flatMap((client) => [...client.delaysMs]));
  drain(clients);
  return {
    answers: sum(counts.map(({ answers }) => answers)),
    wrong: sum(counts.map(({ wrong }) => wrong)),
    lost: sum(counts.map(({ lost }) => lost)),
    seconds: elapsed,
    serverCpuSeconds,
    ownCpuSeconds: (own.user + own.system) / 1e6,
    p50Ms: quantile(delays, 0.5),
    p99Ms: quantile(delays, 0.99),
    heldUpMs: counts[0]?.heldUpMs ?? 0,
  };
}

/** @param {number} endMs @param {() => void} step */
function runUntil(endMs, step) {
  while (performance.now() < endMs) step();
}

/** Every socket is kept at its window; when none has an answer, wait on one. @param {Client[]} clients */
function roundOfWindows(clients) {
  let turn = 0;
  return () => {
    let received = 0;
    for (const client of clients) {
      received += client.receive(false);
      client.send(client.window - client.onTheWay);
    }
    if (received > 0) return;
    const client = clients[turn++ % clients.length];
    if (client !== undefined && client.receive(true) === 0) for (const each of clients) each.giveUpLost();
  };
}

/**
 * Whatever is due is sent, in turns; late answers hold nothing back. What became due while the generator itself was
 * held up is left out, or the server would be tried with a burst.
 * @param {Client[]} clients
 * @param {number} perSecond
 */
function roundAtPace(clients, perSecond) {
  let startMs = performance.now();
  let lastMs = startMs;
  let sent = 0;
  let turn = 0;
  return () => {
    const nowMs = performance.now();
    if (nowMs - lastMs > HELD_UP_MS) {
      startMs += nowMs - lastMs;
      for (const each of clients) each.noteHeldUp(nowMs - lastMs, nowMs);
    }
    lastMs = nowMs;
    const due = Math.min(BATCH_MESSAGES, Math.floor(((nowMs - startMs) / 1000) * perSecond) - sent);
    const client = clients[turn++ % clients.length];
    if (due > 0 && client !== undefined) {
      client.send(due);
      sent += due;
    }
    for (const each of clients) each.receive(false);
  };
}

/** What is still on the way must not be taken for answers of the next round. @param {Client[]} clients */
function drain(clients) {
  const endMs = performance.now() + LOST_AFTER_MS;
  while (clients.some(({ onTheWay }) => onTheWay > 0) && performance.now() < endMs)
    for (const client of clients) client.receive(false);
  for (const client of clients) client.onTheWay = 0;
}

/**
 * All queries of a mix behind one another in memory; their ids are their numbers, so that nothing has to
 * be written when they are sent.
 * @param {import("./questions.mjs").Mix} mix
 */
function prepare(mix) {
  const memory = allocate(QUESTION_COUNT * SLOT_OCTETS);
  const lengths = new Uint8Array(QUESTION_COUNT);
  const answersAt = new Uint8Array(QUESTION_COUNT);
  const absent = new Uint8Array(QUESTION_COUNT);
  questions(mix, QUESTION_COUNT).forEach((question, i) => {
    const packet = encode(question, i & 0xffff);
    memory.bytes.set(packet, i * SLOT_OCTETS);
    lengths[i] = packet.length;
    answersAt[i] = HEADER_OCTETS + question.name.length + 2 + TYPE_AND_CLASS_OCTETS;
    absent[i] = question.exists ? 0 : 1;
  });
  return { bytes: memory.bytes, address: Number(memory.address), lengths, answersAt, absent };
}

class Client {
  onTheWay = 0;
  counts = { answers: 0, wrong: 0, lost: 0, heldUpMs: 0 };
  /**
   * The first `#delays` of them; an array that grows would hold up the generator, and be taken for the server's
   * delay.
   */
  #delaysMs;
  #delays = 0;
  /** @type {ReturnType<typeof prepare> | undefined} */
  #known;
  /** Of the next question. */
  #next;
  #heardMs = performance.now();
  #isPaced = false;
  #timedSinceMs = 0;
  #sentMs = new Float64Array(1 << 16);

  /** @param {number} port @param {number} index @param {number} sockets how many there are */
  constructor(port, index, sockets) {
    this.fd = connectUdp(port);
    this.window = QUERIES_ON_THE_WAY / sockets;
    this.#next = Math.floor((QUESTION_COUNT / sockets) * index);
    this.#delaysMs = new Float64Array(MAX_DELAYS / sockets);
  }

  /** @param {ReturnType<typeof prepare>} known @param {boolean} isPaced */
  take(known, isPaced) {
    this.#known = known;
    this.#isPaced = isPaced;
    this.#heardMs = performance.now();
  }

  forgetCounts() {
    this.counts = { answers: 0, wrong: 0, lost: 0, heldUpMs: 0 };
    this.#delays = 0;
  }

  get delaysMs() {
    return this.#delaysMs.subarray(0, this.#delays);
  }

  /** @param {number} wanted */
  send(wanted) {
    const count = Math.min(wanted, BATCH_MESSAGES);
    if (this.#known === undefined || count <= 0) return;
    const { address, lengths } = this.#known;
    for (let i = 0; i < count; i++) {
      const question = (this.#next + i) % QUESTION_COUNT;
      outgoing.set(i, address + question * SLOT_OCTETS, lengths[question] ?? 0);
    }
    const sent = outgoing.send(this.fd, count);
    if (this.#isPaced) this.#noteTime(sent);
    this.#next = (this.#next + sent) % QUESTION_COUNT;
    this.onTheWay += sent;
  }

  /** @param {boolean} wait @returns {number} how many came */
  receive(wait) {
    const count = incoming.receive(this.fd, wait);
    if (count === 0) return 0;
    this.#heardMs = performance.now();
    for (let i = 0; i < count; i++) this.#check(i);
    this.counts.answers += count;
    this.onTheWay = Math.max(0, this.onTheWay - count);
    return count;
  }

  giveUpLost() {
    if (this.onTheWay === 0 || performance.now() - this.#heardMs < LOST_AFTER_MS) return;
    this.counts.lost += this.onTheWay;
    this.onTheWay = 0;
  }

  /** Answers to what was sent before are not timed. @param {number} forMs @param {number} nowMs */
  noteHeldUp(forMs, nowMs) {
    this.counts.heldUpMs += forMs;
    this.#timedSinceMs = nowMs;
  }

  /** @param {number} sent */
  #noteTime(sent) {
    const nowMs = performance.now();
    for (let i = 0; i < sent; i++) this.#sentMs[(this.#next + i) & 0xffff] = nowMs;
  }

  /**
   * Right is: the id and the name asked, authoritative, and two addresses that are allowed, or NXDOMAIN.
   * @param {number} i
   */
  #check(i) {
    const { bytes } = incoming;
    const at = i * REPLY_OCTETS;
    const id = (octet(bytes, at) << 8) | octet(bytes, at + 1);
    const last = this.#next - 1;
    const question = (last - ((last - id) & 0xffff) + QUESTION_COUNT) % QUESTION_COUNT;
    if (this.#isPaced) this.#time(this.#sentMs[id] ?? 0);
    if (!this.#isRight(question, at, incoming.octets(i))) this.counts.wrong++;
  }

  /** @param {number} sentMs */
  #time(sentMs) {
    if (sentMs < this.#timedSinceMs || this.#delays === this.#delaysMs.length) return;
    this.#delaysMs[this.#delays++] = this.#heardMs - sentMs;
  }

  /** @param {number} question @param {number} at @param {number} octets */
  #isRight(question, at, octets) {
    const { bytes } = incoming;
    if (this.#known === undefined || octets < 12) return false;
    const [rcode, answers] = this.#known.absent[question] === 1 ? [3, 0] : [0, 2];
    const asked = question * SLOT_OCTETS;
    for (let i = 12; i < 18; i++)
      if (octet(bytes, at + i) !== octet(this.#known.bytes, asked + i)) return false;
    return (
      (octet(bytes, at + 2) & 0x86) === 0x84 &&
      (octet(bytes, at + 3) & 0x0f) === rcode &&
      octet(bytes, at + 7) === answers &&
      areAllowed(at + (this.#known.answersAt[question] ?? 0), answers)
    );
  }
}

/** @param {number} at where the answers begin @param {number} count */
function areAllowed(at, count) {
  if (allowed === undefined) return true;
  const { bytes } = incoming;
  for (let i = 0; i < count; i++) {
    const address = at + i * RECORD_OCTETS + ADDRESS_AT;
    const [a, b] = [octet(bytes, address), octet(bytes, address + 1)];
    const [c, d] = [octet(bytes, address + 2), octet(bytes, address + 3)];
    if (!allowed.has(((a << 24) | (b << 16) | (c << 8) | d) >>> 0)) return false;
  }
  return true;
}

/** @param {string} address IPv4 */
function numberOf(address) {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** @param {Uint8Array} bytes @param {number} at */
function octet(bytes, at) {
  return bytes[at] ?? 0;
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
