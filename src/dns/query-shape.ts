import type { Client } from "../model/client.ts";
import type { PacketRoom } from "./batch-memory.ts";
import { HEADER_OCTETS, MAX_LABEL_OCTETS, OPTION, readUint16, TYPE } from "./wire.ts";
import { added, addedRun, isSameRun, mixed } from "./words.ts";

/** Longer queries have no shape: room for a name and EDNS with a client subnet, of usual lengths. */
export const SHAPE_WORDS = 32;
const MOST_OCTETS = 4 * SHAPE_WORDS;

/**
 * A query as far as its answer depends on it apart from whose it is: all its octets but the id and the address of the
 * client subnet. One object, read again for each packet.
 */
export class QueryShape {
  length = 0;
  hash = 0;
  /** Where the client subnet's address stands, and of how many octets; 0: there is none. */
  addressAt = 0;
  addressOctets = 0;
  /** Where the address stood in the last query of each length that was read. */
  readonly #addressesAt = new Uint8Array(MOST_OCTETS + 1);
  /**
   * The packet's own words: all but the first one are part of the shape as they are, up to those of which something
   * is left out.
   */
  #packet: Int32Array = new Int32Array(SHAPE_WORDS);
  #wholeEnd = 0;
  /** The others, with zeros for what is left out. */
  readonly #own = new Int32Array(SHAPE_WORDS);
  readonly #sources = [knownClient(4, "source"), knownClient(6, "source")] as const;
  readonly #subnets = [knownClient(4, "client-subnet"), knownClient(6, "client-subnet")] as const;
  #client: KnownClient = this.#sources[0];

  /** Whose the query is, by its client subnet or else its source; filled again with the next packet. */
  get client(): Client {
    return this.#client;
  }

  /**
   * False: it has no shape. So have all whose answer may depend on more than that and the client, or that are not
   * plainly written: one question, and no other record than OPT, without a cookie.
   */
  read({ octets, words }: PacketRoom, length: number, source: Uint8Array): boolean {
    if (length > MOST_OCTETS || length < HEADER_OCTETS || words[1] !== ONE_QUESTION) return false;
    this.addressAt = this.addressOctets = 0;
    const questionEnd = endOfQuestion(octets, length);
    const isPlain =
      words[2] === ONE_ADDITIONAL
        ? this.#readOpt(octets, questionEnd, length)
        : words[2] === 0 && questionEnd === length;
    if (!isPlain || (this.addressAt === 0 && !this.#takeSource(source))) return false;
    this.#addressesAt[length] = this.addressAt;
    this.#take(words, length);
    return true;
  }

  /**
   * The same where it is laid out as the last query of its length was, which is not looked at: it is if its shape,
   * with the address in the same place, is that of another one which was read.
   */
  guess({ octets, words }: PacketRoom, length: number, source: Uint8Array): boolean {
    if (length > MOST_OCTETS || length < HEADER_OCTETS) return false;
    const at = this.#addressesAt[length] as number;
    const end = at === 0 ? 0 : at - 4 + readUint16(octets, at - 6);
    this.addressAt = this.addressOctets = 0;
    if (end > length || !(at === 0 ? this.#takeSource(source) : this.#readSubnet(octets, at - 4, end)))
      return false;
    this.#take(words, length);
    return true;
  }

  /** Of queries with the same one, the address is in the same place. */
  get layout(): number {
    return (this.addressAt << 8) | this.length;
  }

  /** Whether these are its words, from `start` on. */
  isAt(words: Int32Array, start: number): boolean {
    return (
      words[start] === this.#own[0] &&
      isSameRun(this.#packet, 1, this.#wholeEnd, words, start) &&
      isSameRun(this.#own, this.#wholeEnd, this.#count, words, start)
    );
  }

  copyTo(words: Int32Array, start: number): void {
    words.set(this.#packet.subarray(0, this.#wholeEnd), start);
    words[start] = this.#own[0] as number;
    words.set(this.#own.subarray(this.#wholeEnd, this.#count), start + this.#wholeEnd);
  }

  /** All of it but the name asked, and how long that is: what queries for other names of that length may share. */
  get besideName(): string {
    const words = new Int32Array(SHAPE_WORDS);
    this.copyTo(words, 0);
    const octets = Buffer.from(words.buffer);
    const nameEnd = endOfQuestion(octets, this.length) - TYPE_AND_CLASS_OCTETS;
    octets.fill(0, HEADER_OCTETS, nameEnd);
    return `${nameEnd} ${this.layout} ${octets.toString("latin1", 0, this.length)}`;
  }

  get #count(): number {
    return (this.length + 3) >> 2;
  }

  /** By words alone: a word that was just written octet by octet is slow to read. */
  #take(words: Int32Array, length: number): void {
    const own = this.#own;
    const wholeEnd = (this.addressAt === 0 ? length : this.addressAt) >> 2;
    this.length = length;
    this.#packet = words;
    this.#wholeEnd = wholeEnd;
    own[0] = (words[0] as number) & ~ID_BITS;
    let sum = addedRun(added(length, 0, own[0]), words, 1, wholeEnd);
    for (let i = wholeEnd; i < this.#count; i++) {
      own[i] = (words[i] as number) & this.#maskOf(4 * i);
      sum = added(sum, i, own[i] as number);
    }
    this.hash = mixed(sum);
  }

  /** Which bits of the word that begins at an octet are part of the shape. */
  #maskOf(at: number): number {
    const start = this.addressAt - at;
    const address = firstOctets(start + this.addressOctets) & ~firstOctets(start);
    return firstOctets(this.length - at) & ~address;
  }

  #takeSource(source: Uint8Array): boolean {
    if (source.length !== 4 && isMaybeMapped(source, 0)) return false;
    this.#client = this.#sources[source.length === 4 ? 0 : 1];
    const { bytes } = this.#client.address;
    for (let i = 0; i < bytes.length; i++) bytes[i] = source[i] as number;
    return true;
  }

  /** OPT is the last record, and ends where the packet does (RFC 6891 6.1.2). */
  #readOpt(octets: Uint8Array, start: number, length: number): boolean {
    if (start === NOWHERE || start + OPT_OCTETS > length) return false;
    const isOpt = octets[start] === 0 && readUint16(octets, start + 1) === TYPE.OPT;
    if (!isOpt || start + OPT_OCTETS + readUint16(octets, start + 9) !== length) return false;
    let at = start + OPT_OCTETS;
    while (at < length) {
      if (at + 4 > length) return false;
      const code = readUint16(octets, at);
      const end = at + 4 + readUint16(octets, at + 2);
      if (end > length || code === OPTION.COOKIE) return false;
      if (code === OPTION.CLIENT_SUBNET && !this.#readSubnet(octets, at + 4, end)) return false;
      at = end;
    }
    return true;
  }

  /** Only one that is valid and tells something of an address of its own family (RFC 7871 6, 7.1.2). */
  #readSubnet(octets: Uint8Array, start: number, end: number): boolean {
    if (this.addressAt !== 0 || end - start < 5) return false;
    const family = readUint16(octets, start);
    const prefixLength = octets[start + 2] as number;
    const addressOctets = (prefixLength + 7) >> 3;
    if (family !== 1 && (family !== 2 || isMaybeMapped(octets, start + 4))) return false;
    if (octets[start + 3] !== 0 || end - start !== 4 + addressOctets) return false;
    if (prefixLength > (family === 1 ? 32 : 128)) return false;
    const spareBits = addressOctets * 8 - prefixLength;
    if (((octets[end - 1] as number) & ((1 << spareBits) - 1)) !== 0) return false;
    const client = (this.#client = this.#subnets[family === 1 ? 0 : 1]);
    const { bytes } = client.address;
    for (let i = 0; i < bytes.length; i++)
      bytes[i] = i < addressOctets ? (octets[start + 4 + i] as number) : 0;
    client.prefixLength = prefixLength;
    this.addressAt = start + 4;
    this.addressOctets = addressOctets;
    return true;
  }
}

interface KnownClient extends Client {
  prefixLength: number;
}

function knownClient(family: 4 | 6, from: Client["from"]): KnownClient {
  const bytes = new Uint8Array(family === 4 ? 4 : 16);
  return { address: { family, bytes }, prefixLength: 8 * bytes.length, from };
}

/** Which bits of a word are its first octets: none below 1, all from 4 on. */
function firstOctets(count: number): number {
  if (count >= 4) return -1;
  return count <= 0 ? 0 : (1 << (8 * count)) - 1;
}

/** QDCOUNT 1, ANCOUNT 0; NSCOUNT 0, ARCOUNT 1: words have their octets in the opposite order. */
const ONE_QUESTION = 0x0100;
const ONE_ADDITIONAL = 0x0100_0000;
/** The id is the lower half of the first word. */
const ID_BITS = 0xffff;
const NOWHERE = -1;
/** Behind the name of a question. */
const TYPE_AND_CLASS_OCTETS = 4;
/** An owner of one octet, TYPE, CLASS, TTL, RDLENGTH. */
const OPT_OCTETS = 11;

/** Less than 0 if it is cut off, or not plainly written. */
export function endOfQuestion(octets: Uint8Array, length: number): number {
  let at = HEADER_OCTETS;
  while (at < length) {
    const labelOctets = octets[at] as number;
    const end = at + 1 + TYPE_AND_CLASS_OCTETS;
    if (labelOctets === 0) return end <= length ? end : NOWHERE;
    if (labelOctets > MAX_LABEL_OCTETS) return NOWHERE;
    at += 1 + labelOctets;
  }
  return NOWHERE;
}

/** Whether an IPv6 address may stand for one of IPv4 (RFC 4291 2.5.5.2): these are nobody's otherwise. */
function isMaybeMapped(octets: Uint8Array, at: number): boolean {
  return ((octets[at] as number) | (octets[at + 1] as number)) === 0;
}
