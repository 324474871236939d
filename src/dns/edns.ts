import type { ClientSubnet, Cookie, Query } from "./query.ts";
import { OPTION, readUint16 } from "./wire.ts";

/**
 * Reads the options of an OPT record between `start` and `end` (RFC 6891 6.1.2). Those we do not know
 * are passed over. False: the packet is malformed.
 */
export function readOptions(packet: Uint8Array, start: number, end: number, query: Query): boolean {
  let at = start;
  while (at < end) {
    if (at + 4 > end) return false;
    const code = readUint16(packet, at);
    const data = at + 4;
    at = data + readUint16(packet, at + 2);
    if (at > end) return false;
    if (code === OPTION.NSID) query.wantsNsid = true;
    if (code === OPTION.TCP_KEEPALIVE && at === data) query.wantsKeepalive = true; // RFC 7828 3.2.1
    if (code === OPTION.CLIENT_SUBNET && !readClientSubnet(packet, data, at, query.subnet)) return false;
    if (code === OPTION.COOKIE && !readCookie(packet, data, at, query.cookie)) return false;
  }
  return true;
}

/** Strict in everything that RFC 7871 6 and 7.1.2 say; a second one contradicts the first. */
function readClientSubnet(packet: Uint8Array, start: number, end: number, subnet: ClientSubnet): boolean {
  if (subnet.isPresent || end - start < 4) return false;
  const family = readUint16(packet, start);
  const source = packet[start + 2] as number;
  const scope = packet[start + 3] as number;
  const addressOctets = (source + 7) >> 3;
  if (scope !== 0 || source > widthOfFamily(family) || end - start !== 4 + addressOctets) return false;

  subnet.address.fill(0);
  for (let i = 0; i < addressOctets; i++) subnet.address[i] = packet[start + 4 + i] as number;
  const spareBits = addressOctets * 8 - source;
  if (spareBits !== 0 && ((packet[end - 1] as number) & ((1 << spareBits) - 1)) !== 0) return false;
  subnet.isPresent = true;
  subnet.family = family;
  subnet.sourcePrefixLength = source;
  return true;
}

/** Without an address the family may be unnamed: it is how some clients ask not to be located. */
function widthOfFamily(family: number): number {
  if (family === 1) return 32;
  if (family === 2) return 128;
  return family === 0 ? 0 : -1;
}

/** 8 octets from the client, none or 8 to 32 from the server (RFC 7873 5.2.2); of several, the first counts (5.2). */
function readCookie(packet: Uint8Array, start: number, end: number, cookie: Cookie): boolean {
  if (cookie.isPresent) return true;
  const octets = end - start;
  if (octets !== 8 && (octets < 16 || octets > 40)) return false;
  for (let i = 0; i < 8; i++) cookie.client[i] = packet[start + i] as number;
  for (let i = 8; i < octets; i++) cookie.server[i - 8] = packet[start + i] as number;
  cookie.serverOctets = octets - 8;
  cookie.isPresent = true;
  return true;
}
