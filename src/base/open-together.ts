import type { Endpoint } from "../model/inventory.ts";
import type { Libc } from "./libc.ts";
import { boundPort } from "./socket-address.ts";

/** Sockets of one address; the system shares out among them what comes. */
export interface Together<Socket> {
  /** Where they really are bound. */
  readonly endpoint: Endpoint;
  readonly sockets: readonly Socket[];
}

/**
 * Opens `count` sockets at one address, for as many threads.
 * @param open with SO_REUSEPORT where `isShared`; throws an Error of one line where it cannot be had
 * @throws what `open` throws; then none is left open
 */
export function openTogether<Socket extends { readonly fd: number }>(
  libc: Libc,
  endpoint: Endpoint,
  count: number,
  open: (endpoint: Endpoint, isShared: boolean) => Socket,
): Together<Socket> {
  // One that does not share finds out who else is there, and with port 0 a port for all of them.
  const probe = open(endpoint, false);
  const bound: Endpoint = { host: endpoint.host, port: boundPort(libc, probe.fd) };
  libc.close(probe.fd);
  const sockets: Socket[] = [];
  try {
    for (let i = 0; i < count; i++) sockets.push(open(bound, true));
    return { endpoint: bound, sockets };
  } catch (error) {
    for (const { fd } of sockets) libc.close(fd);
    throw error;
  }
}
