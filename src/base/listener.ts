import type { Endpoint } from "../model/inventory.ts";
import type { Libc } from "./libc.ts";
import {
  AF_INET,
  AF_INET6,
  cInteger,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  lastError,
  SO_REUSEADDR,
  SO_REUSEPORT,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_STREAM,
  socketAddress,
  SOL_SOCKET,
} from "./socket-address.ts";

/** How TCP connections are listened for. */
export interface Listening {
  /** Whether `::` leaves IPv4 to others. */
  readonly ipv6Only: boolean;
  /** Whether other sockets may be bound to the same address (SO_REUSEPORT). */
  readonly isShared: boolean;
  /** Whether those that are accepted send what they are given at once (TCP_NODELAY). */
  readonly isUndelayed: boolean;
  /** How many may wait to be accepted, unless the system allows fewer (`somaxconn`). */
  readonly backlog: number;
  /** What is thrown for the reason that the system gives. */
  readonly failure: (cause: NodeJS.ErrnoException) => Error;
}

/**
 * Listens for TCP connections. Accepting, and whatever else one would wait for, returns at once.
 * @returns its descriptor
 * @throws `failure` if it cannot be listened on; then nothing is left open
 */
export function openListener(libc: Libc, endpoint: Endpoint, listening: Listening): number {
  const name = socketAddress(endpoint);
  const isIpv6 = endpoint.host.includes(":");
  const { ipv6Only, isShared, isUndelayed, backlog, failure } = listening;
  const fd = libc.socket(isIpv6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(lastError(libc));
  const set = (level: number, option: number, value: number): boolean =>
    libc.setsockopt(fd, level, option, cInteger(value), 4) === 0;
  set(SOL_SOCKET, SO_REUSEADDR, 1);
  // Those that are accepted inherit it.
  if (isUndelayed) set(IPPROTO_TCP, TCP_NODELAY, 1);
  if (isIpv6) set(IPPROTO_IPV6, IPV6_V6ONLY, ipv6Only ? 1 : 0);
  const isReady =
    (!isShared || set(SOL_SOCKET, SO_REUSEPORT, 1)) &&
    libc.bind(fd, name, name.length) === 0 &&
    libc.listen(fd, backlog) === 0;
  if (isReady) return fd;
  const error = failure(lastError(libc));
  libc.close(fd);
  throw error;
}

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
