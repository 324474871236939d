import type { Libc } from "../base/libc.ts";

/** Something to be read, or a connection that has ended. */
export const READABLE = 1;
/** Room to write into. */
export const WRITABLE = 4;

/** Which of many descriptors are ready. A closed descriptor leaves by itself. */
export class Epoll {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #found = new Int32Array(new ArrayBuffer(MOST_EVENTS * EVENT_OCTETS));
  readonly #foundAddress: bigint;
  readonly #change = new Int32Array(new ArrayBuffer(EVENT_OCTETS));
  readonly #changeAddress: bigint;

  /** @param fd as from `openEpoll` */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
    this.#foundAddress = libc.addressOf(this.#found);
    this.#changeAddress = libc.addressOf(this.#change);
  }

  /** A descriptor that is watched already stays so. */
  add(fd: number, events: number): void {
    this.#control(EPOLL_CTL_ADD, fd, events);
  }

  modify(fd: number, events: number): void {
    this.#control(EPOLL_CTL_MOD, fd, events);
  }

  /** @returns how many are ready, at once or after a while of at most `timeoutMs` */
  wait(timeoutMs: number): number {
    return Math.max(0, this.#libc.epoll_wait(this.#fd, this.#foundAddress, MOST_EVENTS, timeoutMs));
  }

  /** The descriptor of what was found ready. */
  fdAt(index: number): number {
    return this.#found[index * EVENT_WORDS + DATA_WORD] as number;
  }

  #control(operation: number, fd: number, events: number): void {
    this.#change[0] = events;
    this.#change[DATA_WORD] = fd;
    this.#libc.epoll_ctl(this.#fd, operation, fd, this.#changeAddress);
  }
}

/** Closing it is the caller's. */
export function openEpoll(libc: Libc): number {
  const fd = libc.epoll_create1(EPOLL_CLOEXEC);
  if (fd < 0) throw new Error(`no epoll (errno ${libc.errno()})`);
  return fd;
}

const MOST_EVENTS = 128;

const EPOLL_CLOEXEC = 0x80000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_MOD = 3;

/** struct epoll_event: what happened, and 64 bits of ours; without padding on x86-64 alone. */
const DATA_WORD = process.arch === "x64" ? 1 : 2;
const EVENT_WORDS = DATA_WORD + 2;
const EVENT_OCTETS = EVENT_WORDS * 4;
