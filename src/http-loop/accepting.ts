import { ERRNO, type Libc } from "../base/libc.ts";
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from "../base/socket-address.ts";
import type { Address } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import { type Answering, awaited } from "./answering.ts";
import type { Connection, Connections } from "./connections.ts";
import type { Epoll } from "./epoll.ts";
import { createPeerRoom } from "./peer.ts";
import type { ListeningSocket } from "./sockets.ts";
import type { TurnTime } from "./turn-time.ts";
import { NOTHING } from "./unsent.ts";

export interface AcceptingOptions {
  readonly libc: Libc;
  readonly sockets: readonly ListeningSocket[];
  readonly limits: {
    /** Beyond it, those that have been idle longest are closed. */
    readonly maxConnections: number;
  };
  /** Whether a peer's connections begin with a PROXY header. */
  readonly isBalancer: (peer: Address) => boolean;
  readonly log: Log;
}

/** Lets clients in, as far as there is room. */
export interface Accepting {
  /** The socket that listens there. */
  listener(fd: number): ListeningSocket | undefined;
  /**
   * Accepts who waits, and answers what has come with them.
   * @param most how many; left out: so few that others get their turn
   */
  accept(socket: ListeningSocket, most?: number): void;
  /** Waits for clients again, if that was left for want of descriptors. */
  resume(): void;
}

/** What the loop has for them. */
export interface AcceptingParts {
  readonly connections: Connections;
  readonly answering: Pick<Answering, "serve" | "close">;
  readonly epoll: Pick<Epoll, "add" | "remove">;
  readonly time: TurnTime;
}

export function createAccepting(options: AcceptingOptions, parts: AcceptingParts): Accepting {
  const { libc, limits } = options;
  const { connections, answering, epoll, time } = parts;
  const peers = createPeerRoom();
  const listeners = new Map(options.sockets.map((socket) => [socket.fd, socket]));
  let areListening = false;

  /** Without descriptors nobody is accepted until some are closed. */
  const refused = (errno: number): void => {
    if (errno !== ERRNO.EMFILE && errno !== ERRNO.ENFILE) return;
    options.log.warn({ connections: connections.size() }, "no descriptors left: the longest idle are closed");
    relieve();
    listen(false);
  };

  const listen = (areOpen: boolean): void => {
    if (areOpen === areListening) return;
    areListening = areOpen;
    const change = areOpen ? epoll.add : epoll.remove;
    for (const fd of listeners.keys()) change(fd);
  };

  const relieve = (): void => {
    for (const connection of connections.longestIdle(Math.ceil(connections.size() / 100)))
      answering.close(connection);
  };
  listen(true);

  return {
    listener: (fd) => listeners.get(fd),
    accept({ fd: listener }, most = ACCEPTS_PER_TURN) {
      for (let i = 0; i < most; i++) {
        if (connections.size() >= limits.maxConnections) relieve();
        const fd = libc.accept4(listener, peers.octets, peers.length(), SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return refused(libc.errno());
        const peer = peers.address();
        const preface = options.isBalancer(peer) ? NOTHING : undefined;
        const sinceMs = time.nowMs;
        const connection: Connection = {
          fd,
          peer,
          preface,
          proxied: undefined,
          requests: 0,
          mayHaveMore: false,
          begun: NOTHING,
          unsent: NOTHING,
          sinceMs,
        };
        connections.add(connection);
        if (answering.serve(connection)) epoll.add(fd, awaited(connection));
      }
    },
    resume: () => listen(true),
  };
}

/** So that those who are connected already get their turn. */
const ACCEPTS_PER_TURN = 64;
