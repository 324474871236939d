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
  SOCK_STREAM,
  SOCK_NONBLOCK,
  SO_REUSEADDR,
} from "../base/socket-address.ts";
import type { Endpoint } from "../model/inventory.ts";

/** A listening socket; plain data, so that a thread can be told of it: descriptors belong to the process. */
export interface ListeningSocket {
  readonly fd: number;
  readonly family: 4 | 6;
}

/** The sockets of one address; the system shares its connections out among them. */
export type ListeningGroup = Together<ListeningSocket>;

export interface Listening {
  /** For the operator, where it cannot be had. */
  readonly scheme: "HTTP" | "HTTPS";
  readonly endpoint: Endpoint;
  /** How many sockets, for as many threads; those that are inherited count. */
  readonly count: number;
  /** Whether `::` leaves IPv4 to others. */
  readonly ipv6Only: boolean;
  /** Descriptors that listen there already. */
  readonly inherited: readonly number[];
}

/**
 * Binds sockets to one address (SO_REUSEPORT), and listens.
 * @throws an Error of one line if it cannot be listened on; then none is left open
 */
export function listenTogether(libc: Libc, listening: Listening): ListeningGroup {
  const { endpoint, count } = listening;
  const family = familyOf(endpoint);
  return openTogether(libc, {
    endpoint,
    count,
    inherited: listening.inherited.map((fd) => ({ fd, family })),
    open: (at, isShared) => openSocket(libc, at, { ...listening, isShared }),
  });
}

type Sharing = Pick<Listening, "scheme" | "ipv6Only"> & { readonly isShared: boolean };

function openSocket(libc: Libc, endpoint: Endpoint, sharing: Sharing): ListeningSocket {
  const family = familyOf(endpoint);
  const isIpv6 = family === 6;
  const name = socketAddress(endpoint);
  const fd = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) throw failure(libc, endpoint, sharing.scheme);
  const set = (level: number, option: number, value: number): boolean =>
    libc.setsockopt(fd, level, option, cInteger(value), 4) === 0;
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  if (isIpv6) set(IPPROTO_IPV6, IPV6_V6ONLY, sharing.ipv6Only ? 1 : 0);
  const isReady =
    (!sharing.isShared || set(SOL_SOCKET, SO_REUSEPORT, 1)) &&
    libc.bind(fd, name, name.length) === 0 &&
    libc.listen(fd, BACKLOG) === 0;
  if (isReady) return { fd, family };
  const error = failure(libc, endpoint, sharing.scheme);
  libc.close(fd);
  throw error;
}

function familyOf({ host }: Endpoint): 4 | 6 {
  return host.includes(":") ? 6 : 4;
}

function failure(libc: Libc, endpoint: Endpoint, scheme: Listening["scheme"]): Error {
  const cause = lastError(libc);
  const error = new Error(
    `cannot listen for ${scheme} on ${formatEndpoint(endpoint)}: ${whyNotListening(cause)}`,
    { cause },
  );
  return Object.assign(error, { code: cause.code });
}

/** How many may wait to be accepted, unless the system allows fewer (`somaxconn`). */
export const BACKLOG = 4096;
