import type { Proxied } from "../base/proxy-header.ts";
import type { Address } from "../model/address.ts";
import type { Preface } from "./preface.ts";

export interface Connection {
  readonly fd: number;
  readonly peer: Address;
  /** Present while a PROXY header is waited for. */
  preface: Preface | undefined;
  /** As it told. */
  proxied: Proxied | undefined;
  /** Answered so far. */
  requests: number;
  /** Whether as much came the last time as was asked for: it may have sent many at once. */
  mayHaveMore: boolean;
  /** Octets of a request that has begun behind others and is not complete. */
  begun: Uint8Array;
  /** Octets of answers that the client has not taken yet. */
  unsent: Uint8Array;
  /** When it was last answered, took octets of an answer, or was accepted. */
  sinceMs: number;
}

/** A thread's connections by descriptor, and marks of them that outlive the thread. */
export interface Connections {
  add(connection: Connection): void;
  get(fd: number): Connection | undefined;
  remove(fd: number): void;
  readonly size: () => number;
  /** Those that are idle longer than they may be. */
  overdue(nowMs: number): Connection[];
  /** The `count` that have been idle longest. */
  longestIdle(count: number): Connection[];
  all(): Connection[];
}

export interface IdleLimits {
  /** Of a connection that has not asked anything yet. */
  readonly headersTimeoutMs: number;
  /** Of one whose PROXY header is not complete. */
  readonly proxyHeaderTimeoutMs: number;
  /** Of one that has been answered. */
  readonly keepAliveTimeoutMs: number;
  /** Of one that takes no octet of its answers. */
  readonly silenceTimeoutMs: number;
}

/** @param marks one octet for each descriptor, 1 while the thread holds it; in shared memory */
export function createConnections(limits: IdleLimits, marks: Uint8Array): Connections {
  const byFd = new Map<number, Connection>();
  const patienceMs = ({ preface, requests, begun, unsent }: Connection): number => {
    if (preface !== undefined) return limits.proxyHeaderTimeoutMs;
    if (unsent.length > 0) return limits.silenceTimeoutMs;
    if (begun.length > 0) return BEGUN_MS;
    return requests === 0 ? limits.headersTimeoutMs : limits.keepAliveTimeoutMs;
  };
  return {
    add(connection) {
      byFd.set(connection.fd, connection);
      marks[connection.fd] = 1;
    },
    get: (fd) => byFd.get(fd),
    remove(fd) {
      byFd.delete(fd);
      marks[fd] = 0;
    },
    size: () => byFd.size,
    overdue(nowMs) {
      const overdue: Connection[] = [];
      for (const connection of byFd.values()) {
        if (nowMs - connection.sinceMs > patienceMs(connection)) overdue.push(connection);
      }
      return overdue;
    },
    longestIdle: (count) => [...byFd.values()].sort((a, b) => a.sinceMs - b.sinceMs).slice(0, count),
    all: () => [...byFd.values()],
  };
}

/** How long the rest of a request that was cut in two is waited for here. */
const BEGUN_MS = 1000;

/** Room for the descriptors that a process may have; those beyond are not marked. */
export const MARKED_DESCRIPTORS = 1 << 20;
