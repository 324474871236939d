import { parseAddress } from "../base/address.ts";
import type { Libc } from "../base/libc.ts";
import { openListener } from "../base/listener.ts";
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
  SOCK_DGRAM,
} from "../base/socket-address.ts";
import type { Endpoint } from "../model/inventory.ts";
import { BACKLOG, listenError, RECEIVE_BUFFER_OCTETS } from "./listen.ts";

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

/**
 * Binds sockets to one address (SO_REUSEPORT), for as many threads.
 * @param inherited descriptors that the process before this one had bound there; they count
 * @throws an Error of one line if it cannot be listened on; then none is left open
 */
export function openSocketGroup(
  libc: Libc,
  endpoint: Endpoint,
  count: number,
  inherited: readonly number[],
): SocketGroup {
  return openTogether(libc, {
    endpoint,
    count,
    inherited: inherited.map((fd) => sharedSocket(fd, endpoint)),
    open: (at, isShared) => openSocket(libc, at, isShared),
  });
}

/**
 * Listens for TCP connections; accepting and whatever else one would wait for returns at once.
 * @throws an Error of one line if it cannot be listened on
 */
export function openStreamSocket(libc: Libc, endpoint: Endpoint): SharedSocket {
  const fd = openListener(libc, endpoint, {
    ipv6Only: true,
    isShared: false,
    isUndelayed: true,
    backlog: BACKLOG,
    failure: (cause) => listenError(endpoint, "tcp", cause),
  });
  return sharedSocket(fd, endpoint);
}

/** A descriptor that is bound to the endpoint. */
export function sharedSocket(fd: number, endpoint: Endpoint): SharedSocket {
  const { family, isWildcard } = familyOf(endpoint);
  return { fd, family, isWildcard };
}

function openSocket(libc: Libc, endpoint: Endpoint, isShared: boolean): SharedSocket {
  const { address, family, isWildcard } = familyOf(endpoint);
  const fd = libc.socket(address, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure(libc, endpoint);
  const socket: SharedSocket = { fd, family, isWildcard };
  try {
    configure(libc, socket, isShared);
    const name = socketAddress(endpoint);
    if (libc.bind(fd, name, name.length) < 0) throw failure(libc, endpoint);
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

function failure(libc: Libc, endpoint: Endpoint): Error {
  return listenError(endpoint, "udp", lastError(libc));
}

function timeval(milliseconds: number): Uint8Array {
  return new Uint8Array(BigInt64Array.of(0n, BigInt(milliseconds) * 1000n).buffer);
}

/** A network that takes no packet for so long loses some. */
const SEND_PATIENCE_MS = 100;

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
