import { formatEndpoint, whyNotListening } from "../base/endpoint.ts";
import type { Libc } from "../base/libc.ts";
import { openTogether, type Together } from "../base/open-together.ts";
import {
  AF_INET,
  AF_INET6,
  cInteger,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  lastError,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  socketAddress,
  SOL_SOCKET,
} from "../base/socket-address.ts";
import type { Endpoint } from "../model/inventory.ts";

/** A listening socket; plain data, so that a thread can be told of it: descriptors belong to the process. */
export interface ListeningSocket {
  readonly fd: number;
  readonly family: 4 | 6;
}

/** The sockets of one address; the system shares its connections out among them. */
export type ListeningGroup = Together<ListeningSocket>;

/**
 * Binds as many sockets to one address as there are threads (SO_REUSEPORT), and listens.
 * @param ipv6Only whether `::` leaves IPv4 to others
 * @throws an Error of one line if it cannot be listened on; then none is left open
 */
export function listenTogether(
  libc: Libc,
  endpoint: Endpoint,
  count: number,
  ipv6Only: boolean,
): ListeningGroup {
  return openTogether(libc, endpoint, count, (at, isShared) => openSocket(libc, at, { isShared, ipv6Only }));
}

interface Sharing {
  readonly isShared: boolean;
  readonly ipv6Only: boolean;
}

function openSocket(libc: Libc, endpoint: Endpoint, sharing: Sharing): ListeningSocket {
  const isIpv6 = endpoint.host.includes(":");
  const name = socketAddress(endpoint);
  const fd = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw failure(libc, endpoint);
  const set = (level: number, option: number, value: number): boolean =>
    libc.setsockopt(fd, level, option, cInteger(value), 4) === 0;
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (isIpv6) set(IPPROTO_IPV6, IPV6_V6ONLY, sharing.ipv6Only ? 1 : 0);
  const isReady =
    (!sharing.isShared || set(SOL_SOCKET, SO_REUSEPORT, 1)) &&
    libc.bind(fd, name, name.length) === 0 &&
    libc.listen(fd, sharing.isShared ? BACKLOG : 1) === 0;
  if (isReady) return { fd, family: isIpv6 ? 6 : 4 };
  const error = failure(libc, endpoint);
  libc.close(fd);
  throw error;
}

function failure(libc: Libc, endpoint: Endpoint): Error {
  const cause = lastError(libc);
  const error = new Error(
    `cannot listen for HTTP on ${formatEndpoint(endpoint)}: ${whyNotListening(cause)}`,
    { cause },
  );
  return Object.assign(error, { code: cause.code });
}

const BACKLOG = 4096;
const SOCK_STREAM = 1;
export const SOCK_NONBLOCK = 0x800;
const SO_REUSEADDR = 2;
