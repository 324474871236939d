import type { Query } from "./query.ts";
import { type BindingRecord, PARAM_IPV4HINT, PARAM_IPV6HINT } from "./records.ts";
import type { RecordSet } from "./template.ts";
import { TCP_LIMITS } from "./connections.ts";
import { SERVER_COOKIE_OCTETS } from "./cookie.ts";
import {
  CLASS_IN,
  EDNS_FLAG_DO,
  FLAG,
  HEADER_OCTETS,
  MAX_UDP_OCTETS,
  OPTION,
  POINTER,
  RCODE,
  RECORD_FIXED_OCTETS,
  TYPE,
  writeUint16,
  writeUint32,
} from "./wire.ts";

export type Section = "answer" | "authority" | "additional";

/** Where QNAME stands in every reply that repeats the question. */
export const QUESTION_NAME_AT = HEADER_OCTETS;

/**
 * The reply under construction: `begin`, fill, `end`. One object per responder, begun again for each
 * packet. Never writes beyond `maxOctets`: a set that does not fit is left out whole, and TC says so
 * (RFC 2181 9).
 */
export class Reply {
  rcode = 0;
  authoritative = false;
  /** Client subnet SCOPE, sent if the query had a client subnet (RFC 7871 7.2.1). */
  scopePrefixLength = 0;
  /** After `end`: where the client subnet's address stands, the scope in front of it; 0: there is none. */
  addressAt = 0;
  /** Which server this is; sent if the query wants to know (RFC 5001). */
  nsid: Uint8Array | undefined;
  /** How long a TCP connection may be idle, told to who asks. */
  tcpIdleMs = TCP_LIMITS.idleMs;
  /** Sent back if the query had a cookie. */
  readonly serverCookie = new Uint8Array(SERVER_COOKIE_OCTETS);
  readonly #sections = { answer: 0, authority: 0, additional: 0 };
  #query: Query | undefined;
  #out: Uint8Array = new Uint8Array(0);
  #at = 0;
  #limit = 0;
  #isTruncated = false;
  #extendedError: number | undefined;
  #refusesKey = false;

  /** Repeats the question octet by octet, if there is one, and keeps room for EDNS. */
  begin(packet: Uint8Array, query: Query, out: Uint8Array, maxOctets: number): void {
    this.rcode = 0;
    this.authoritative = false;
    this.scopePrefixLength = 0;
    this.addressAt = 0;
    this.#query = query;
    this.#out = out;
    this.#limit = Math.min(maxOctets, out.length) - ednsOctets(query, this.nsid);
    this.#extendedError = undefined;
    this.#at = HEADER_OCTETS;
    for (; this.#at < query.questionEnd; this.#at++) out[this.#at] = packet[this.#at] as number;
    this.clear();
  }

  /** Forgets every record written. */
  clear(): void {
    this.#at = Math.max(HEADER_OCTETS, this.#query?.questionEnd ?? 0);
    this.#isTruncated = false;
    this.#refusesKey = false;
    this.#sections.answer = 0;
    this.#sections.authority = 0;
    this.#sections.additional = 0;
  }

  /** SERVFAIL, and nothing else. */
  fail(): void {
    this.clear();
    this.rcode = RCODE.SERVFAIL;
    this.authoritative = false;
    this.scopePrefixLength = 0;
  }

  /** Nothing but the question, and TC: a client that is one asks again over TCP. */
  truncate(): void {
    this.clear();
    this.#isTruncated = true;
  }

  /** Who signed is told that the key is not known, or, where there is no room, to ask over TCP (RFC 8945 5.3). */
  refuseKey(): void {
    const { signature } = this.#query as Query;
    this.rcode = RCODE.NOTAUTH;
    this.#refusesKey = this.#hasRoom(signature.length);
  }

  get hasAnswer(): boolean {
    return this.#sections.answer > 0;
  }

  /** Octets so far. */
  get length(): number {
    return this.#at;
  }

  /** Why, for the operator of the resolver (RFC 8914); nothing without EDNS. */
  explain(extendedError: number): void {
    if (this.#query?.hasEdns !== true || this.#at + EXTENDED_ERROR_OCTETS > this.#limit) return;
    this.#extendedError = extendedError;
    this.#limit -= EXTENDED_ERROR_OCTETS;
  }

  /**
   * @param ownerAt @param zoneAt where the message holds the owner and the zone's name
   * @param firstAt where the first of the sets starts that belong together
   */
  add(section: Section, set: RecordSet, ownerAt: number, zoneAt: number, firstAt = this.#at): void {
    if (!this.#hasRoom(set.octets.length)) return;
    const start = this.#at;
    this.#out.set(set.octets, start);
    for (const hole of set.ownerHoles) writeUint16(this.#out, start + hole, POINTER | ownerAt);
    for (const hole of set.zoneHoles) writeUint16(this.#out, start + hole, POINTER | zoneAt);
    for (const { at, to } of set.backHoles) writeUint16(this.#out, start + at, POINTER | (firstAt + to));
    this.#at = start + set.octets.length;
    this.#sections[section] += set.count;
  }

  /** What nobody misses if there is no room for it: then nothing says so (RFC 2181 9). */
  addBeside(set: RecordSet, ownerAt: number, zoneAt: number): void {
    if (this.#at + set.octets.length <= this.#limit) this.add("additional", set, ownerAt, zoneAt);
  }

  /** An answer of A or AAAA records; all addresses are of one family. */
  addAddresses(addresses: readonly Uint8Array[], ttlSeconds: number, ownerAt: number): void {
    const addressOctets = addresses[0]?.length ?? 0;
    if (!this.#hasRoom(addresses.length * (ADDRESS_FIXED_OCTETS + addressOctets))) return;
    const out = this.#out;
    for (const address of addresses) {
      const at = this.#at;
      writeUint16(out, at, POINTER | ownerAt);
      writeUint16(out, at + 2, addressOctets === 4 ? TYPE.A : TYPE.AAAA);
      writeUint16(out, at + 4, CLASS_IN);
      writeUint32(out, at + 6, ttlSeconds);
      writeUint16(out, at + 10, addressOctets);
      for (let i = 0; i < addressOctets; i++) out[at + 12 + i] = address[i] as number;
      this.#at = at + ADDRESS_FIXED_OCTETS + addressOctets;
    }
    this.#sections.answer += addresses.length;
  }

  /** An answer of one HTTPS or SVCB record, with the addresses as hints if it has any (RFC 9460 7.3). */
  addBinding(
    record: BindingRecord,
    ipv4: readonly Uint8Array[],
    ipv6: readonly Uint8Array[],
    ttlSeconds: number,
    ownerAt: number,
  ): void {
    const { head, middle, tail } = record;
    const [hints4, hints6] = record.hints ? [ipv4, ipv6] : [[], []];
    const dataOctets =
      head.length -
      RECORD_FIXED_OCTETS +
      middle.length +
      tail.length +
      hintOctets(hints4) +
      hintOctets(hints6);
    if (!this.#hasRoom(POINTER_OCTETS + RECORD_FIXED_OCTETS + dataOctets)) return;
    const start = this.#at;
    writeUint16(this.#out, start, POINTER | ownerAt);
    this.#at = start + POINTER_OCTETS;
    this.#write(head);
    writeUint32(this.#out, start + 6, ttlSeconds);
    writeUint16(this.#out, start + 10, dataOctets);
    this.#writeHints(PARAM_IPV4HINT, hints4);
    this.#write(middle);
    this.#writeHints(PARAM_IPV6HINT, hints6);
    this.#write(tail);
    this.#sections.answer++;
  }

  /** The SOA that goes with a "no"; its TTL is how long the "no" may be kept (RFC 2308 3). */
  addNegativeSoa(soa: RecordSet, ttlSeconds: number, zoneAt: number): void {
    const start = this.#at;
    this.add("authority", soa, zoneAt, zoneAt);
    if (this.#at > start) writeUint32(this.#out, start + 6, ttlSeconds);
  }

  /** Writes OPT and the header; how many octets the reply has. */
  end(): number {
    const query = this.#query as Query;
    if (query.hasEdns) this.#writeOpt(query);
    if (this.#refusesKey) this.#writeRefusal(query);
    const out = this.#out;
    writeUint16(out, 0, query.id);
    writeUint16(out, 2, this.#flags(query));
    writeUint16(out, 4, query.questionEnd === 0 ? 0 : 1);
    writeUint16(out, 6, this.#sections.answer);
    writeUint16(out, 8, this.#sections.authority);
    writeUint16(out, 10, this.#sections.additional);
    return this.#at;
  }

  #writeHints(key: number, addresses: readonly Uint8Array[]): void {
    if (addresses.length === 0) return;
    writeUint16(this.#out, this.#at, key);
    writeUint16(this.#out, this.#at + 2, hintOctets(addresses) - 4);
    this.#at += 4;
    for (const address of addresses) this.#write(address);
  }

  #write(octets: Uint8Array): void {
    this.#out.set(octets, this.#at);
    this.#at += octets.length;
  }

  #hasRoom(octets: number): boolean {
    if (this.#at + octets > this.#limit) this.#isTruncated = true;
    return !this.#isTruncated;
  }

  /** Opcode and RD as asked; RA, Z, AD and CD are 0 (RFC 1035 4.1.1, RFC 4035 3.1.6). */
  #flags(query: Query): number {
    const asked = query.flags & (OPCODE_BITS | FLAG.RD);
    const authoritative = this.authoritative ? FLAG.AA : 0;
    const truncated = this.#isTruncated ? FLAG.TC : 0;
    return FLAG.QR | asked | authoritative | truncated | (this.rcode & 0xf);
  }

  /** The last of all records (RFC 8945 5.1). */
  #writeRefusal({ signature: { refusal, length } }: Query): void {
    this.#out.set(refusal.subarray(0, length), this.#at);
    this.#at += length;
    this.#sections.additional++;
  }

  /** RFC 6891 6.1.2 */
  #writeOpt(query: Query): void {
    const start = this.#at;
    const out = this.#out;
    out[start] = 0;
    writeUint16(out, start + 1, TYPE.OPT);
    writeUint16(out, start + 3, MAX_UDP_OCTETS);
    out[start + 5] = this.rcode >>> 4;
    out[start + 6] = 0;
    writeUint16(out, start + 7, query.dnssecOk ? EDNS_FLAG_DO : 0);
    this.#at = start + OPT_FIXED_OCTETS;
    if (query.wantsKeepalive) this.#writeKeepalive();
    if (query.wantsNsid && this.nsid !== undefined) this.#writeNsid(this.nsid);
    if (query.subnet.isPresent) this.#writeClientSubnet(query);
    if (query.cookie.isPresent) this.#writeCookie(query);
    if (this.#extendedError !== undefined) this.#writeExtendedError(this.#extendedError);
    writeUint16(out, start + 9, this.#at - start - OPT_FIXED_OCTETS);
    this.#sections.additional++;
  }

  /** In units of 100 ms (RFC 7828 3.1). */
  #writeKeepalive(): void {
    writeUint16(this.#out, this.#writeOptionHeader(OPTION.TCP_KEEPALIVE, 2), this.tcpIdleMs / 100);
  }

  #writeNsid(nsid: Uint8Array): void {
    this.#out.set(nsid, this.#writeOptionHeader(OPTION.NSID, nsid.length));
  }

  /** FAMILY, SOURCE and ADDRESS as asked (RFC 7871 7.2.1). */
  #writeClientSubnet({ subnet }: Query): void {
    const addressOctets = (subnet.sourcePrefixLength + 7) >> 3;
    const at = this.#writeOptionHeader(OPTION.CLIENT_SUBNET, 4 + addressOctets);
    writeUint16(this.#out, at, subnet.family);
    this.#out[at + 2] = subnet.sourcePrefixLength;
    this.#out[at + 3] = this.scopePrefixLength;
    this.addressAt = at + 4;
    for (let i = 0; i < addressOctets; i++) this.#out[at + 4 + i] = subnet.address[i] as number;
  }

  #writeCookie({ cookie }: Query): void {
    const at = this.#writeOptionHeader(OPTION.COOKIE, 8 + SERVER_COOKIE_OCTETS);
    this.#out.set(cookie.client, at);
    this.#out.set(this.serverCookie, at + 8);
  }

  #writeExtendedError(code: number): void {
    writeUint16(this.#out, this.#writeOptionHeader(OPTION.EXTENDED_ERROR, 2), code);
  }

  /** Where the option's data goes. */
  #writeOptionHeader(code: number, dataOctets: number): number {
    const at = this.#at;
    writeUint16(this.#out, at, code);
    writeUint16(this.#out, at + 2, dataOctets);
    this.#at = at + 4 + dataOctets;
    return at + 4;
  }
}

const OPCODE_BITS = 0x7800;
const OPT_FIXED_OCTETS = 11;
const POINTER_OCTETS = 2;
const ADDRESS_FIXED_OCTETS = POINTER_OCTETS + RECORD_FIXED_OCTETS;
const EXTENDED_ERROR_OCTETS = 6;

/** Of a whole param with key and length; none without addresses. */
function hintOctets(addresses: readonly Uint8Array[]): number {
  return addresses.reduce((sum, { length }) => sum + length, addresses.length === 0 ? 0 : 4);
}

/** What OPT will need, but for an extended error. */
function ednsOctets(query: Query, nsid: Uint8Array | undefined): number {
  const { hasEdns, wantsNsid, wantsKeepalive, subnet, cookie } = query;
  if (!hasEdns) return 0;
  const keepaliveOctets = wantsKeepalive ? 6 : 0;
  const nsidOctets = wantsNsid && nsid !== undefined ? 4 + nsid.length : 0;
  const subnetOctets = subnet.isPresent ? 8 + ((subnet.sourcePrefixLength + 7) >> 3) : 0;
  const cookieOctets = cookie.isPresent ? 12 + SERVER_COOKIE_OCTETS : 0;
  return OPT_FIXED_OCTETS + keepaliveOctets + nsidOctets + subnetOctets + cookieOctets;
}
