/** A TCP connection as far as its place among the others goes. */
export interface Seat {
  /** Whose it is. */
  readonly client: string;
  /** When a whole query last came in, or the connection was opened. */
  activeMs: number;
  /** Closes it at once. Must lead to `leave`. */
  close(): void;
}

export interface ConnectionLimits {
  readonly total: number;
  readonly perClient: number;
  readonly idleMs: number;
}

/** Who is connected, longest idle first; there is always room for one more (RFC 7766 6.2.2, 6.2.3). */
export interface Connections {
  readonly size: number;
  /** Closes the longest idle of the client, or of all, if there are too many. */
  join(seat: Seat): void;
  /** The seat had a query. */
  touch(seat: Seat, nowMs: number): void;
  leave(seat: Seat): void;
  /** Closes who has been idle for too long. */
  sweep(nowMs: number): void;
  closeAll(): void;
}

export function createConnections(limits: ConnectionLimits): Connections {
  // Sets keep the order of insertion: the first is the longest idle.
  const all = new Set<Seat>();
  const byClient = new Map<string, Set<Seat>>();

  const leave = (seat: Seat): void => {
    all.delete(seat);
    const own = byClient.get(seat.client);
    own?.delete(seat);
    if (own?.size === 0) byClient.delete(seat.client);
  };

  const enter = (seat: Seat): void => {
    all.add(seat);
    const own = byClient.get(seat.client);
    if (own === undefined) byClient.set(seat.client, new Set([seat]));
    else own.add(seat);
  };

  const evictFirst = (seats: Iterable<Seat> | undefined): void => {
    for (const seat of seats ?? []) {
      leave(seat);
      seat.close();
      return;
    }
  };

  return {
    get size() {
      return all.size;
    },
    join(seat) {
      if ((byClient.get(seat.client)?.size ?? 0) >= limits.perClient) evictFirst(byClient.get(seat.client));
      if (all.size >= limits.total) evictFirst(all);
      enter(seat);
    },
    touch(seat, nowMs) {
      if (!all.has(seat)) return;
      seat.activeMs = nowMs;
      leave(seat);
      enter(seat);
    },
    leave,
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
