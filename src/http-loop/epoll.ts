import { ERRNO, type Libc } from "../base/libc.ts";

/** Descriptors that are waited for together (epoll(7)), level-triggered. */
export interface Epoll {
  /** @param event what is waited for; left out: that it can be read */
  readonly add: (fd: number, event?: Event) => void;
  /** Waits for something else of a descriptor from now on. */
  readonly change: (fd: number, event: Event) => void;
  readonly remove: (fd: number) => void;
  /** Calls `visit` with each descriptor that is ready, is closed or has failed. @param timeoutMs at most so long */
  wait(timeoutMs: number, visit: (fd: number) => void): void;
  close(): void;
}

export type Event = "readable" | "writable";

/** @throws if there is none to be had */
export function openEpoll(libc: Libc): Epoll {
  const epoll = libc.epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) throw new Error(`no epoll (errno ${libc.errno()})`);
  const events = new Uint8Array(EVENTS * EVENT_OCTETS);
  const view = new DataView(events.buffer);
  const change = new Uint8Array(EVENT_OCTETS);
  const changeView = new DataView(change.buffer);
  const control = (operation: number, fd: number, event: Event): void => {
    changeView.setUint32(0, event === "readable" ? EPOLLIN : EPOLLOUT, true);
    changeView.setInt32(DATA_AT, fd, true);
    libc.epoll_ctl(epoll, operation, fd, change);
  };
  return {
    add: (fd, event = "readable") => control(EPOLL_CTL_ADD, fd, event),
    change: (fd, event) => control(EPOLL_CTL_MOD, fd, event),
    remove: (fd) => void libc.epoll_ctl(epoll, EPOLL_CTL_DEL, fd, change),
    wait(timeoutMs, visit) {
      const count = libc.epoll_wait(epoll, events, EVENTS, timeoutMs);
      if (count < 0 && libc.errno() !== ERRNO.EINTR) throw new Error(`epoll failed (errno ${libc.errno()})`);
      for (let i = 0; i < count; i++) visit(view.getInt32(i * EVENT_OCTETS + DATA_AT, true));
    },
    close: () => void libc.close(epoll),
  };
}

/** How many are told of at once. */
const EVENTS = 256;

/** `struct epoll_event` is packed on x86-64 alone. */
const EVENT_OCTETS = process.arch === "x64" ? 12 : 16;
const DATA_AT = process.arch === "x64" ? 4 : 8;

const EPOLLIN = 1;
const EPOLLOUT = 4;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLL_CTL_MOD = 3;
const EPOLL_CLOEXEC = 0x80000;
