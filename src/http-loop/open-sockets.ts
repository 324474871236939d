import { hasIpv4Twin } from "../base/endpoint.ts";
import type { HandedSockets, InheritedSockets } from "../base/inherited-sockets.ts";
import type { Libc, LibcResult } from "../base/libc.ts";
import { handedOn, openThreadSockets, type SocketsOfThreads } from "../base/thread-sockets.ts";
import type { Endpoint } from "../model/inventory.ts";
import { type Listening, type ListeningGroup, type ListeningSocket, listenTogether } from "./sockets.ts";

/**
 * Binds each endpoint as often as there are threads.
 * @param fewest threads; where more sockets are inherited, there are more
 * @throws an Error of one line if one of them cannot be listened on; then none is
 */
export function openSockets(
  libc: Libc,
  endpoints: readonly Endpoint[],
  fewest: number,
  inherited: InheritedSockets,
): SocketsOfThreads<ListeningSocket> {
  return openThreadSockets(libc, {
    use: HTTP_USE,
    endpoints,
    fewest,
    inherited,
    open(endpoint, count, fds) {
      const ipv6Only = hasIpv4Twin(endpoint, endpoints);
      return listenTogether(libc, { scheme: "HTTP", endpoint, count, ipv6Only, inherited: fds });
    },
  });
}

/** Sockets for TLS, one for each endpoint, which node:tls listens on; none where it is to open its own. */
export function openEncryptedSockets(
  libc: LibcResult,
  endpoints: readonly Endpoint[],
  inheritance: InheritedSockets,
): { readonly fds: readonly number[]; readonly handed: readonly HandedSockets[] } {
  if (libc.kind === "unavailable") return { fds: [], handed: [] };
  const groups: ListeningGroup[] = [];
  try {
    for (const endpoint of endpoints) {
      const ipv6Only = hasIpv4Twin(endpoint, endpoints);
      const fds = inheritance.take(HTTPS_USE, endpoint);
      const listening: Listening = { scheme: "HTTPS", endpoint, count: 1, ipv6Only, inherited: fds };
      groups.push(listenTogether(libc.libc, listening));
    }
  } catch (error) {
    for (const { sockets } of groups) for (const { fd } of sockets) libc.libc.close(fd);
    throw error;
  }
  return {
    fds: groups.flatMap(({ sockets }) => sockets.map(({ fd }) => fd)),
    handed: groups.map((group) => handedOn(HTTPS_USE, group)),
  };
}

const HTTP_USE = "http";
const HTTPS_USE = "https";
