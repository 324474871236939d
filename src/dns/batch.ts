/**
 * Takes up to 64 datagrams with one system call and answers them with another.
 *
 * ```
 * recvmmsg ─► packets ─► respond ─► replies ─► sendmmsg
 *    └────── names, controls: who asked, and at which address ──────┘
 * ```
 *
 * Everything lies in one piece of memory that the system writes to and reads from; pointers in it are
 * written once, or when a reply is not in the place of its query because one before it got none. The
 * layouts are those of 64-bit Linux: struct mmsghdr, iovec, sockaddr_in, sockaddr_in6, cmsghdr.
 */
import { ERRNO, type Libc } from "../base/libc.ts";
import { SOCKADDR_IN6_OCTETS, MSG_DONTWAIT } from "../base/socket-address.ts";
import type { DnsCounters } from "./counters.ts";
import { MAX_DATAGRAM_OCTETS } from "./listen.ts";
import type { SharedSocket } from "./socket.ts";
import { isReflectorPort } from "./source.ts";
import { MAX_UDP_OCTETS, readUint16 } from "./wire.ts";

/** How many packets one call takes. */
export const BATCH_PACKETS = 64;

/** Room for a packet, by octets and by words of 32 bits; what is beyond the packet's end may be anything. */
export interface PacketRoom {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
}

export interface BatchOptions {
  /**
   * Answers the first `length` octets of `packet`; nothing passed in is kept.
   * @returns how many octets of `out` are the reply; 0: there is none
   */
  readonly respond: (packet: PacketRoom, length: number, source: Uint8Array, out: PacketRoom) => number;
  readonly counters: Pick<DnsCounters, "dropped">;
  /** Called before the first packet of a batch is answered. */
  readonly onBatch?: () => void;
}

export class PacketBatch {
  readonly #libc: Libc;
  readonly #options: BatchOptions;
  readonly #memory = new ArrayBuffer(MEMORY_OCTETS);
  readonly #octets = new Uint8Array(this.#memory);
  readonly #words = new Uint32Array(this.#memory);
  /** Views of one kind for each place; those of sources by family. */
  readonly #packets = places((i) => this.#room(PACKETS_AT + i * PACKET_STRIDE, MAX_DATAGRAM_OCTETS));
  readonly #replies = places((i) => this.#room(REPLIES_AT + i * REPLY_OCTETS, REPLY_OCTETS));
  readonly #ipv4Sources = places((i) => this.#view(NAMES_AT + i * NAME_OCTETS + 4, 4));
  readonly #ipv6Sources = places((i) => this.#view(NAMES_AT + i * NAME_OCTETS + 8, 16));
  readonly #receiveHeaders: bigint;
  /** Where each header of a reply is. */
  readonly #sendHeaders: readonly bigint[];
  /** For which there is room in all headers, until what came says how much of it was used. */
  #roomFor: SharedSocket | undefined;
  /** Whose name and control each header of a reply points to. */
  readonly #replyTo = new Uint8Array(BATCH_PACKETS);
  /** The low and high words of the addresses of names and controls. */
  readonly #nameWords = new Uint32Array(2 * BATCH_PACKETS);
  readonly #controlWords = new Uint32Array(2 * BATCH_PACKETS);

  constructor(libc: Libc, options: BatchOptions) {
    this.#libc = libc;
    this.#options = options;
    const base = libc.addressOf(this.#octets);
    this.#receiveHeaders = base + BigInt(RECEIVE_AT);
    this.#sendHeaders = places((i) => base + BigInt(SEND_AT + i * HEADER_OCTETS));
    this.#writePointers(base);
  }

  /**
   * Answers what waits at a socket, one batch at most; waits for nothing.
   * @returns how many packets it took; with `BATCH_PACKETS` there may be more
   * @throws if the socket is none, or not open
   */
  turn(socket: SharedSocket): number {
    this.#makeRoom(socket);
    const { fd } = socket;
    const received = this.#libc.recvmmsg(fd, this.#receiveHeaders, BATCH_PACKETS, MSG_DONTWAIT, null);
    if (received < 0) return this.#failedToReceive(this.#libc.errno());
    this.#options.onBatch?.();
    this.#send(fd, this.#answer(socket, received));
    return received;
  }

  /**
   * Lengths say how much there is room for, until the system puts there how much came. Names at one socket are all of
   * a length, and without controls nothing else comes.
   */
  #makeRoom(socket: SharedSocket): void {
    const { isWildcard } = socket;
    if (socket === this.#roomFor && !isWildcard) return;
    this.#roomFor = socket;
    const words = this.#words;
    const controlOctets = isWildcard ? CONTROL_OCTETS : 0;
    for (let i = 0, at = RECEIVE_AT >> 2; i < BATCH_PACKETS; i++, at += HEADER_WORDS) {
      words[at + NAME_LENGTH] = SOCKADDR_IN6_OCTETS;
      words[at + CONTROL_LENGTH] = controlOctets;
    }
  }

  #failedToReceive(errno: number): number {
    if (FATAL.has(errno)) throw new Error(`a DNS socket cannot be read (errno ${errno})`);
    // The rest is what ICMP says of clients that are gone, and shortages that pass.
    if (errno !== ERRNO.EAGAIN && errno !== ERRNO.EINTR) this.#options.counters.dropped("receive-error");
    return 0;
  }

  /** How many replies there are. */
  #answer(socket: SharedSocket, received: number): number {
    const { respond, counters } = this.#options;
    const words = this.#words;
    const sources = socket.family === 4 ? this.#ipv4Sources : this.#ipv6Sources;
    let replies = 0;
    for (let i = 0; i < received; i++) {
      if (isReflectorPort(readUint16(this.#octets, NAMES_AT + i * NAME_OCTETS + 2))) {
        counters.dropped("source-port");
        continue;
      }
      const length = words[(RECEIVE_AT >> 2) + i * HEADER_WORDS + RECEIVED_LENGTH] as number;
      const replyOctets = respond(
        this.#packets[i] as PacketRoom,
        length,
        sources[i] as Uint8Array,
        this.#replies[replies] as PacketRoom,
      );
      if (replyOctets === 0) continue;
      this.#address(replies, i, socket);
      words[(SEND_VECTORS_AT >> 2) + replies * VECTOR_WORDS + VECTOR_LENGTH] = replyOctets;
      replies++;
    }
    return replies;
  }

  /** To whom the packet came from, and from the address it came to. */
  #address(reply: number, query: number, { family, isWildcard }: SharedSocket): void {
    const words = this.#words;
    const to = (SEND_AT >> 2) + reply * HEADER_WORDS;
    const from = (RECEIVE_AT >> 2) + query * HEADER_WORDS;
    words[to + NAME_LENGTH] = words[from + NAME_LENGTH] as number;
    words[to + CONTROL_LENGTH] = words[from + CONTROL_LENGTH] as number;
    if (isWildcard && words[to + CONTROL_LENGTH] !== 0) this.#forgetInterface(query, family);
    if (this.#replyTo[reply] === query) return;
    this.#replyTo[reply] = query;
    words[to + NAME_POINTER] = this.#nameWords[2 * query] as number;
    words[to + NAME_POINTER + 1] = this.#nameWords[2 * query + 1] as number;
    words[to + CONTROL_POINTER] = this.#controlWords[2 * query] as number;
    words[to + CONTROL_POINTER + 1] = this.#controlWords[2 * query + 1] as number;
  }

  /** The way back is for the routing table to find, except on a link, where the interface is part of the address. */
  #forgetInterface(query: number, family: 4 | 6): void {
    const data = CONTROLS_AT + query * CONTROL_STRIDE + CMSG_OCTETS;
    if (family === 4) this.#words[data >> 2] = 0;
    else if (!isLinkLocal(this.#octets, data)) this.#words[(data >> 2) + 4] = 0;
  }

  #send(fd: number, replies: number): void {
    const { counters } = this.#options;
    let sent = 0;
    while (sent < replies) {
      const taken = this.#libc.sendmmsg(fd, this.#sendHeaders[sent] as bigint, replies - sent, 0);
      if (taken > 0) {
        sent += taken;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === ERRNO.EINTR) continue;
      // It is the first of them that could not be sent; with EAGAIN there is no room for any.
      const lost = errno === ERRNO.EAGAIN ? replies - sent : 1;
      for (let i = 0; i < lost; i++) counters.dropped("send-error");
      sent += lost;
    }
  }

  #room(at: number, octets: number): PacketRoom {
    return { octets: this.#view(at, octets), words: new Int32Array(this.#memory, at, octets / 4) };
  }

  #view(at: number, octets: number): Uint8Array {
    return new Uint8Array(this.#memory, at, octets);
  }

  /** Everything that stays the same from batch to batch. */
  #writePointers(base: bigint): void {
    const pointers = new BigUint64Array(this.#memory);
    const nameWords = new BigUint64Array(this.#nameWords.buffer);
    const controlWords = new BigUint64Array(this.#controlWords.buffer);
    const put = (at: number, target: number): void => {
      pointers[at >> 3] = base + BigInt(target);
    };
    for (let i = 0; i < BATCH_PACKETS; i++) {
      const receive = RECEIVE_AT + i * HEADER_OCTETS;
      const send = SEND_AT + i * HEADER_OCTETS;
      const receiveVector = RECEIVE_VECTORS_AT + i * VECTOR_OCTETS;
      const sendVector = SEND_VECTORS_AT + i * VECTOR_OCTETS;
      for (const header of [receive, send]) {
        put(header + 4 * NAME_POINTER, NAMES_AT + i * NAME_OCTETS);
        put(header + 4 * CONTROL_POINTER, CONTROLS_AT + i * CONTROL_STRIDE);
        this.#words[(header >> 2) + VECTOR_COUNT] = 1;
      }
      put(receive + 4 * VECTOR_POINTER, receiveVector);
      put(send + 4 * VECTOR_POINTER, sendVector);
      put(receiveVector, PACKETS_AT + i * PACKET_STRIDE);
      put(sendVector, REPLIES_AT + i * REPLY_OCTETS);
      this.#words[(receiveVector >> 2) + VECTOR_LENGTH] = MAX_DATAGRAM_OCTETS;
      this.#replyTo[i] = i;
      nameWords[i] = base + BigInt(NAMES_AT + i * NAME_OCTETS);
      controlWords[i] = base + BigInt(CONTROLS_AT + i * CONTROL_STRIDE);
    }
  }
}

function places<T>(make: (index: number) => T): T[] {
  return Array.from({ length: BATCH_PACKETS }, (_, index) => make(index));
}

/** fe80::/10 (RFC 4291 2.5.6) */
function isLinkLocal(octets: Uint8Array, at: number): boolean {
  return octets[at] === 0xfe && ((octets[at + 1] as number) & 0xc0) === 0x80;
}

/** That no waiting mends. */
const FATAL: ReadonlySet<number> = new Set([ERRNO.EBADF, ERRNO.ENOTSOCK, ERRNO.EFAULT, ERRNO.EINVAL]);

/** struct mmsghdr: fields by words of 4 octets. */
const HEADER_OCTETS = 64;
const HEADER_WORDS = HEADER_OCTETS / 4;
const NAME_POINTER = 0;
const NAME_LENGTH = 2;
const VECTOR_POINTER = 4;
const VECTOR_COUNT = 6;
const CONTROL_POINTER = 8;
const CONTROL_LENGTH = 10;
const RECEIVED_LENGTH = 14;

/** struct iovec */
const VECTOR_OCTETS = 16;
const VECTOR_WORDS = VECTOR_OCTETS / 4;
const VECTOR_LENGTH = 2;

/** Room for either socket address. */
const NAME_OCTETS = 32;
/** struct cmsghdr, after which its data begins. */
const CMSG_OCTETS = 16;
/**
 * CMSG_SPACE of in6_pktinfo, which is the larger one: address, then interface; in_pktinfo begins with the interface.
 */
const CONTROL_OCTETS = 40;
const CONTROL_STRIDE = 64;
/** Not a power of two, or all packets would compete for the same places of the processor's cache. */
const PACKET_STRIDE = MAX_DATAGRAM_OCTETS + 64;
const REPLY_OCTETS = 1280;
if (REPLY_OCTETS < MAX_UDP_OCTETS) throw new Error("a reply has no room");

const RECEIVE_AT = 0;
const SEND_AT = RECEIVE_AT + BATCH_PACKETS * HEADER_OCTETS;
const RECEIVE_VECTORS_AT = SEND_AT + BATCH_PACKETS * HEADER_OCTETS;
const SEND_VECTORS_AT = RECEIVE_VECTORS_AT + BATCH_PACKETS * VECTOR_OCTETS;
const NAMES_AT = SEND_VECTORS_AT + BATCH_PACKETS * VECTOR_OCTETS;
const CONTROLS_AT = NAMES_AT + BATCH_PACKETS * NAME_OCTETS;
const PACKETS_AT = CONTROLS_AT + BATCH_PACKETS * CONTROL_STRIDE;
const REPLIES_AT = PACKETS_AT + BATCH_PACKETS * PACKET_STRIDE;
const MEMORY_OCTETS = REPLIES_AT + BATCH_PACKETS * REPLY_OCTETS;
