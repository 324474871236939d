import type { Endpoint } from "../model/inventory.ts";
import type { Libc } from "./libc.ts";
import { boundPort, cInteger, SO_REUSEPORT, SOL_SOCKET } from "./socket-address.ts";

/** Sockets of one address; the system shares out among them what comes. */
export interface Together<Socket> {
  /** As it was asked for. */
  readonly asked: Endpoint;
  /** Where they really are bound. */
  readonly endpoint: Endpoint;
  readonly sockets: readonly Socket[];
}

export interface Opening<Socket> {
  readonly endpoint: Endpoint;
  /** How many, for as many threads; those that are inherited count. */
  readonly count: number;
  /** Sockets that are bound there already, by the process before this one. */
  readonly inherited: readonly Socket[];
  /** With SO_REUSEPORT where `isShared`; throws an Error of one line where it cannot be had. */
  readonly open: (endpoint: Endpoint, isShared: boolean) => Socket;
}

/**
 * Opens sockets at one address. The first is alone there until it is bound, so that nobody else's share it, whoever
 * else starts at the same time.
 * @throws what `open` throws, or an Error of one line where sockets cannot share; then none is left open
 */
export function openTogether<Socket extends { readonly fd: number }>(
  libc: Libc,
  { endpoint, count, inherited, open }: Opening<Socket>,
): Together<Socket> {
  const sockets = [...inherited];
  try {
    const first = inherited[0] ?? openFirst(libc, endpoint, open, sockets);
    const bound = { host: endpoint.host, port: boundPort(libc, first.fd) };
    while (sockets.length < count) sockets.push(open(bound, true));
    return { asked: endpoint, endpoint: bound, sockets };
  } catch (error) {
    for (const { fd } of sockets) libc.close(fd);
    throw error;
  }
}

function openFirst<Socket extends { readonly fd: number }>(
  libc: Libc,
  endpoint: Endpoint,
  open: Opening<Socket>["open"],
  sockets: Socket[],
): Socket {
  const first = open(endpoint, false);
  sockets.push(first);
  if (libc.setsockopt(first.fd, SOL_SOCKET, SO_REUSEPORT, cInteger(1), 4) === 0) return first;
  throw new Error("the system does not let sockets share an address");
}
