import { getSystemErrorMap } from "node:util";
import type { Endpoint } from "../model/inventory.ts";
import { parseAddress } from "./address.ts";
import type { Libc } from "./libc.ts";

/** `struct sockaddr_in` or `sockaddr_in6` of Linux. @throws if the host is no address */
export function socketAddress({ host, port }: Endpoint): Uint8Array {
  const address = parseAddress(host);
  if (address === undefined) throw new Error(`not an address: ${host}`);
  const isIpv6 = host.includes(":");
  const name = new Uint8Array(isIpv6 ? SOCKADDR_IN6_OCTETS : SOCKADDR_IN_OCTETS);
  const view = new DataView(name.buffer);
  view.setUint16(0, isIpv6 ? AF_INET6 : AF_INET, true);
  view.setUint16(2, port);
  // An IPv4-mapped address has its own place in IPv6.
  if (isIpv6 && address.bytes.length === 4) name.set([0xff, 0xff, ...address.bytes], 18);
  else name.set(address.bytes, isIpv6 ? 8 : 4);
  return name;
}

/** The port that a socket is bound to. */
export function boundPort(libc: Libc, fd: number): number {
  const name = new Uint8Array(SOCKADDR_IN6_OCTETS);
  libc.getsockname(fd, name, Uint32Array.of(name.length));
  return new DataView(name.buffer).getUint16(2);
}

/** The last call's error, as Node would throw it. */
export function lastError(libc: Libc): NodeJS.ErrnoException {
  const errno = libc.errno();
  const [code, message] = getSystemErrorMap().get(-errno) ?? [`errno ${errno}`, `errno ${errno}`];
  return Object.assign(new Error(message), { code });
}

/** A C `int`. */
export function cInteger(value: number): Uint8Array {
  return new Uint8Array(Int32Array.of(value).buffer);
}

const SOCKADDR_IN_OCTETS = 16;
export const SOCKADDR_IN6_OCTETS = 28;

export const AF_INET = 2;
export const AF_INET6 = 10;
export const SOCK_STREAM = 1;
export const SOCK_DGRAM = 2;
export const SOCK_NONBLOCK = 0x800;
export const SOCK_CLOEXEC = 0x80000;
export const SOL_SOCKET = 1;
export const SO_REUSEADDR = 2;
export const SO_REUSEPORT = 15;
export const MSG_PEEK = 2;
export const MSG_DONTWAIT = 0x40;
export const MSG_NOSIGNAL = 0x4000;
export const IPPROTO_IPV6 = 41;
export const IPV6_V6ONLY = 26;
