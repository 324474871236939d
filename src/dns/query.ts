import { createWireName, type WireName } from "./name.ts";
import { MAX_NAME_OCTETS } from "./wire.ts";

/** What a packet asks. One object per responder, filled again for each packet. */
export interface Query {
  id: number;
  flags: number;
  /** Where the question ends in the packet; 0 if there is none that could be repeated. */
  questionEnd: number;
  /** QNAME in lower case. */
  readonly name: WireName;
  type: number;
  class: number;
  /** Whether there is an OPT record; the fields below are 0 and empty without. */
  hasEdns: boolean;
  /** What the requestor can take over UDP, as it says. */
  udpPayloadOctets: number;
  dnssecOk: boolean;
  /** Whether it asks which server answers (RFC 5001 2.1). */
  wantsNsid: boolean;
  readonly subnet: ClientSubnet;
  readonly cookie: Cookie;
  /** Whether the client wants to know how long a TCP connection may be idle (RFC 7828 3.2.1). */
  wantsKeepalive: boolean;
  readonly signature: Signature;
}

/** The client-subnet option (RFC 7871 6), valid if present. */
export interface ClientSubnet {
  isPresent: boolean;
  /** 1 IPv4, 2 IPv6; 0 is taken with a source of 0. */
  family: number;
  sourcePrefixLength: number;
  /** Zero beyond the source prefix. */
  readonly address: Uint8Array;
}

/** The cookie option (RFC 7873 4), of a valid length if present. */
export interface Cookie {
  isPresent: boolean;
  /** 8 octets. */
  readonly client: Uint8Array;
  /** As sent, `serverOctets` of it: 0, or 8 to 32. */
  readonly server: Uint8Array;
  serverOctets: number;
}

/**
 * A transaction signature (RFC 8945 4.2). No key is known here, so that all of it that matters is the record that goes
 * back with NOTAUTH.
 */
export interface Signature {
  isPresent: boolean;
  /** The first `length` octets are the record: BADKEY, without a MAC (RFC 8945 5.3.2). */
  readonly refusal: Uint8Array;
  length: number;
}

/** Two names; TYPE to RDLENGTH, time and fudge, sizes, id and error. */
const LONGEST_REFUSAL_OCTETS = 2 * MAX_NAME_OCTETS + 26;

export function createQuery(): Query {
  return {
    id: 0,
    flags: 0,
    questionEnd: 0,
    name: createWireName(),
    type: 0,
    class: 0,
    hasEdns: false,
    udpPayloadOctets: 0,
    dnssecOk: false,
    wantsNsid: false,
    subnet: { isPresent: false, family: 0, sourcePrefixLength: 0, address: new Uint8Array(16) },
    cookie: { isPresent: false, client: new Uint8Array(8), server: new Uint8Array(32), serverOctets: 0 },
    wantsKeepalive: false,
    signature: { isPresent: false, refusal: new Uint8Array(LONGEST_REFUSAL_OCTETS), length: 0 },
  };
}

export function clearQuery(query: Query): void {
  query.questionEnd = 0;
  query.type = 0;
  query.class = 0;
  query.hasEdns = false;
  query.udpPayloadOctets = 0;
  query.dnssecOk = false;
  query.signature.isPresent = false;
  forgetOptions(query);
}

export function forgetOptions(query: Query): void {
  query.wantsNsid = false;
  query.wantsKeepalive = false;
  query.subnet.isPresent = false;
  query.cookie.isPresent = false;
}
