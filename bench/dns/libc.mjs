import koffi from "koffi";

/**
 * UDP in batches: sendmmsg and recvmmsg of the C library, over memory that it and we both see. Linux,
 * 64 bit, little endian; struct mmsghdr has 64 octets there, struct iovec 16.
 */
const libc = koffi.load("libc.so.6");
const c = {
  socket: libc.func("int socket(int, int, int)"),
  connect: libc.func("int connect(int, void *, uint32_t)"),
  setsockopt: libc.func("int setsockopt(int, int, int, void *, uint32_t)"),
  sendmmsg: libc.func("int sendmmsg(int, void *, unsigned int, int)"),
  recvmmsg: libc.func("int recvmmsg(int, void *, unsigned int, int, void *)"),
};

const [AF_INET, SOCK_DGRAM, SOL_SOCKET, SO_RCVBUF, SO_RCVTIMEO] = [2, 2, 1, 8, 20];
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;
const RECEIVE_BUFFER_OCTETS = 4 << 20;
/** How long a blocking receive waits. */
const PATIENCE_MICROSECONDS = 2000;

/**
 * @typedef {object} Memory
 * @property {bigint} address
 * @property {Uint8Array} bytes
 */

/** @param {number} octets @returns {Memory} zeroed, and never freed */
export function allocate(octets) {
  const address = koffi.alloc("uint8_t", octets);
  const bytes = new Uint8Array(koffi.view(address, octets));
  bytes.fill(0);
  return { address: koffi.address(address), bytes };
}

/**
 * A socket connected to a port of 127.0.0.1: only answers from there come in.
 * @param {number} port
 * @returns {number} its descriptor
 */
export function connectUdp(port) {
  const fd = c.socket(AF_INET, SOCK_DGRAM, 0);
  const room = allocate(4);
  new DataView(room.bytes.buffer).setUint32(0, RECEIVE_BUFFER_OCTETS, true);
  c.setsockopt(fd, SOL_SOCKET, SO_RCVBUF, room.address, 4);
  const patience = allocate(16);
  new DataView(patience.bytes.buffer).setBigUint64(8, BigInt(PATIENCE_MICROSECONDS), true);
  c.setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, patience.address, 16);
  const peer = allocate(16);
  peer.bytes.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
  if (fd < 0 || c.connect(fd, peer.address, 16) !== 0) throw new Error(`no socket to 127.0.0.1:${port}`);
  return fd;
}

/**
 * A row of messages, each one buffer; for sending the buffers are set per message, for receiving they are
 * the messages' own.
 */
export class Batch {
  /** Octets received, by message: every 16th. */
  #words;
  #iovecs;
  #headers;
  /** @param {number} size messages @param {number} bufferOctets of each message's own buffer */
  constructor(size, bufferOctets = 0) {
    this.size = size;
    this.bufferOctets = bufferOctets;
    const headers = allocate(size * 64);
    const iovecs = allocate(size * 16);
    this.#headers = headers.address;
    this.#words = new Uint32Array(headers.bytes.buffer);
    this.#iovecs = new Uint32Array(iovecs.bytes.buffer);
    const buffers = allocate(Math.max(8, size * bufferOctets));
    /** The messages' own buffers, one after the other. */
    this.bytes = buffers.bytes;
    const view = new DataView(headers.bytes.buffer);
    for (let i = 0; i < size; i++) {
      view.setBigUint64(i * 64 + 16, iovecs.address + BigInt(i * 16), true);
      view.setBigUint64(i * 64 + 24, 1n, true);
      this.set(i, Number(buffers.address) + i * bufferOctets, bufferOctets);
    }
  }

  /** @param {number} i @param {number} address @param {number} octets */
  set(i, address, octets) {
    this.#iovecs[i * 4] = address % 0x1_0000_0000;
    this.#iovecs[i * 4 + 1] = Math.floor(address / 0x1_0000_0000);
    this.#iovecs[i * 4 + 2] = octets;
  }

  /** @param {number} i @returns {number} octets received */
  octets(i) {
    return this.#words[i * 16 + 14] ?? 0;
  }

  /** @param {number} fd @param {number} count @returns {number} messages sent */
  send(fd, count) {
    return Math.max(0, c.sendmmsg(fd, this.#headers, count, 0));
  }

  /**
   * @param {number} fd
   * @param {boolean} wait for the first, a little
   * @returns {number} messages received
   */
  receive(fd, wait) {
    return Math.max(0, c.recvmmsg(fd, this.#headers, this.size, wait ? MSG_WAITFORONE : MSG_DONTWAIT, null));
  }
}
