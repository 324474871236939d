import type { Libc } from "../base/libc.ts";
import { cInteger, SOCKADDR_IN6_OCTETS } from "../base/socket-address.ts";
import {
  BATCH_PACKETS,
  type BatchMemory,
  CONTROL_LENGTH,
  CONTROL_POINTER,
  CONTROL_STRIDE,
  CONTROLS_AT,
  HEADER_OCTETS,
  HEADER_WORDS,
  MESSAGE_CONTROLS_AT,
  MESSAGE_VECTORS_AT,
  MESSAGES_AT,
  NAME_LENGTH,
  NAME_OCTETS,
  NAME_POINTER,
  NAMES_AT,
  places,
  SEND_AT,
  SEND_VECTORS_AT,
  VECTOR_COUNT,
  VECTOR_LENGTH,
  VECTOR_OCTETS,
  VECTOR_POINTER,
  VECTOR_WORDS,
} from "./batch-memory.ts";

/**
 * Replies of one length to one socket, joined to one message, which the system cuts up again (UDP_SEGMENT: udp(7),
 * Linux 4.18). The way through its network is most of what a reply costs, and each message goes it once. Who asks
 * from few sockets, as forwarders and load balancers do, is answered so; where nobody does, it is hardly looked for.
 */
export class JoinedReplies {
  readonly #libc: Pick<Libc, "setsockopt">;
  readonly #memory: BatchMemory;
  /** Where the header of each message is. */
  readonly #headers: readonly bigint[];
  /** Whether the system cuts up what goes out there, by descriptor. */
  readonly #cutsUp = new Map<number, boolean>();
  /** Batches that are not looked at any more. */
  #passes = 0;

  readonly #queryOf: Uint8Array;
  readonly #messageOf = new Uint8Array(BATCH_PACKETS);
  #messages = 0;
  readonly #firstOf = new Uint8Array(BATCH_PACKETS);
  readonly #countOf = new Uint8Array(BATCH_PACKETS);
  /** Where each message's next piece goes among the vectors of all. */
  readonly #placeOf = new Uint8Array(BATCH_PACKETS);
  /** The message that was begun last for a hash of client and length. */
  readonly #lastFor = new Uint8Array(HASHES);

  /** The low and high words of the addresses of controls and vectors. */
  readonly #controls: Uint32Array;
  readonly #vectors: Uint32Array;

  /** @param queryOf to which packet of the batch a reply is, as long as it is laid out */
  constructor(libc: Pick<Libc, "setsockopt">, memory: BatchMemory, queryOf: Uint8Array) {
    this.#libc = libc;
    this.#memory = memory;
    this.#queryOf = queryOf;
    this.#headers = places((i) => memory.addressOf(MESSAGES_AT + i * HEADER_OCTETS));
    this.#controls = memory.addressWords(MESSAGE_CONTROLS_AT, CONTROL_STRIDE);
    this.#vectors = memory.addressWords(MESSAGE_VECTORS_AT, VECTOR_OCTETS);
  }

  /** Finds the message that the next reply of a batch, laid out to be sent by itself, may go with. */
  add(reply: number, query: number, octets: number): void {
    if (this.#passes > 0) return;
    const hash = this.#hash(reply, query, octets);
    const last = this.#lastFor[hash] as number;
    if (last < this.#messages && this.#goesWith(last, reply, query, octets)) {
      this.#messageOf[reply] = last;
      this.#countOf[last] = (this.#countOf[last] as number) + 1;
      return;
    }
    const message = this.#messages++;
    this.#lastFor[hash] = message;
    this.#messageOf[reply] = message;
    this.#firstOf[message] = reply;
    this.#countOf[message] = 1;
  }

  /** The batch is whole. @returns how many messages it goes as; 0: each reply is to be sent by itself */
  finish(fd: number, replies: number): number {
    if (this.#passes > 0) {
      this.#passes--;
      return 0;
    }
    const messages = this.#messages;
    this.#messages = 0;
    if (messages === replies || !this.#isCutUp(fd)) {
      if (replies >= MANY) this.#passes = PASSES;
      return 0;
    }
    this.#layOut(messages, replies);
    return messages;
  }

  header(message: number): bigint {
    return this.#headers[message] as bigint;
  }

  /** Which message of this batch a reply is a piece of. */
  messageOf(reply: number): number {
    return this.#messageOf[reply] as number;
  }

  /** What goes out there is not cut up after all. */
  giveUp(fd: number): void {
    this.#cutsUp.set(fd, false);
  }

  #hash(reply: number, query: number, octets: number): number {
    const { words } = this.#memory;
    const name = (NAMES_AT + query * NAME_OCTETS) >> 2;
    const isIpv6 = words[(SEND_AT >> 2) + reply * HEADER_WORDS + NAME_LENGTH] === SOCKADDR_IN6_OCTETS;
    const port = (words[name] as number) >>> 16;
    const address = words[name + (isIpv6 ? IPV6_END : IPV4_END)] as number;
    return (port ^ (port >>> 8) ^ (address >>> 24) ^ (address >>> 16) ^ octets) & (HASHES - 1);
  }

  #goesWith(message: number, reply: number, query: number, octets: number): boolean {
    const { words } = this.#memory;
    const first = this.#firstOf[message] as number;
    const mine = (SEND_AT >> 2) + reply * HEADER_WORDS;
    const its = (SEND_AT >> 2) + first * HEADER_WORDS;
    const other = this.#queryOf[first] as number;
    return (
      words[(SEND_VECTORS_AT >> 2) + first * VECTOR_WORDS + VECTOR_LENGTH] === octets &&
      ((this.#countOf[message] as number) + 1) * octets <= MOST_OCTETS &&
      words[its + CONTROL_LENGTH] === words[mine + CONTROL_LENGTH] &&
      this.#areAlike(NAMES_AT, NAME_OCTETS, query, other, words[mine + NAME_LENGTH] as number) &&
      this.#areAlike(CONTROLS_AT, CONTROL_STRIDE, query, other, words[mine + CONTROL_LENGTH] as number)
    );
  }

  /** @param octets a multiple of 4 */
  #areAlike(at: number, stride: number, a: number, b: number, octets: number): boolean {
    const { words } = this.#memory;
    const from = (at + a * stride) >> 2;
    const to = (at + b * stride) >> 2;
    for (let i = 0; i < octets >> 2; i++) if (words[from + i] !== words[to + i]) return false;
    return true;
  }

  #layOut(messages: number, replies: number): void {
    let pieces = 0;
    for (let message = 0; message < messages; message++) {
      this.#placeOf[message] = pieces;
      this.#layOutHeader(message, pieces);
      pieces += this.#countOf[message] as number;
    }
    const { words } = this.#memory;
    for (let reply = 0; reply < replies; reply++) {
      const message = this.#messageOf[reply] as number;
      const place = this.#placeOf[message] as number;
      this.#placeOf[message] = place + 1;
      const to = (MESSAGE_VECTORS_AT >> 2) + place * VECTOR_WORDS;
      const from = (SEND_VECTORS_AT >> 2) + reply * VECTOR_WORDS;
      words[to] = words[from] as number;
      words[to + 1] = words[from + 1] as number;
      words[to + VECTOR_LENGTH] = words[from + VECTOR_LENGTH] as number;
    }
  }

  /** As that of its first reply, but for how many pieces there are, and that it is to be cut up. */
  #layOutHeader(message: number, place: number): void {
    const { words } = this.#memory;
    const first = this.#firstOf[message] as number;
    const count = this.#countOf[message] as number;
    const to = (MESSAGES_AT >> 2) + message * HEADER_WORDS;
    const from = (SEND_AT >> 2) + first * HEADER_WORDS;
    words[to + NAME_POINTER] = words[from + NAME_POINTER] as number;
    words[to + NAME_POINTER + 1] = words[from + NAME_POINTER + 1] as number;
    words[to + NAME_LENGTH] = words[from + NAME_LENGTH] as number;
    words[to + VECTOR_POINTER] = this.#vectors[2 * place] as number;
    words[to + VECTOR_POINTER + 1] = this.#vectors[2 * place + 1] as number;
    words[to + VECTOR_COUNT] = count;
    if (count > 1) return this.#layOutControl(message, first);
    words[to + CONTROL_POINTER] = words[from + CONTROL_POINTER] as number;
    words[to + CONTROL_POINTER + 1] = words[from + CONTROL_POINTER + 1] as number;
    words[to + CONTROL_LENGTH] = words[from + CONTROL_LENGTH] as number;
  }

  /** Where it leaves from, as its first query says, and how long a piece is. */
  #layOutControl(message: number, first: number): void {
    const { words } = this.#memory;
    const header = (MESSAGES_AT >> 2) + message * HEADER_WORDS;
    const octets = words[(SEND_AT >> 2) + first * HEADER_WORDS + CONTROL_LENGTH] as number;
    const from = (CONTROLS_AT + (this.#queryOf[first] as number) * CONTROL_STRIDE) >> 2;
    let to = (MESSAGE_CONTROLS_AT + message * CONTROL_STRIDE) >> 2;
    for (let i = 0; i < octets >> 2; i++) words[to++] = words[from + i] as number;
    words[to++] = SEGMENT_CMSG_OCTETS;
    words[to++] = 0;
    words[to++] = SOL_UDP;
    words[to++] = UDP_SEGMENT;
    words[to] = words[(SEND_VECTORS_AT >> 2) + first * VECTOR_WORDS + VECTOR_LENGTH] as number;
    words[header + CONTROL_POINTER] = this.#controls[2 * message] as number;
    words[header + CONTROL_POINTER + 1] = this.#controls[2 * message + 1] as number;
    words[header + CONTROL_LENGTH] = octets + SEGMENT_CMSG_SPACE;
  }

  /** Asks once. An older Linux, which would send all pieces as one datagram, has no such option. */
  #isCutUp(fd: number): boolean {
    let isCutUp = this.#cutsUp.get(fd);
    if (isCutUp === undefined) {
      isCutUp = this.#libc.setsockopt(fd, SOL_UDP, UDP_SEGMENT, cInteger(0), 4) === 0;
      this.#cutsUp.set(fd, isCutUp);
    }
    return isCutUp;
  }
}

/** After a batch of so many replies of which none could be joined, so many are not looked at. */
const MANY = 8;
const PASSES = 15;

/** A power of two, and more than there can be messages, so that few clients share one. */
const HASHES = 256;
/** The last words of addresses in sockaddr_in and sockaddr_in6. */
const IPV4_END = 1;
const IPV6_END = 5;

/** A message with its headers is one IP packet (RFC 791 3.1) until it is cut up. */
const MOST_OCTETS = 65_000;

/** <linux/udp.h>, and CMSG_LEN and CMSG_SPACE of its value of 16 bits. */
const SOL_UDP = 17;
const UDP_SEGMENT = 103;
const SEGMENT_CMSG_OCTETS = 18;
const SEGMENT_CMSG_SPACE = 24;
