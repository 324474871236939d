/** The numbers of the DNS as IANA registers them, and integers in network order. */

/** RFC 1035 4.1.1 */
export const HEADER_OCTETS = 12;
/** Behind the name of a record: TYPE, CLASS, TTL, RDLENGTH (RFC 1035 3.2.1). */
export const RECORD_FIXED_OCTETS = 10;
/** The largest message over TCP (RFC 1035 4.2.2). */
export const MAX_MESSAGE_OCTETS = 65_535;
/** What every requestor takes over UDP (RFC 1035 4.2.1). */
export const MIN_UDP_OCTETS = 512;
/** What we send and announce over UDP at most: no fragments on any usual path (RFC 9715 3.1). */
export const MAX_UDP_OCTETS = 1232;
/** RFC 1035 2.3.4 */
export const MAX_NAME_OCTETS = 255;
export const MAX_LABEL_OCTETS = 63;
/** A name of 255 octets has room for 127 labels of one octet and the root. */
export const MAX_LABELS = 127;

/** Header flags (RFC 1035 4.1.1). Z, AD and CD are the bits between RA and RCODE. */
export const FLAG = { QR: 0x8000, AA: 0x0400, TC: 0x0200, RD: 0x0100, RA: 0x0080 } as const;

export const OPCODE_QUERY = 0;

export const CLASS_IN = 1;
/** Where servers tell of themselves (RFC 4892). */
export const CLASS_CH = 3;
/** Of records that are of no class (RFC 1035 3.2.5, RFC 8945 4.2). */
export const CLASS_ANY = 255;

export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  DS: 43,
  DNSKEY: 48,
  SVCB: 64,
  HTTPS: 65,
  NXNAME: 128,
  TKEY: 249,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
  CAA: 257,
} as const;

export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  NOTAUTH: 9,
  BADVERS: 16,
} as const;

/** EDNS options (RFC 6891 9). */
export const OPTION = {
  NSID: 3,
  CLIENT_SUBNET: 8,
  COOKIE: 10,
  TCP_KEEPALIVE: 11,
  EXTENDED_ERROR: 15,
} as const;

/** Extended DNS errors (RFC 8914 4, RFC 9824 9). */
export const EXTENDED_ERROR = {
  FILTERED: 17,
  NOT_AUTHORITATIVE: 20,
  NOT_SUPPORTED: 21,
  INVALID_QUERY_TYPE: 30,
} as const;

/** The DO bit of EDNS (RFC 3225 3). */
export const EDNS_FLAG_DO = 0x8000;

/** A compression pointer's two high bits (RFC 1035 4.1.4). */
export const POINTER = 0xc000;

export function readUint16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}

export function readUint32(octets: Uint8Array, at: number): number {
  return readUint16(octets, at) * 65_536 + readUint16(octets, at + 2);
}

export function writeUint16(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 8;
  octets[at + 1] = value;
}

export function writeUint32(octets: Uint8Array, at: number, value: number): void {
  octets[at] = value >>> 24;
  octets[at + 1] = value >>> 16;
  octets[at + 2] = value >>> 8;
  octets[at + 3] = value;
}
