import { createRequire } from "node:module";
import { endianness } from "node:os";

/**
 * The calls of the C library that Node does not have. Where a pointer is a bigint, it is an address of `addressOf`. Each
 * returns what the call returns; after -1 `errno()` says why.
 */
export interface Libc {
  socket(family: number, type: number, protocol: number): number;
  bind(fd: number, address: Uint8Array, octets: number): number;
  connect(fd: number, address: Uint8Array, octets: number): number;
  getsockname(fd: number, address: Uint8Array, octets: Uint32Array): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, octets: number): number;
  close(fd: number): number;
  listen(fd: number, backlog: number): number;
  accept4(fd: number, address: Uint8Array | bigint, octets: Uint32Array | bigint, flags: number): number;
  recv(fd: number, octets: Uint8Array | bigint, count: number, flags: number): number;
  send(fd: number, octets: Uint8Array | bigint, count: number, flags: number): number;
  epoll_create1(flags: number): number;
  /** @param event `struct epoll_event` */
  epoll_ctl(epoll: number, operation: number, fd: number, event: Uint8Array | bigint): number;
  /** @param timeoutMs at most so long */
  epoll_wait(epoll: number, events: Uint8Array | bigint, count: number, timeoutMs: number): number;
  eventfd(initial: number, flags: number): number;
  read(fd: number, octets: Uint8Array, count: number): number;
  write(fd: number, octets: Uint8Array, count: number): number;
  /** @param timeoutMs at most so long */
  poll(fds: bigint, count: number, timeoutMs: number): number;
  shutdown(fd: number, how: number): number;
  recvmmsg(fd: number, headers: bigint, count: number, flags: number, timeout: null): number;
  sendmmsg(fd: number, headers: bigint, count: number, flags: number): number;
  /** Of a thread, 0 for the calling one, into `struct sched_attr`. */
  sched_getattr(thread: number, attributes: Uint8Array, octets: number, flags: number): number;
  sched_setattr(thread: number, attributes: Uint8Array, flags: number): number;
  /** Into `struct rusage`. */
  getrusage(who: number, usage: Uint8Array): number;
  errno(): number;
  /** Where the memory of an array is; it stays there as long as the array is held. */
  addressOf(array: ArrayBufferView): bigint;
}

export type LibcResult =
  | { readonly kind: "loaded"; readonly libc: Libc }
  | { readonly kind: "unavailable"; readonly reason: string };

/** Looks the calls up; `unavailable` wherever the layouts and numbers that go with them would not hold. */
export function loadLibc(): LibcResult {
  if (process.platform !== "linux") return unavailable(`not on ${process.platform}`);
  if (!ARCHITECTURES.has(process.arch) || endianness() !== "LE") return unavailable(`not on ${process.arch}`);
  try {
    return { kind: "loaded", libc: bound() };
  } catch (error) {
    return unavailable(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
  }
}

/** Those whose layouts and numbers were checked: 64 bits, little-endian, Linux's generic socket options. */
const ARCHITECTURES: ReadonlySet<string> = new Set(["x64", "arm64"]);

function unavailable(reason: string): LibcResult {
  return { kind: "unavailable", reason };
}

/** koffi is asked for only here and now: where it cannot be loaded, edgeward runs without it. */
function bound(): Libc {
  const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
  const library = koffi.load(null);
  const call = (definition: string): never => library.func(definition) as never;
  // The C library has no functions for these. Such arguments are passed as those of a function without dots on both
  // architectures.
  const numbers = process.arch === "arm64" ? SYSCALLS_ARM64 : SYSCALLS_X64;
  const getattr: SchedGetattr = call("long syscall(long, int, void *, unsigned int, unsigned int)");
  const setattr: SchedSetattr = call("long syscall(long, int, void *, unsigned int)");
  return {
    socket: call("int socket(int, int, int)"),
    bind: call("int bind(int, void *, unsigned int)"),
    connect: call("int connect(int, void *, unsigned int)"),
    getsockname: call("int getsockname(int, void *, void *)"),
    setsockopt: call("int setsockopt(int, int, int, void *, unsigned int)"),
    close: call("int close(int)"),
    listen: call("int listen(int, int)"),
    accept4: call("int accept4(int, void *, void *, int)"),
    recv: call("long recv(int, void *, unsigned long, int)"),
    send: call("long send(int, void *, unsigned long, int)"),
    epoll_create1: call("int epoll_create1(int)"),
    epoll_ctl: call("int epoll_ctl(int, int, int, void *)"),
    epoll_wait: call("int epoll_wait(int, void *, int, int)"),
    eventfd: call("int eventfd(unsigned int, int)"),
    read: call("long read(int, void *, unsigned long)"),
    write: call("long write(int, void *, unsigned long)"),
    poll: call("int poll(void *, unsigned long, int)"),
    shutdown: call("int shutdown(int, int)"),
    recvmmsg: call("int recvmmsg(int, void *, unsigned int, int, void *)"),
    sendmmsg: call("int sendmmsg(int, void *, unsigned int, int)"),
    sched_getattr: (...args) => getattr(numbers.schedGetattr, ...args),
    sched_setattr: (...args) => setattr(numbers.schedSetattr, ...args),
    getrusage: call("int getrusage(int, void *)"),
    errno: () => koffi.errno(),
    addressOf: (array) => koffi.address(array),
  };
}

type SchedGetattr = (call: number, ...args: Parameters<Libc["sched_getattr"]>) => number;
type SchedSetattr = (call: number, ...args: Parameters<Libc["sched_setattr"]>) => number;

/** By the kernel's tables. */
const SYSCALLS_X64 = { schedSetattr: 314, schedGetattr: 315 };
const SYSCALLS_ARM64 = { schedSetattr: 274, schedGetattr: 275 };

/** Error numbers of Linux, the same on all architectures here. */
export const ERRNO = {
  EPERM: 1,
  EINTR: 4,
  EIO: 5,
  EBADF: 9,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTSOCK: 88,
  ENOBUFS: 105,
} as const;
