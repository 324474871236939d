import { isDown } from "../base/down-addresses.ts";
import type { Address, Family } from "../model/address.ts";
import type { Decide, Decision, Question } from "../model/decision.ts";
import type { ClientSubnetRules } from "../model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../model/world.ts";
import { clientOf, scopeFor } from "./client.ts";
import { QUESTION_NAME_AT, type Reply } from "./encode.ts";
import {
  type AliasHolding,
  type Holding,
  type RecordsHolding,
  type ReferralHolding,
  type ServiceHolding,
  type ZoneData,
  zoneNameAt,
} from "./holding.ts";
import type { Namespace } from "./namespace.ts";
import type { Query } from "./query.ts";
import type { BindingRecord } from "./records.ts";
import { CLASS_CH, CLASS_IN, EXTENDED_ERROR, RCODE, TYPE } from "./wire.ts";

/** Everything an answer is made of. Mutable, so that one serves for every query. */
export interface Circumstances {
  namespace: Namespace;
  readonly decide: Decide;
  readonly query: Query;
  /** The address that the packet came from, 4 or 16 octets. */
  source: Uint8Array;
  /** What is decided for who asks, where that is known; undefined: `decide` is to be asked. */
  known: Decision | undefined;
  /** What the last answer was decided by; undefined where nothing was to be decided. */
  decision: Decision | undefined;
  /** Of the service that decided. */
  rules: ClientSubnetRules | undefined;
  /** What there is at the name asked; undefined where no zone of ours was asked. */
  holding: Holding | undefined;
}

/** Fills in the answer to a well-formed query (RFC 1034 4.3.2). */
export function respond(circumstances: Circumstances, reply: Reply): void {
  const { namespace, query } = circumstances;
  reply.rcode = RCODE_OF_META_TYPE.get(query.type) ?? RCODE.NOERROR;
  if (reply.rcode !== RCODE.NOERROR)
    return reply.explain(
      reply.rcode === RCODE.FORMERR ? EXTENDED_ERROR.INVALID_QUERY_TYPE : EXTENDED_ERROR.NOT_SUPPORTED,
    );
  if (query.class !== CLASS_IN) return respondBesideInternet(circumstances, reply);

  const holding = namespace.find(query.name);
  circumstances.holding = holding;
  if (holding === undefined) {
    reply.rcode = RCODE.REFUSED;
    return reply.explain(EXTENDED_ERROR.NOT_AUTHORITATIVE);
  }
  reply.authoritative = holding.kind !== "referral" || (holding.isCut && query.type === TYPE.DS);
  const zoneAt = zoneNameAt(holding.zone, query.name, QUESTION_NAME_AT);
  if (holding.kind === "alias") follow(holding, zoneAt, circumstances, reply);
  else answer(holding, { ownerAt: QUESTION_NAME_AT, zoneAt }, circumstances, reply);
}

/** Class CH, as far as the server tells of itself (RFC 4892); nothing in any other. */
function respondBesideInternet({ namespace, query }: Circumstances, reply: Reply): void {
  const set = query.class === CLASS_CH ? namespace.findChaos(query.name) : undefined;
  if (set === undefined) {
    reply.rcode = RCODE.REFUSED;
    return;
  }
  reply.authoritative = true;
  if (query.type === TYPE.TXT || query.type === TYPE.ANY)
    reply.add("answer", set, QUESTION_NAME_AT, QUESTION_NAME_AT);
}

/** What is no data at any name: records of the protocol itself, transfers, and mail of the eighties (RFC 6895 3.1). */
const RCODE_OF_META_TYPE: ReadonlyMap<number, number> = new Map([
  [TYPE.OPT, RCODE.FORMERR],
  [TYPE.NXNAME, RCODE.FORMERR], // RFC 9824 3.5
  [TYPE.TSIG, RCODE.FORMERR],
  [TYPE.TKEY, RCODE.NOTIMP],
  [TYPE.IXFR, RCODE.REFUSED],
  [TYPE.AXFR, RCODE.REFUSED],
  [TYPE.MAILB, RCODE.NOTIMP],
  [TYPE.MAILA, RCODE.NOTIMP],
]);

/** Where the message holds the owner of what is being answered, and its zone's name. */
interface Place {
  readonly ownerAt: number;
  readonly zoneAt: number;
}

/** The alias, and in the same answer what it leads to (RFC 1034 4.3.2 3a, RFC 6604). */
function follow(first: AliasHolding, zoneAt: number, circumstances: Circumstances, reply: Reply): void {
  let last = first;
  let place: Place = { ownerAt: QUESTION_NAME_AT, zoneAt };
  reply.add("answer", first.cname, place.ownerAt, place.zoneAt);
  const { namespace, query } = circumstances;
  if (query.type === TYPE.CNAME || query.type === TYPE.ANY) return;

  for (const next of first.chain.aliases) {
    if (namespace.findOver(last.target) !== undefined) break;
    place = placeOfTarget(last, next.zone, place, reply);
    reply.add("answer", next.cname, place.ownerAt, place.zoneAt);
    last = next;
  }
  const end = namespace.findOver(last.target) ?? first.chain.end;
  if (end !== undefined) answer(end, placeOfTarget(last, end.zone, place, reply), circumstances, reply);
}

/** The target is the data of the record written last, but for the name of a zone that both share. */
function placeOfTarget(alias: AliasHolding, targetZone: ZoneData, place: Place, reply: Reply): Place {
  const ownerAt = reply.length - (alias.cname.octets.length - OCTETS_BEFORE_DATA);
  const isSameZone = targetZone === alias.zone;
  return { ownerAt, zoneAt: isSameZone ? place.zoneAt : zoneNameAt(targetZone, alias.target, ownerAt) };
}

/** A pointer to the owner, TYPE, CLASS, TTL, RDLENGTH. */
const OCTETS_BEFORE_DATA = 12;

function answer(
  holding: Exclude<Holding, AliasHolding>,
  place: Place,
  circumstances: Circumstances,
  reply: Reply,
): void {
  switch (holding.kind) {
    case "absent":
      reply.rcode = RCODE.NXDOMAIN;
      return deny(holding.zone, place, reply);
    case "referral":
      if (holding.isCut && circumstances.query.type === TYPE.DS) return deny(holding.zone, place, reply);
      return refer(holding, place, reply);
    case "records":
      return answerStatic(holding, place, circumstances.query, reply);
    case "service":
      return answerService(holding, place, circumstances, reply);
  }
}

function refer({ servers, glue }: ReferralHolding, { ownerAt, zoneAt }: Place, reply: Reply): void {
  const firstAt = reply.length;
  reply.add("authority", servers, ownerAt, zoneAt);
  for (const set of glue) reply.add("additional", set, ownerAt, zoneAt, firstAt);
}

function answerStatic(
  holding: RecordsHolding | ServiceHolding,
  place: Place,
  { type }: Query,
  reply: Reply,
): void {
  const { zone, sets, beside, parentZone } = holding;
  if (type === TYPE.DS && parentZone !== undefined) {
    const parentAt = zoneNameAt(parentZone, zone.name, place.zoneAt);
    return deny(parentZone, { ...place, zoneAt: parentAt }, reply);
  }
  const isEmpty = holding.kind === "records" && sets.size === 0;
  const set = type === TYPE.ANY && !isEmpty ? zone.minimalAny : sets.get(type);
  if (set === undefined) return deny(zone, place, reply);
  reply.add("answer", set, place.ownerAt, place.zoneAt);
  for (const other of beside.get(type) ?? []) reply.addBeside(other, place.ownerAt, place.zoneAt);
}

/** A "no" with the zone's SOA, at most so long to be kept. */
function deny(
  zone: ZoneData,
  { zoneAt }: Place,
  reply: Reply,
  maxTtlSeconds = zone.negativeTtlSeconds,
): void {
  reply.addNegativeSoa(zone.negativeSoa, Math.min(zone.negativeTtlSeconds, maxTtlSeconds), zoneAt);
}

function answerService(
  holding: ServiceHolding,
  place: Place,
  circumstances: Circumstances,
  reply: Reply,
): void {
  const { type } = circumstances.query;
  const binding = holding.bindings.get(type);
  if (binding !== undefined) return answerBinding(binding, holding, place, circumstances, reply);
  const family = holding.hasAddresses ? FAMILY_OF_TYPE.get(type) : undefined;
  if (family !== undefined) return answerAddresses(family, holding, place, circumstances, reply);
  answerStatic(holding, place, circumstances.query, reply);
}

const FAMILY_OF_TYPE: ReadonlyMap<number, Family> = new Map([
  [TYPE.A, 4],
  [TYPE.AAAA, 6],
]);

/** Whether the decision, and the zone that a "no" is of, are all that an answer goes by there, the name aside. */
export function isDecidedAlone(holding: Holding, type: number): boolean {
  return holding.kind === "service" && holding.hasAddresses && FAMILY_OF_TYPE.has(type);
}

function answerAddresses(
  family: Family,
  holding: ServiceHolding,
  place: Place,
  circumstances: Circumstances,
  reply: Reply,
): void {
  // There are viewers without IPv6. Who has both prefers it (RFC 6724 2.1), so that AAAA looks no further than the
  // best edges.
  const decision = decideFor(holding, place, circumstances, reply, { needsIpv4: family === 4 });
  if (decision === undefined) return;
  const addresses = addressesOf(decision, family);
  if (addresses.length > 0) return reply.addAddresses(addresses, decision.ttlSeconds, place.ownerAt);
  deny(holding.zone, place, reply, isMomentary(decision, family) ? decision.ttlSeconds : undefined);
}

/** HTTPS or SVCB, with what A and AAAA would answer at this moment as hints (RFC 9460 7.3). */
function answerBinding(
  binding: BindingRecord,
  holding: ServiceHolding,
  place: Place,
  circumstances: Circumstances,
  reply: Reply,
): void {
  const decision = decideFor(holding, place, circumstances, reply, { alsoForIpv4: binding.hints });
  if (decision === undefined) return;
  const [ipv4, ipv6] = [addressesOf(decision.forIpv4 ?? decision, 4), addressesOf(decision, 6)];
  if (ipv4.length + ipv6.length > 0)
    return reply.addBinding(binding, ipv4, ipv6, decision.ttlSeconds, place.ownerAt);
  const momentary = isMomentary(decision, 4) || isMomentary(decision, 6);
  deny(holding.zone, place, reply, momentary ? decision.ttlSeconds : undefined);
}

/** Undefined: there is nothing to give, and the reply says so already. */
function decideFor(
  { zone, hostname, clientSubnet }: ServiceHolding,
  place: Place,
  circumstances: Circumstances,
  reply: Reply,
  { needsIpv4 = false, alsoForIpv4 = false }: Pick<Question, "needsIpv4" | "alsoForIpv4">,
): Decision | undefined {
  const { decide, query, source } = circumstances;
  // What would be decided beside it for who needs IPv4 is not known.
  const known = alsoForIpv4 ? undefined : circumstances.known;
  const decision =
    known ??
    decide({ hostname, client: clientOf(query, source, clientSubnet), needsIpv4, alsoForIpv4 }, "dns");
  circumstances.decision = decision;
  circumstances.rules = clientSubnet;
  if (decision === undefined) {
    reply.fail();
    return undefined;
  }
  reply.scopePrefixLength = scopeFor(query, decision.scopePrefixLength, clientSubnet);
  const { outcome, forIpv4 = decision } = decision;
  if (outcome.kind !== "refused" || forIpv4.outcome.kind !== "refused") return decision;
  refuse(decision, zone, place, reply);
  return undefined;
}

function refuse(decision: Decision, zone: ZoneData, place: Place, reply: Reply): void {
  if (decision.outcome.kind !== "refused") return;
  switch (decision.outcome.reason) {
    case "full":
    case "no-ipv4":
      return deny(zone, place, reply, decision.ttlSeconds);
    case "not-allowed":
      reply.explain(EXTENDED_ERROR.FILTERED);
      return deny(zone, place, reply);
    case "down":
    case "no-edges":
      return reply.fail();
  }
}

/** Of the first edges, best first, as many as the service answers; only what is up, and nothing twice (RFC 2181 5). */
function addressesOf(
  { outcome, edges, service, answers = service.dns.answers }: Decision,
  family: Family,
): Uint8Array[] {
  const found: Uint8Array[] = [];
  if (outcome.kind === "fallback") {
    collect(outcome.fallback.addresses, family, found);
    return found;
  }
  const count = Math.min(answers, edges.length);
  for (let i = 0; i < count; i++) {
    const choice = edges[i];
    if (choice !== undefined && (choice.up & upBit(family)) !== 0)
      collect(choice.edge.addresses, family, found, choice.downAddresses);
  }
  return found;
}

/** More than this many addresses is no answer but a flood. */
const MAX_ADDRESSES = 256;

/** @param down those that are left out, bits by their position */
function collect(addresses: readonly Address[], family: Family, found: Uint8Array[], down = 0): void {
  for (let i = 0; i < addresses.length; i++) {
    if (found.length >= MAX_ADDRESSES) return;
    const address = addresses[i] as Address;
    if (isDown(down, i)) continue;
    if (address.family === family && !found.some((other) => sameOctets(other, address.bytes))) {
      found.push(address.bytes);
    }
  }
}

function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Whether the family is missing for the moment only: then the "no" must not outlive the decision. */
function isMomentary({ outcome, families }: Decision, family: Family): boolean {
  return outcome.kind === "fallback" || (families & upBit(family)) !== 0;
}

function upBit(family: Family): number {
  return family === 4 ? UP_IPV4 : UP_IPV6;
}
