/** IP addresses and prefixes, as octets in network order. */

export type Family = 4 | 6;

/** One host. An IPv4-mapped IPv6 address (RFC 4291 2.5.5.2) is always held as IPv4. */
export interface Address {
  readonly family: Family;
  /** 4 octets for IPv4, 16 for IPv6. */
  readonly bytes: Uint8Array;
}

/** A network: the first `length` bits of `bytes`; the bits after them are zero. */
export interface Prefix {
  readonly family: Family;
  readonly bytes: Uint8Array;
  /** 0..32 for IPv4, 0..128 for IPv6. */
  readonly length: number;
}
