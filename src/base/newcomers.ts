/**
 * An end that resets nobody. What a listening socket holds when it is closed, the system resets, also those of whom
 * the program has not heard yet; and as long as it listens, more come.
 */
import { type Libc, loadLibc } from "./libc.ts";
import { SOL_SOCKET } from "./socket-address.ts";

/**
 * From now on nobody begins a connection to these listening TCP sockets; whoever has begun gets in. Their first
 * segments are dropped, so they try again a second later: by then the address is closed, which they are told at once,
 * or another process's. Where the system does not do this, it does nothing.
 */
export function keepNewcomersOut(fds: readonly number[]): void {
  const loaded = loadLibc();
  if (loaded.kind === "loaded") for (const fd of fds) attachFilter(loaded.libc, fd);
}

function attachFilter(libc: Libc, fd: number): void {
  const program = new Uint8Array(SOCK_FPROG_OCTETS);
  const view = new DataView(program.buffer);
  view.setUint16(0, FILTER.length / INSTRUCTION_OCTETS, true);
  view.setBigUint64(8, libc.addressOf(FILTER), true);
  libc.setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, program, program.length);
}

const SO_ATTACH_FILTER = 26;
/** `struct sock_fprog` on 64 bits. */
const SOCK_FPROG_OCTETS = 16;
/** `struct sock_filter`: code, jump if true, jump if false, operand. */
const INSTRUCTION_OCTETS = 8;

/**
 * Classic BPF over a segment from its TCP header on (RFC 9293 3.1): drops those with SYN and without ACK, which are
 * first ones.
 */
const FILTER = Uint8Array.from(
  [
    [0x30, 0, 0, 0, 13, 0, 0, 0], // A = the octet of flags
    [0x54, 0, 0, 0, 0x12, 0, 0, 0], // A &= SYN | ACK
    [0x15, 0, 0, 1, 0x02, 0, 0, 0], // if A is not SYN, pass over the next
    [0x06, 0, 0, 0, 0, 0, 0, 0], // drop
    [0x06, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], // keep all of it
  ].flat(),
);
