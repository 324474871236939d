import { AF_INET6, SOCKADDR_IN6_OCTETS } from "../base/socket-address.ts";
import type { Address } from "../model/address.ts";

/** Where the system writes who has connected. */
export interface PeerRoom {
  readonly octets: Uint8Array;
  /** How much room there is, anew for each call. */
  length(): Uint32Array;
  /** Of the last one; IPv4 also where it came mapped into IPv6 (RFC 4291 2.5.5.2). */
  address(): Address;
}

export function createPeerRoom(): PeerRoom {
  const octets = new Uint8Array(SOCKADDR_IN6_OCTETS);
  const length = new Uint32Array(1);
  return {
    octets,
    length() {
      length[0] = octets.length;
      return length;
    },
    address() {
      if (octets[0] !== AF_INET6) return { family: 4, bytes: octets.slice(4, 8) };
      return isMapped(octets)
        ? { family: 4, bytes: octets.slice(20, 24) }
        : { family: 6, bytes: octets.slice(8, 24) };
    },
  };
}

function isMapped(octets: Uint8Array): boolean {
  if (octets[18] !== 0xff || octets[19] !== 0xff) return false;
  for (let i = 8; i < 18; i++) if (octets[i] !== 0) return false;
  return true;
}
