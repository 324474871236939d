import type { Endpoint } from "../model/inventory.ts";
import type { Libc } from "./libc.ts";
import { boundPort } from "./socket-address.ts";

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
 * Opens sockets at one address.
 * @throws what `open` throws; then none is left open
 */
export function openTogether<Socket extends { readonly fd: number }>(
  libc: Libc,
  { endpoint, count, inherited, open }: Opening<Socket>,
): Together<Socket> {
  const sockets = [...inherited];
  try {
    const bound = { host: endpoint.host, port: portOf(libc, endpoint, inherited[0] ?? open) };
    while (sockets.length < count) sockets.push(open(bound, true));
    return { asked: endpoint, endpoint: bound, sockets };
  } catch (error) {
    for (const { fd } of sockets) libc.close(fd);
    throw error;
  }
}

/** A socket that does not share finds out who else is there, and with port 0 a port for all of them. */
function portOf<Socket extends { readonly fd: number }>(
  libc: Libc,
  endpoint: Endpoint,
  known: Socket | Opening<Socket>["open"],
): number {
  if (typeof known !== "function") return boundPort(libc, known.fd);
  const probe = known(endpoint, false);
  const port = boundPort(libc, probe.fd);
  libc.close(probe.fd);
  return port;
}
