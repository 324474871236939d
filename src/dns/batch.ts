/**
 * Takes up to 64 datagrams with one system call and answers them with another.
 *
 * ```
 * recvmmsg ─► packets ─► respond ─► replies ─► sendmmsg
 *    └────── names, controls: who asked, and at which address ──────┘
 * ```
 *
 * Everything lies in one piece of memory that the system writes to and reads from.
 */
import { ERRNO, type Libc } from "../base/libc.ts";
import { MSG_DONTWAIT, SOCKADDR_IN6_OCTETS } from "../base/socket-address.ts";
import {
  BATCH_PACKETS,
  BatchMemory,
  CMSG_OCTETS,
  CONTROL_LENGTH,
  CONTROL_OCTETS,
  CONTROL_POINTER,
  CONTROL_STRIDE,
  CONTROLS_AT,
  HEADER_OCTETS,
  HEADER_WORDS,
  NAME_LENGTH,
  NAME_OCTETS,
  NAME_POINTER,
  NAMES_AT,
  PACKET_STRIDE,
  type PacketRoom,
  PACKETS_AT,
  places,
  RECEIVE_AT,
  RECEIVE_VECTORS_AT,
  RECEIVED_LENGTH,
  VECTOR_COUNT,
  VECTOR_LENGTH,
  VECTOR_OCTETS,
  VECTOR_POINTER,
} from "./batch-memory.ts";
import type { DnsCounters } from "./counters.ts";
import { MAX_DATAGRAM_OCTETS } from "./listen.ts";
import { Outgoing } from "./outgoing.ts";
import type { SharedSocket } from "./socket.ts";
import { isReflectorPort } from "./source.ts";
import { readUint16 } from "./wire.ts";

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
  readonly #memory: BatchMemory;
  readonly #outgoing: Outgoing;
  /** Views of one kind for each place; those of sources by family. */
  readonly #packets: readonly PacketRoom[];
  readonly #ipv4Sources: readonly Uint8Array[];
  readonly #ipv6Sources: readonly Uint8Array[];
  readonly #receiveHeaders: bigint;
  /** For which there is room in all headers, until what came says how much of it was used. */
  #roomFor: SharedSocket | undefined;

  constructor(libc: Libc, options: BatchOptions) {
    this.#libc = libc;
    this.#options = options;
    const memory = new BatchMemory(libc);
    this.#memory = memory;
    this.#outgoing = new Outgoing(libc, memory, options.counters);
    this.#packets = places((i) => memory.room(PACKETS_AT + i * PACKET_STRIDE, MAX_DATAGRAM_OCTETS));
    this.#ipv4Sources = places((i) => memory.view(NAMES_AT + i * NAME_OCTETS + 4, 4));
    this.#ipv6Sources = places((i) => memory.view(NAMES_AT + i * NAME_OCTETS + 8, 16));
    this.#receiveHeaders = memory.addressOf(RECEIVE_AT);
    prepareToReceive(memory);
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
    this.#answer(socket, received);
    this.#outgoing.send(fd);
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
    const { words } = this.#memory;
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

  #answer(socket: SharedSocket, received: number): void {
    const { respond, counters } = this.#options;
    const { words, octets } = this.#memory;
    const outgoing = this.#outgoing;
    const sources = socket.family === 4 ? this.#ipv4Sources : this.#ipv6Sources;
    for (let i = 0; i < received; i++) {
      if (isReflectorPort(readUint16(octets, NAMES_AT + i * NAME_OCTETS + 2))) {
        counters.dropped("source-port");
        continue;
      }
      const header = (RECEIVE_AT >> 2) + i * HEADER_WORDS;
      const length = words[header + RECEIVED_LENGTH] as number;
      const replyOctets = respond(
        this.#packets[i] as PacketRoom,
        length,
        sources[i] as Uint8Array,
        outgoing.room,
      );
      if (replyOctets === 0) continue;
      if (socket.isWildcard && words[header + CONTROL_LENGTH] !== 0) this.#forgetInterface(i, socket.family);
      outgoing.add(i, replyOctets);
    }
  }

  /** The way back is for the routing table to find, except on a link, where the interface is part of the address. */
  #forgetInterface(query: number, family: 4 | 6): void {
    const data = CONTROLS_AT + query * CONTROL_STRIDE + CMSG_OCTETS;
    const { words, octets } = this.#memory;
    if (family === 4) words[data >> 2] = 0;
    else if (!isLinkLocal(octets, data)) words[(data >> 2) + 4] = 0;
  }
}

/** Everything that stays the same from batch to batch. */
function prepareToReceive(memory: BatchMemory): void {
  const { words } = memory;
  for (let i = 0; i < BATCH_PACKETS; i++) {
    const header = RECEIVE_AT + i * HEADER_OCTETS;
    const vector = RECEIVE_VECTORS_AT + i * VECTOR_OCTETS;
    memory.point(header + 4 * NAME_POINTER, NAMES_AT + i * NAME_OCTETS);
    memory.point(header + 4 * CONTROL_POINTER, CONTROLS_AT + i * CONTROL_STRIDE);
    memory.point(header + 4 * VECTOR_POINTER, vector);
    words[(header >> 2) + VECTOR_COUNT] = 1;
    memory.point(vector, PACKETS_AT + i * PACKET_STRIDE);
    words[(vector >> 2) + VECTOR_LENGTH] = MAX_DATAGRAM_OCTETS;
  }
}

/** fe80::/10 (RFC 4291 2.5.6) */
function isLinkLocal(octets: Uint8Array, at: number): boolean {
  return octets[at] === 0xfe && ((octets[at + 1] as number) & 0xc0) === 0x80;
}

/** That no waiting mends. */
const FATAL: ReadonlySet<number> = new Set([ERRNO.EBADF, ERRNO.ENOTSOCK, ERRNO.EFAULT, ERRNO.EINVAL]);
