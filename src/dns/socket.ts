import { parseAddress } from "../base/address.ts";
import type { InheritedSockets } from "../base/inherited-sockets.ts";
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
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SO_REUSEADDR,
} from "../base/socket-address.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Transport } from "./counters.ts";
import { listenError, RECEIVE_BUFFER_OCTETS } from "./listen.ts";

/** Plain data, so that a thread can be told of it: descriptors belong to the process. */
export interface SharedSocket {
  readonly fd: number;
  readonly family: 4 | 6;
  /** Bound to no single address: replies have to be told where to leave from. */
  readonly isWildcard: boolean;
}

/** The sockets of one UDP address; the system shares its packets out among them by sender. */
export type SocketGroup = Together<SharedSocket>;

/** What sockets of this door are handed on as. */
export const UDP_USE = "dns-udp";
export const TCP_USE = "dns-tcp";

/** Those for UDP that the process before this one had bound there. */
export function inheritedGroup(inherited: InheritedSockets, endpoint: Endpoint): SharedSocket[] {
  return inherited.take(UDP_USE, endpoint).map((fd) => sharedSocket(fd, endpoint));
}

/**
 * Binds sockets to one address (SO_REUSEPORT), for as many threads.
 * @param inherited as `inheritedGroup`; they count
 * @throws an Error of one line if it cannot be listened on; then none is left open
 */
export function openSocketGroup(
  libc: Libc,
  endpoint: Endpoint,
  count: number,
  inherited: readonly SharedSocket[],
): SocketGroup {
  const open = (at: Endpoint, isShared: boolean): SharedSocket => openSocket(libc, at, { isShared });
  return openTogether(libc, { endpoint, count, inherited, open });
}

/**
 * Listens for TCP connections; accepting and whatever else one would wait for returns at once.
 * @throws an Error of one line if it cannot be listened on
 */
export function openStreamSocket(libc: Libc, endpoint: Endpoint): SharedSocket {
  const { address, family, isWildcard } = familyOf(endpoint);
  const fd = libc.socket(address, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(libc, endpoint, "tcp");
  const set = (level: number, name: number): void => void libc.setsockopt(fd, level, name, cInteger(1), 4);
  set(SOL_SOCKET, SO_REUSEADDR);
  // Those that are accepted inherit it.
  set(IPPROTO_TCP, TCP_NODELAY);
  if (family === 6) set(IPPROTO_IPV6, IPV6_V6ONLY);
  const name = socketAddress(endpoint);
  if (libc.bind(fd, name, name.length) === 0 && libc.listen(fd, BACKLOG) === 0)
    return { fd, family, isWildcard };
  const error = failure(libc, endpoint, "tcp");
  libc.close(fd);
  throw error;
}

/** A descriptor that is bound to the endpoint. */
export function sharedSocket(fd: number, endpoint: Endpoint): SharedSocket {
  const { family, isWildcard } = familyOf(endpoint);
  return { fd, family, isWildcard };
}

export function closeSockets(libc: Libc, sockets: readonly SharedSocket[]): void {
  for (const { fd } of sockets) libc.close(fd);
}

function openSocket(libc: Libc, endpoint: Endpoint, { isShared }: { isShared: boolean }): SharedSocket {
  const { address, family, isWildcard } = familyOf(endpoint);
  const fd = libc.socket(address, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(libc, endpoint, "udp");
  const socket: SharedSocket = { fd, family, isWildcard };
  try {
    configure(libc, socket, isShared);
    const name = socketAddress(endpoint);
    if (libc.bind(fd, name, name.length) < 0) throw failure(libc, endpoint, "udp");
    return socket;
  } catch (error) {
    libc.close(fd);
    throw error;
  }
}

/** What the system does not know or grant is done without, but for sharing. */
function configure(libc: Libc, { fd, family, isWildcard }: SharedSocket, isShared: boolean): void {
  const set = (level: number, name: number, value: Uint8Array): boolean =>
    libc.setsockopt(fd, level, name, value, value.length) === 0;
  if (family === 6) set(IPPROTO_IPV6, IPV6_V6ONLY, cInteger(1));
  if (isShared && !set(SOL_SOCKET, SO_REUSEPORT, cInteger(1)))
    throw new Error("the system does not let sockets share an address");
  if (isWildcard && family === 4) set(IPPROTO_IP, IP_PKTINFO, cInteger(1));
  if (isWildcard && family === 6) set(IPPROTO_IPV6, IPV6_RECVPKTINFO, cInteger(1));
  // Replies pass in one piece (RFC 9715 3.1): nobody's word that a path is narrow has them cut up.
  if (family === 4) set(IPPROTO_IP, IP_MTU_DISCOVER, cInteger(PMTUDISC_PROBE));
  else set(IPPROTO_IPV6, IPV6_MTU_DISCOVER, cInteger(PMTUDISC_PROBE));
  // With the right to, past what net.core.rmem_max allows.
  const buffer = cInteger(RECEIVE_BUFFER_OCTETS);
  if (!set(SOL_SOCKET, SO_RCVBUFFORCE, buffer)) set(SOL_SOCKET, SO_RCVBUF, buffer);
  set(SOL_SOCKET, SO_SNDTIMEO, timeval(SEND_PATIENCE_MS));
}

function familyOf({ host }: Endpoint): { address: number } & Pick<SharedSocket, "family" | "isWildcard"> {
  const address = parseAddress(host);
  if (address === undefined) throw new Error(`not an address: ${host}`);
  const isWildcard = address.bytes.every((octet) => octet === 0);
  return host.includes(":")
    ? { address: AF_INET6, family: 6, isWildcard }
    : { address: AF_INET, family: 4, isWildcard };
}

function failure(libc: Libc, endpoint: Endpoint, transport: Transport): Error {
  return listenError(endpoint, transport, lastError(libc));
}

function timeval(milliseconds: number): Uint8Array {
  return new Uint8Array(BigInt64Array.of(0n, BigInt(milliseconds) * 1000n).buffer);
}

/** A network that takes no packet for so long loses some. */
const SEND_PATIENCE_MS = 100;

/** Who waits to be accepted; the system grants what it allows. */
export const BACKLOG = 1024;

const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const SO_RCVBUF = 8;
const SO_RCVBUFFORCE = 33;
const SO_SNDTIMEO = 21;
const IPPROTO_IP = 0;
const IP_PKTINFO = 8;
const IP_MTU_DISCOVER = 10;
const IPV6_MTU_DISCOVER = 23;
/** Always with "don't fragment"; what ICMP says of path MTUs, which anybody can send, is not asked for each packet. */
const PMTUDISC_PROBE = 3;
const IPV6_RECVPKTINFO = 49;
