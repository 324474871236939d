/**
 * The PROXY protocol, by which a balancer of TCP connections says whom one is for: versions 1 and 2
 * (https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt, sections 2.1 and 2.2).
 */
import type { Address } from "../model/address.ts";
import { addressOf, parseAddress } from "./address.ts";

/** What a balancer tells of a connection. */
export interface Proxied {
  readonly address: Address;
  /** Whether the balancer took TLS off it. */
  readonly isEncrypted: boolean;
}

export type ProxyHeader =
  /** So far nothing speaks against it. */
  | { readonly kind: "incomplete" }
  | { readonly kind: "malformed"; readonly reason: string }
  | {
      readonly kind: "complete";
      /** Octets of the header; what follows is the client's. */
      readonly length: number;
      /** Absent: the connection is the balancer's own, or not of TCP over IP; its other end is who it is. */
      readonly proxied?: Proxied;
    };

/** Longer headers do not come whole in every first segment, and no sender needs them. */
export const PROXY_HEADER_OCTETS_MAX = 536;

/**
 * Reads the header at the start of a connection.
 * @param octets all that has come, maybe with what follows the header
 */
export function readProxyHeader(octets: Uint8Array): ProxyHeader {
  if (startsAlike(octets, SIGNATURE)) return octets.length < FIXED_OCTETS ? INCOMPLETE : readVersion2(octets);
  if (startsAlike(octets, TEXT)) return readVersion1(octets);
  return malformed("no PROXY header");
}

/** Whether octets that were taken for something else begin as a PROXY header does. */
export function looksLikeProxyHeader(octets: Uint8Array): boolean {
  return (
    (octets.length >= SIGNATURE.length && startsAlike(octets, SIGNATURE)) ||
    (octets.length > TEXT.length && startsAlike(octets, TEXT) && octets[TEXT.length] === SPACE)
  );
}

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const TEXT = Buffer.from("PROXY");
const SPACE = 0x20;
const INCOMPLETE: ProxyHeader = { kind: "incomplete" };

function malformed(reason: string): ProxyHeader {
  return { kind: "malformed", reason };
}

/** As far as both go. */
function startsAlike(octets: Uint8Array, start: Uint8Array): boolean {
  for (let i = 0; i < octets.length && i < start.length; i++) if (octets[i] !== start[i]) return false;
  return true;
}

/** With CR and LF. */
const LINE_OCTETS_MAX = 107;
const LINE =
  /^PROXY (?:UNKNOWN(?: .*)?|TCP([46]) ([\d.a-fA-F:]+) ([\d.a-fA-F:]+) (0|[1-9]\d{0,4}) (0|[1-9]\d{0,4}))$/;

function readVersion1(octets: Uint8Array): ProxyHeader {
  const text = Buffer.from(
    octets.buffer,
    octets.byteOffset,
    Math.min(octets.length, LINE_OCTETS_MAX),
  ).toString("latin1");
  const end = text.search(/[\r\n]/);
  if (end < 0 || end === text.length - 1) {
    if (end >= 0 && text[end] === "\n") return malformed("its line ends without CR");
    return text.length < LINE_OCTETS_MAX
      ? INCOMPLETE
      : malformed(`its line is longer than ${LINE_OCTETS_MAX} octets`);
  }
  if (text.slice(end, end + 2) !== "\r\n") return malformed("its line does not end with CR and LF");
  const fields = LINE.exec(text.slice(0, end));
  if (fields === null) return malformed("its line is not that of version 1");
  const [, family, from = "", to = "", ...ports] = fields;
  const length = end + 2;
  if (family === undefined) return { kind: "complete", length };
  const [address, ours] = [from, to].map((text) => addressIn(text, family));
  if (address === undefined || ours === undefined || ports.some((port) => Number(port) > 65_535))
    return malformed("its line has a wrong address or port");
  return { kind: "complete", length, proxied: { address, isEncrypted: false } };
}

function addressIn(text: string, family: string): Address | undefined {
  return text.includes(":") === (family === "6") ? parseAddress(text) : undefined;
}

/** Signature, version and command, family and protocol, length. */
const FIXED_OCTETS = 16;
const LOCAL = 0x20;
const PROXY = 0x21;
/** Octets of both addresses and ports, by family and protocol; those of other kinds are passed over. */
const ADDRESSES_OCTETS = new Map([
  [0x00, 0],
  [0x01, 0],
  [0x02, 0],
  [0x10, 0],
  [0x11, 12],
  [0x12, 12],
  [0x20, 0],
  [0x21, 36],
  [0x22, 36],
  [0x30, 0],
  [0x31, 216],
  [0x32, 216],
]);
/** TCP over IPv4 and IPv6: octets of an address. */
const ADDRESS_OCTETS = new Map([
  [0x11, 4],
  [0x21, 16],
]);

function readVersion2(octets: Uint8Array): ProxyHeader {
  const view = new DataView(octets.buffer, octets.byteOffset, octets.length);
  const command = view.getUint8(12);
  const kind = view.getUint8(13);
  const length = FIXED_OCTETS + view.getUint16(14);
  const addressesOctets = ADDRESSES_OCTETS.get(kind);
  if (command >> 4 !== 2) return malformed("its version is not 2");
  if (command !== LOCAL && command !== PROXY) return malformed("its command is neither LOCAL nor PROXY");
  if (command === PROXY && addressesOctets === undefined)
    return malformed("its family or protocol is unknown");
  if (length > PROXY_HEADER_OCTETS_MAX)
    return malformed(`it is longer than ${PROXY_HEADER_OCTETS_MAX} octets`);
  if (octets.length < length) return INCOMPLETE;
  if (command === LOCAL) return { kind: "complete", length };
  const vectorsAt = FIXED_OCTETS + (addressesOctets ?? 0);
  if (vectorsAt > length) return malformed("it is too short for its addresses");
  const addressOctets = ADDRESS_OCTETS.get(kind);
  if (addressOctets === undefined) return { kind: "complete", length };
  const vectors = readVectors(octets.subarray(0, length), vectorsAt);
  if (typeof vectors === "string") return malformed(vectors);
  const address = addressOf(Uint8Array.from(octets.subarray(FIXED_OCTETS, FIXED_OCTETS + addressOctets)));
  return { kind: "complete", length, proxied: { address, isEncrypted: vectors.isEncrypted } };
}

/** Types of TLVs (section 2.2). */
const CRC32C = 0x03;
const SSL = 0x20;
const CLIENT_SSL = 0x01;

/** What type-length-values tell, or what is wrong with them. */
function readVectors(header: Uint8Array, start: number): { isEncrypted: boolean } | string {
  let isEncrypted = false;
  for (let at = start; at < header.length; ) {
    if (at + 3 > header.length) return "a TLV is cut off";
    const type = header[at];
    const valueAt = at + 3;
    const end = valueAt + (((header[at + 1] as number) << 8) | (header[at + 2] as number));
    if (end > header.length) return "a TLV is longer than the header";
    if (type === SSL && end > valueAt) isEncrypted = ((header[valueAt] as number) & CLIENT_SSL) !== 0;
    if (type === CRC32C && !isChecksumRight(header, valueAt, end)) return "its checksum is wrong";
    at = end;
  }
  return { isEncrypted };
}

/** Of the whole header with zeros where the checksum is (section 2.2.3). */
function isChecksumRight(header: Uint8Array, at: number, end: number): boolean {
  if (end - at !== 4) return false;
  const zeroed = Uint8Array.from(header);
  zeroed.fill(0, at, end);
  const told = new DataView(header.buffer, header.byteOffset).getUint32(at);
  return told === crc32c(zeroed);
}

/** Castagnoli's polynomial, reflected (RFC 3720 12.1). */
export function crc32c(octets: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const octet of octets) {
    crc ^= octet;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
