import type { Libc } from "./libc.ts";

/** An eventfd that a blocked thread waits for beside its sockets; closing it is the caller's. */
export function openWake(libc: Libc): number {
  const fd = libc.eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (fd < 0) throw new Error(`no eventfd (errno ${libc.errno()})`);
  return fd;
}

/** Wakes whoever waits for the eventfd. */
export function wake(libc: Libc, wakeFd: number): void {
  libc.write(wakeFd, ONE, ONE.length);
}

/** Makes it wait again. */
export function drainWake(libc: Libc, wakeFd: number): void {
  libc.read(wakeFd, RECEIVED, RECEIVED.length);
}

const ONE = new Uint8Array(BigUint64Array.of(1n).buffer);
const RECEIVED = new Uint8Array(8);

const EFD_NONBLOCK = 0x800;
const EFD_CLOEXEC = 0x80000;
