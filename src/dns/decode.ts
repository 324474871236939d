import { readOptions } from "./edns.ts";
import { clearQuery, forgetOptions, type Query } from "./query.ts";
import { readSignature } from "./tsig.ts";
import {
  EDNS_FLAG_DO,
  FLAG,
  HEADER_OCTETS,
  MAX_LABEL_OCTETS,
  MAX_NAME_OCTETS,
  OPCODE_QUERY,
  readUint16,
  RECORD_FIXED_OCTETS,
  TYPE,
} from "./wire.ts";

/** What a packet turned out to be; everything but `query` leaves early. */
export type Verdict =
  /** One question, to be answered. */
  | "query"
  /** No question but a cookie: only that is asked for (RFC 7873 5.4). */
  | "cookie-query"
  /** Signed, by a key that is not known here: none is (RFC 8945 5.2.1). */
  | "signed"
  /** Shorter than a header (RFC 1035 4.1.1): no reply. */
  | "short"
  /** QR is set: no reply, or two servers could answer each other for ever. */
  | "response"
  /** Another opcode than QUERY (RFC 8906 8.1.4). */
  | "unknown-opcode"
  /** Another EDNS version than 0 (RFC 6891 6.1.3). */
  | "unknown-edns-version"
  | "malformed";

/**
 * Reads the first `length` octets of a packet into `query`. Costs no more than one walk over them,
 * whatever the counts claim; never throws.
 */
export function decodeQuery(packet: Uint8Array, length: number, query: Query): Verdict {
  clearQuery(query);
  if (length < HEADER_OCTETS) return "short";
  query.id = readUint16(packet, 0);
  query.flags = readUint16(packet, 2);
  if ((query.flags & FLAG.QR) !== 0) return "response";
  const verdict = readBody(packet, length, query);
  // EDNS goes before everything else, whatever is asked (RFC 6891 6.1.3).
  if (((query.flags >>> 11) & 0xf) === OPCODE_QUERY || verdict === "unknown-edns-version") return verdict;
  // What is laid out as a query has its question repeated and its EDNS answered (RFC 6891 6.1.1).
  if (verdict === "malformed") clearQuery(query);
  return "unknown-opcode";
}

/** All behind the header's id and flags. */
function readBody(packet: Uint8Array, length: number, query: Query): Verdict {
  const questionCount = readUint16(packet, 4);
  if (questionCount > 1) return "malformed"; // RFC 9619 4
  const questionEnd = questionCount === 0 ? HEADER_OCTETS : readQuestion(packet, length, query);
  if (questionEnd === MALFORMED) return "malformed";

  const verdict = readRecords(packet, length, questionEnd, query);
  if (verdict !== "query" || questionCount === 1) return verdict;
  return query.cookie.isPresent ? "cookie-query" : "malformed";
}

const MALFORMED = -1;

/** Where the question ends. */
function readQuestion(packet: Uint8Array, length: number, query: Query): number {
  const nameEnd = readQuestionName(packet, length, query);
  if (nameEnd === MALFORMED || nameEnd + 4 > length) return MALFORMED;
  query.type = readUint16(packet, nameEnd);
  query.class = readUint16(packet, nameEnd + 2);
  query.questionEnd = nameEnd + 4;
  return query.questionEnd;
}

/** Copies QNAME in lower case. There is nothing in front of it that a pointer could point to (RFC 1035 4.1.4). */
function readQuestionName(packet: Uint8Array, length: number, { name }: Query): number {
  let at = HEADER_OCTETS;
  name.labelCount = 0;
  for (;;) {
    if (at >= length) return MALFORMED;
    const labelOctets = packet[at] as number;
    const start = at - HEADER_OCTETS;
    if (labelOctets > MAX_LABEL_OCTETS || start + labelOctets >= MAX_NAME_OCTETS) return MALFORMED;
    name.octets[start] = labelOctets;
    if (labelOctets === 0) {
      name.length = start + 1;
      return at + 1;
    }
    const end = at + 1 + labelOctets;
    if (end > length) return MALFORMED;
    for (let i = at + 1; i < end; i++) name.octets[i - HEADER_OCTETS] = lower(packet[i] as number);
    name.labelStarts[name.labelCount++] = start;
    at = end;
  }
}

/** Only ASCII letters have case (RFC 4343 3). */
function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet | 0x20 : octet;
}

/** Walks over every record that the counts promise, and reads OPT and TSIG. */
function readRecords(packet: Uint8Array, length: number, start: number, query: Query): Verdict {
  const beforeAdditional = readUint16(packet, 6) + readUint16(packet, 8);
  const count = beforeAdditional + readUint16(packet, 10);
  let verdict: Verdict = "query";
  let at = start;
  for (let i = 0; i < count; i++) {
    const ownerEnd = skipName(packet, length, at);
    if (ownerEnd === MALFORMED || ownerEnd + RECORD_FIXED_OCTETS > length) return "malformed";
    const dataEnd = ownerEnd + RECORD_FIXED_OCTETS + readUint16(packet, ownerEnd + 8);
    if (readUint16(packet, ownerEnd) === TYPE.OPT) {
      if (i < beforeAdditional) return "malformed"; // RFC 6891 6.1.1
      const isSecond = query.hasEdns;
      query.hasEdns = true;
      const isRootOwned = ownerEnd === at + 1 && packet[at] === 0;
      if (isSecond || !isRootOwned || dataEnd > length) return "malformed"; // RFC 6891 6.1.1, 6.1.2
      verdict = readOpt(packet, ownerEnd, dataEnd, query);
      if (verdict === "malformed") return verdict;
    }
    if (dataEnd > length) return "malformed";
    if (readUint16(packet, ownerEnd) === TYPE.TSIG) {
      const isLast = i === count - 1 && i >= beforeAdditional; // RFC 8945 5.1, 5.2
      if (!isLast || !readSignature(packet, at, ownerEnd, dataEnd, query)) return "malformed";
    }
    at = dataEnd;
  }
  return verdict === "query" && query.signature.isPresent ? "signed" : verdict;
}

/** Where a name ends; pointers are stepped over, not followed. */
function skipName(packet: Uint8Array, length: number, start: number): number {
  let at = start;
  while (at < length) {
    const octet = packet[at] as number;
    if (octet === 0) return at + 1;
    if (octet >= 0xc0) return at + 2 <= length ? at + 2 : MALFORMED;
    if (octet > MAX_LABEL_OCTETS) return MALFORMED;
    at += 1 + octet;
  }
  return MALFORMED;
}

/** CLASS is the payload size, TTL is extended RCODE, version and flags (RFC 6891 6.1.2, 6.1.3). */
function readOpt(packet: Uint8Array, at: number, dataEnd: number, query: Query): Verdict {
  query.udpPayloadOctets = readUint16(packet, at + 2);
  query.dnssecOk = (readUint16(packet, at + 6) & EDNS_FLAG_DO) !== 0;
  if (packet[at + 5] !== 0) return "unknown-edns-version";
  if (readOptions(packet, at + RECORD_FIXED_OCTETS, dataEnd, query)) return "query";
  forgetOptions(query);
  return "malformed";
}
