import type { Libc } from "../base/libc.ts";
import { MAX_DATAGRAM_OCTETS } from "./listen.ts";
import { MAX_UDP_OCTETS } from "./wire.ts";

/** How many packets one call takes. */
export const BATCH_PACKETS = 64;

/** Room for a packet, by octets and by words of 32 bits; what is beyond the packet's end may be anything. */
export interface PacketRoom {
  readonly octets: Uint8Array;
  readonly words: Int32Array;
}

/**
 * What the system writes to and reads from when it takes and sends a batch, in one piece. The layouts are those of
 * 64-bit Linux: struct mmsghdr, iovec, sockaddr_in, sockaddr_in6, cmsghdr.
 */
export class BatchMemory {
  readonly #memory = new ArrayBuffer(MEMORY_OCTETS);
  readonly octets = new Uint8Array(this.#memory);
  /** Of 32 bits. */
  readonly words = new Uint32Array(this.#memory);
  readonly #pointers = new BigUint64Array(this.#memory);
  readonly #base: bigint;

  constructor(libc: Pick<Libc, "addressOf">) {
    this.#base = libc.addressOf(this.octets);
  }

  /** Where an octet of it is for the system. */
  addressOf(at: number): bigint {
    return this.#base + BigInt(at);
  }

  /** Has the pointer at an octet lead to another one. */
  point(at: number, target: number): void {
    this.#pointers[at >> 3] = this.addressOf(target);
  }

  /** The low and high words of the addresses of all places in a row. */
  addressWords(at: number, stride: number): Uint32Array {
    return new Uint32Array(BigUint64Array.from(places((i) => this.addressOf(at + i * stride))).buffer);
  }

  room(at: number, octets: number): PacketRoom {
    return { octets: this.view(at, octets), words: new Int32Array(this.#memory, at, octets / 4) };
  }

  view(at: number, octets: number): Uint8Array {
    return new Uint8Array(this.#memory, at, octets);
  }
}

/** One for each place in a batch. */
export function places<T>(make: (index: number) => T): T[] {
  return Array.from({ length: BATCH_PACKETS }, (_, index) => make(index));
}

/** struct mmsghdr: fields by words of 4 octets. */
export const HEADER_OCTETS = 64;
export const HEADER_WORDS = HEADER_OCTETS / 4;
export const NAME_POINTER = 0;
export const NAME_LENGTH = 2;
export const VECTOR_POINTER = 4;
export const VECTOR_COUNT = 6;
export const CONTROL_POINTER = 8;
export const CONTROL_LENGTH = 10;
export const RECEIVED_LENGTH = 14;

/** struct iovec */
export const VECTOR_OCTETS = 16;
export const VECTOR_WORDS = VECTOR_OCTETS / 4;
export const VECTOR_LENGTH = 2;

/** Room for either socket address. */
export const NAME_OCTETS = 32;
/** struct cmsghdr, after which its data begins. */
export const CMSG_OCTETS = 16;
/**
 * CMSG_SPACE of in6_pktinfo, which is the larger one: address, then interface; in_pktinfo begins with the interface.
 */
export const CONTROL_OCTETS = 40;
/** Room for that, and for the length of what is to be cut up. */
export const CONTROL_STRIDE = 64;
/** Not a power of two, or all packets would compete for the same places of the processor's cache. */
export const PACKET_STRIDE = MAX_DATAGRAM_OCTETS + 64;
export const REPLY_OCTETS = 1280;
if (REPLY_OCTETS < MAX_UDP_OCTETS) throw new Error("a reply has no room");

/**
 * Where the parts are: what came and who sent it; the replies, each by itself; and those that go as one message with
 * others.
 */
export const RECEIVE_AT = 0;
export const RECEIVE_VECTORS_AT = RECEIVE_AT + BATCH_PACKETS * HEADER_OCTETS;
export const NAMES_AT = RECEIVE_VECTORS_AT + BATCH_PACKETS * VECTOR_OCTETS;
export const CONTROLS_AT = NAMES_AT + BATCH_PACKETS * NAME_OCTETS;
export const SEND_AT = CONTROLS_AT + BATCH_PACKETS * CONTROL_STRIDE;
export const SEND_VECTORS_AT = SEND_AT + BATCH_PACKETS * HEADER_OCTETS;
export const MESSAGES_AT = SEND_VECTORS_AT + BATCH_PACKETS * VECTOR_OCTETS;
export const MESSAGE_VECTORS_AT = MESSAGES_AT + BATCH_PACKETS * HEADER_OCTETS;
export const MESSAGE_CONTROLS_AT = MESSAGE_VECTORS_AT + BATCH_PACKETS * VECTOR_OCTETS;
export const PACKETS_AT = MESSAGE_CONTROLS_AT + BATCH_PACKETS * CONTROL_STRIDE;
export const REPLIES_AT = PACKETS_AT + BATCH_PACKETS * PACKET_STRIDE;
const MEMORY_OCTETS = REPLIES_AT + BATCH_PACKETS * REPLY_OCTETS;
