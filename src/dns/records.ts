import type { ServiceBinding, ServiceParam } from "../model/service.ts";
import type { RecordData, Zone } from "../model/zone.ts";
import { isBelowOrEqual, type WireName, wireName, wireNameOf } from "./name.ts";
import {
  fixedFields,
  joined,
  OWNER,
  plain,
  type RecordSet,
  setOf,
  type Template,
  template,
  uint16,
  uint32,
  ZONE,
} from "./template.ts";
import { CLASS_CH, TYPE } from "./wire.ts";

/** The owner is the name asked, or the alias followed; the zone is a suffix of it. */
export function recordSet(
  type: number,
  ttlSeconds: number,
  data: readonly RecordData[],
  zone: WireName,
): RecordSet {
  return setOf(OWNER, type, ttlSeconds, dataTemplates(data, zone));
}

/** With another owner: its name is written out as far as it is not the zone's. */
export function ownedSet(
  owner: WireName | undefined,
  type: number,
  ttlSeconds: number,
  data: readonly RecordData[],
  zone: WireName,
): RecordSet {
  const name = owner === undefined ? OWNER : nameTemplate(owner, zone);
  return setOf(name, type, ttlSeconds, dataTemplates(data, zone));
}

/** An RRset holds no record twice (RFC 2181 5). */
export function dataTemplates(data: readonly RecordData[], zone: WireName): Template[] {
  const templates = data.map((one) => dataTemplate(one, zone));
  return [...new Map(templates.map((one) => [Buffer.from(one.octets).toString("latin1"), one])).values()];
}

/** The zone's SOA with a TTL: its own at the apex, the negative one beside a "no" (RFC 2308 3). */
export function soaSet(zone: Zone, ttlSeconds: number): RecordSet {
  const name = wireName(zone.name);
  return setOf(ZONE, TYPE.SOA, ttlSeconds, [soaTemplate(zone, name)]);
}

/** What a cache may hold at a name that has more than it wants to tell (RFC 8482 4.2). */
export function minimalAnySet(ttlSeconds: number): RecordSet {
  return setOf(OWNER, TYPE.HINFO, ttlSeconds, [plain(...characterString("RFC8482"), ...characterString(""))]);
}

/** What a server tells of itself; not to be kept (RFC 4892 3). */
export function chaosTextSet(text: string): RecordSet {
  return setOf(OWNER, TYPE.TXT, 0, [plain(...characterString(text))], CLASS_CH);
}

/** A record of HTTPS or SVCB in ServiceMode but for its address hints, which are those of each answer. */
export interface BindingRecord {
  /** From TYPE on, with TTL and RDLENGTH to be filled in, up to where IPv4 hints belong. */
  readonly head: Uint8Array;
  /** Between the hints of IPv4 and those of IPv6: the keys of params ascend (RFC 9460 2.2). */
  readonly middle: Uint8Array;
  readonly tail: Uint8Array;
  readonly hints: boolean;
}

/** @param target of the record; undefined: its owner */
export function bindingRecord(binding: ServiceBinding, target: WireName | undefined): BindingRecord {
  const between = (above: number, below: number): number[] =>
    paramOctets(binding.params.filter(({ key }) => key > above && key < below));
  const fixed = fixedFields(TYPE[binding.type], 0, 0).octets;
  const name = target === undefined ? [0] : [...target.octets]; // uncompressed: RFC 9460 2.2
  return {
    head: Uint8Array.from([...fixed, ...uint16(SERVICE_PRIORITY), ...name, ...between(-1, PARAM_IPV4HINT)]),
    middle: Uint8Array.from(between(PARAM_IPV4HINT, PARAM_IPV6HINT)),
    tail: Uint8Array.from(between(PARAM_IPV6HINT, 0x1_0000)),
    hints: binding.hints,
  };
}

export const PARAM_IPV4HINT = 4;
export const PARAM_IPV6HINT = 6;
/** There is one record only; 0 would be AliasMode. */
const SERVICE_PRIORITY = 1;

export function typeOf(data: RecordData): number {
  return TYPE[data.type];
}

/**
 * Timers of secondaries, of which there are none: what checkers of zones find fault with least (RFC 1912 2.2,
 * RIPE-203).
 */
const SOA_REFRESH_SECONDS = 14_400;
const SOA_RETRY_SECONDS = 3600;
const SOA_EXPIRE_SECONDS = 1_209_600;

function dataTemplate(data: RecordData, zone: WireName): Template {
  switch (data.type) {
    case "A":
    case "AAAA":
      return plain(...data.address.bytes);
    case "CNAME":
    case "NS":
      return nameTemplate(wireName(data.target), zone);
    case "MX":
      return joined([plain(...uint16(data.preference)), nameTemplate(wireName(data.exchange), zone)]);
    case "SRV": {
      const numbers = [data.priority, data.weight, data.port].flatMap(uint16);
      return plain(...numbers, ...wireName(data.target).octets); // uncompressed: RFC 2782
    }
    case "TXT":
      return template(data.strings.flatMap((string) => [string.length, ...string]));
    case "CAA":
      return template([data.flags, ...characterString(data.tag), ...Buffer.from(data.value, "latin1")]);
    case "SVCB":
    case "HTTPS":
      return template([
        ...uint16(data.priority),
        ...wireName(data.target).octets, // uncompressed: RFC 9460 2.2
        ...paramOctets(data.params),
      ]);
  }
}

function paramOctets(params: readonly ServiceParam[]): number[] {
  return params.flatMap(({ key, value }) => [...uint16(key), ...uint16(value.length), ...value]);
}

/** RFC 1035 3.3.13 */
function soaTemplate(zone: Zone, name: WireName): Template {
  const { serial, negativeTtlSeconds } = zone;
  return joined([
    nameTemplate(wireName(zone.nameservers[0] ?? zone.name), name),
    nameTemplate(mailboxName(zone.contact), name),
    plain(
      ...[serial, SOA_REFRESH_SECONDS, SOA_RETRY_SECONDS, SOA_EXPIRE_SECONDS, negativeTtlSeconds].flatMap(
        uint32,
      ),
    ),
  ]);
}

/** `host.master@example.net`: what is before the @ is one label (RFC 1035 8). */
function mailboxName(contact: string): WireName {
  const at = contact.lastIndexOf("@");
  if (at < 0) return wireName(contact);
  const domain = contact
    .slice(at + 1)
    .toLowerCase()
    .split(".");
  return wireNameOf([contact.slice(0, at), ...domain].map((label) => Buffer.from(label, "latin1")));
}

/** A name that ends in the zone's: the labels before it, and a pointer (RFC 1035 4.1.4). */
function nameTemplate(name: WireName, zone: WireName): Template {
  if (!isBelowOrEqual(name, zone)) return plain(...name.octets);
  return joined([plain(...name.octets.subarray(0, name.length - zone.length)), ZONE]);
}

function characterString(text: string): number[] {
  return [text.length, ...Buffer.from(text, "latin1")];
}
