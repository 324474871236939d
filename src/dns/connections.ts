import type { TcpLimits } from "../model/dns-settings.ts";

/** A TCP connection as far as its place among the others goes. */
export interface Seat {
  /** Whose it is, as `networkOf`. */
  readonly network: string;
  /** When a whole query last came in, or the connection was opened. */
  activeMs: number;
  /** Closes it at once. Must lead to `leave`. */
  close(): void;
}

/** Idle: no whole query for so long, whether octets drip or answers are not fetched (RFC 7766 6.2.3). */
export const TCP_LIMITS: TcpLimits = { connections: 1000, connectionsPerNetwork: 400, idleMs: 15_000 };

/** Who is connected, longest idle first; there is always room for one more (RFC 7766 6.2.2, 6.2.3). */
export interface Connections {
  readonly size: number;
  /** Closes the longest idle of the network, or of all, if there are too many. */
  join(seat: Seat): void;
  /** The seat had a query. */
  touch(seat: Seat, nowMs: number): void;
  leave(seat: Seat): void;
  /** Closes the longest idle of all; false: there is none. */
  evict(): boolean;
  /** From the next `join` on. */
  take(limits: TcpLimits | undefined): void;
  /** Closes who has been idle for too long. */
  sweep(nowMs: number): void;
  closeAll(): void;
}

export function createConnections(first: TcpLimits = TCP_LIMITS): Connections {
  let limits = first;
  // Sets keep the order of insertion: the first is the longest idle.
  const all = new Set<Seat>();
  const byNetwork = new Map<string, Set<Seat>>();

  const leave = (seat: Seat): void => {
    all.delete(seat);
    const own = byNetwork.get(seat.network);
    own?.delete(seat);
    if (own?.size === 0) byNetwork.delete(seat.network);
  };

  const enter = (seat: Seat): void => {
    all.add(seat);
    const own = byNetwork.get(seat.network);
    if (own === undefined) byNetwork.set(seat.network, new Set([seat]));
    else own.add(seat);
  };

  const evictFirst = (seats: Iterable<Seat>): boolean => {
    for (const seat of seats) {
      leave(seat);
      seat.close();
      return true;
    }
    return false;
  };

  const inNetwork = (network: string): ReadonlySet<Seat> => byNetwork.get(network) ?? NOBODY;

  return {
    get size() {
      return all.size;
    },
    join(seat) {
      const { network } = seat;
      while (inNetwork(network).size >= limits.connectionsPerNetwork) evictFirst(inNetwork(network));
      while (all.size >= limits.connections) evictFirst(all);
      enter(seat);
    },
    touch(seat, nowMs) {
      if (!all.has(seat)) return;
      seat.activeMs = nowMs;
      leave(seat);
      enter(seat);
    },
    leave,
    evict: () => evictFirst(all),
    take(next = TCP_LIMITS) {
      limits = next;
    },
    sweep(nowMs) {
      for (const seat of all) {
        if (nowMs - seat.activeMs < limits.idleMs) return;
        leave(seat);
        seat.close();
      }
    },
    closeAll() {
      for (const seat of all) seat.close();
    },
  };
}

const NOBODY: ReadonlySet<Seat> = new Set();

/** What the addresses of one holder have in common, usually: an IPv4 /24, an IPv6 /56. */
export function networkOf(source: Uint8Array): string {
  return source.subarray(0, source.length === 4 ? 3 : 7).join(".");
}
