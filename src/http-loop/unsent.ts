import { ERRNO, type Libc } from "../base/libc.ts";
import { MSG_DONTWAIT, MSG_NOSIGNAL } from "../base/socket-address.ts";
import type { Connection } from "./connections.ts";

/** Answers that clients do not take: as long as a connection has some, nothing more is read from it. */
export interface Unsent {
  /** False if there is no room for them. @param octets at least one */
  hold(connection: Connection, octets: Uint8Array): boolean;
  /** Sends what the client takes now. */
  send(connection: Connection): "all" | "some" | "none" | "gone";
  /** Forgets what is held of a connection that is no more ours. @returns what it was */
  release(connection: Connection): Uint8Array;
}

/** @param mostOctets of all connections together */
export function createUnsent(libc: Pick<Libc, "send" | "errno">, mostOctets: number): Unsent {
  let held = 0;

  const keep = (connection: Connection, octets: Uint8Array): void => {
    held += octets.length - connection.unsent.length;
    connection.unsent = octets;
  };

  return {
    hold(connection, octets) {
      if (held + octets.length > mostOctets) return false;
      keep(connection, octets);
      return true;
    },
    send(connection) {
      const { fd, unsent } = connection;
      const sent = libc.send(fd, unsent, unsent.length, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent < 0) return isPassing(libc.errno()) ? "none" : "gone";
      keep(connection, unsent.subarray(sent));
      return sent === unsent.length ? "all" : "some";
    },
    release(connection) {
      const { unsent } = connection;
      keep(connection, NOTHING);
      return unsent;
    },
  };
}

/** Whether a call is to be made again later. */
export function isPassing(errno: number): boolean {
  return errno === ERRNO.EAGAIN || errno === ERRNO.EINTR;
}

export const NOTHING = new Uint8Array();

/** Of a thread. Clients that read leave next to nothing. */
export const MOST_UNSENT_OCTETS = 64 * 1024 * 1024;
