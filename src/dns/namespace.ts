/**
 * All names that we answer for, compiled from the configuration and replaced whole at a reload.
 *
 * ```
 * name ─► closest node ─┬─ it is the name itself ─► what is at it
 *                       └─ it is above the name ──► what is below it: wildcard, referral or absent
 * ```
 *
 * RFC 1034 4.3.2 as amended by RFC 4592: every ancestor of a name exists, up to its zone's apex.
 */
import { finished, type Steps } from "../base/steps.ts";
import type { DnsSettings } from "../model/dns-settings.ts";
import type { ClientSubnetRules, Service } from "../model/service.ts";
import type { RecordData, StaticRecord, Zone } from "../model/zone.ts";
import { type WireName, wireName } from "./name.ts";
import { createNameTable, nameTableInSteps } from "./name-table.ts";
import {
  type BindingRecord,
  bindingRecord,
  chaosTextSet,
  glueSet,
  minimalAnySet,
  type RecordSet,
  recordSet,
  soaSet,
  typeOf,
} from "./records.ts";
import { TYPE } from "./wire.ts";

export interface Namespace {
  /** What holds for a name; undefined outside of every zone. */
  find(name: WireName): Holding | undefined;
  /** What has been laid over the configured names for a while; `find` knows of it, chains of aliases do not. */
  findOver(name: WireName): RecordsHolding | undefined;
  /** In class CH: what this server tells of itself by that name; undefined where it does not. */
  findChaos(name: WireName): RecordSet | undefined;
  /** Which server this is (RFC 5001 2.3); undefined: not to be told. */
  readonly nsid: Uint8Array | undefined;
  /** From 1; the same for the same names, whoever compiles them. */
  numberOf(thing: Holding | ZoneData): number;
}

/** What there is at a name. */
export type Holding = RecordsHolding | ServiceHolding | AliasHolding | ReferralHolding | AbsentHolding;

/** Static records, by type; none at all at an empty non-terminal. */
export interface RecordsHolding extends Owned {
  readonly kind: "records";
}

/** Addresses are decided for each client. */
export interface ServiceHolding extends Owned {
  readonly kind: "service";
  /** As configured, so `*.…` for every name that a wildcard stands for. */
  readonly hostname: string;
  /** Absent: the scope that is right. */
  readonly clientSubnet?: ClientSubnetRules;
  /** False at a name in front of the hostname that has nothing but bindings, as `_8443._https`. */
  readonly hasAddresses: boolean;
  /** HTTPS and SVCB by type. */
  readonly bindings: ReadonlyMap<number, BindingRecord>;
}

/** What of a service there are names for. */
export type NamedService = Pick<Service, "hostnames" | "paths"> & Partial<Pick<Service, "dns">>;

interface Owned {
  readonly zone: ZoneData;
  readonly sets: ReadonlyMap<number, RecordSet>;
  /** At an apex: the zone above, if it is ours too. DS records would be there (RFC 4035 3.1.4.1). */
  readonly parentZone?: ZoneData;
}

export interface AliasHolding {
  readonly kind: "alias";
  readonly zone: ZoneData;
  readonly cname: RecordSet;
  readonly target: WireName;
  /** What follows upon this record in the same answer. */
  readonly chain: Chain;
}

export interface Chain {
  readonly aliases: readonly AliasHolding[];
  /** What the last target is, if it is ours and no loop. */
  readonly end?: Exclude<Holding, AliasHolding>;
}

/** At or below a delegation (RFC 1034 4.2.1). */
export interface ReferralHolding {
  readonly kind: "referral";
  /** At the delegation itself, where DS records would be ours (RFC 4035 3.1.4.1). */
  readonly isCut: boolean;
  readonly zone: ZoneData;
  readonly servers: RecordSet;
  readonly glue: readonly RecordSet[];
}

export interface AbsentHolding {
  readonly kind: "absent";
  readonly zone: ZoneData;
}

export interface ZoneData {
  readonly name: WireName;
  /** Beside a "no" (RFC 2308 3). */
  readonly negativeSoa: RecordSet;
  readonly negativeTtlSeconds: number;
  /** The answer to ANY, wherever there is anything (RFC 8482 4.2). */
  readonly minimalAny: RecordSet;
}

/** A chain of aliases is followed this far. */
export const MAX_ALIASES = 8;

/** @throws if a service's hostname is outside every zone, which the configuration has checked before */
export function compileNamespace(
  zones: readonly Zone[],
  services: readonly NamedService[],
  dns?: DnsSettings,
): Namespace {
  return finished(compileInSteps(zones, services, dns));
}

/** Names in a step: some tenths of a millisecond. */
const AT_ONCE = 100;

/** By hostname, of services that share it and differ in paths: the one for every path, or else the first. */
function* answeringInSteps(services: readonly NamedService[]): Steps<ReadonlyMap<string, NamedService>> {
  const byHostname = new Map<string, NamedService>();
  for (const [i, service] of services.entries()) {
    if (i % AT_ONCE === AT_ONCE - 1) yield;
    for (const hostname of service.hostnames) {
      const other = byHostname.get(hostname);
      const isFirst = other === undefined || (other.paths !== undefined && service.paths === undefined);
      if (isFirst) byHostname.set(hostname, service);
    }
  }
  return byHostname;
}

/** As `compileNamespace`. */
export function* compileInSteps(
  zones: readonly Zone[],
  services: readonly NamedService[],
  dns: DnsSettings = {},
): Steps<Namespace> {
  const tree = createTree(zones);
  for (const zone of tree.zones) {
    addZone(tree, zone);
    yield;
  }
  let added = 0;
  for (const [hostname, service] of yield* answeringInSteps(services)) {
    addHostname(tree, hostname, service);
    if (++added % AT_ONCE === 0) yield;
  }
  const holdings = createHoldings(tree);
  const nodes: CompiledNode[] = [];
  for (const node of tree.nodes.values()) {
    nodes.push({ name: node.name, at: holdings.at(node), below: holdings.below(node) });
    if (nodes.length % AT_ONCE === 0) yield;
  }
  const table = yield* nameTableInSteps(nodes);
  const find: FindHolding = (name) => {
    const node = table.closest(name);
    if (node === undefined) return undefined;
    return node.name.labelCount === name.labelCount ? node.at : node.below;
  };
  holdings.followAliases(find);
  yield;
  const numbers = yield* numbersInSteps(nodes);
  return {
    find,
    findOver: () => undefined,
    numberOf: (thing) => numbers.get(thing) ?? 0,
    ...selfPortrait(dns),
  };
}

interface CompiledNode {
  readonly name: WireName;
  readonly at: Holding;
  readonly below: Holding;
}

function* numbersInSteps(nodes: readonly CompiledNode[]): Steps<ReadonlyMap<Holding | ZoneData, number>> {
  const numbers = new Map<Holding | ZoneData, number>();
  for (const [i, { at, below }] of nodes.entries()) {
    for (const thing of [at, below, at.zone, below.zone])
      if (!numbers.has(thing)) numbers.set(thing, numbers.size + 1);
    if (i % AT_ONCE === AT_ONCE - 1) yield;
  }
  return numbers;
}

type FindHolding = Namespace["find"];

/** RFC 4892, and the names that came before it. */
function selfPortrait({ identity, version }: DnsSettings): Pick<Namespace, "findChaos" | "nsid"> {
  const told = [
    ["id.server", identity],
    ["hostname.bind", identity],
    ["version.server", version],
    ["version.bind", version],
  ] as const;
  const table = createNameTable(
    told.flatMap(([name, text]) =>
      text === undefined ? [] : [{ name: wireName(name), set: chaosTextSet(text) }],
    ),
  );
  return {
    findChaos(name) {
      const node = table.closest(name);
      return node?.name.labelCount === name.labelCount ? node.set : undefined;
    },
    nsid: identity === undefined ? undefined : Buffer.from(identity, "latin1"),
  };
}

/** The names as configured, before they are compiled. */
interface Tree {
  /** Longest name first. */
  readonly zones: readonly ConfiguredZone[];
  /** By name as text; the root is empty. */
  readonly nodes: Map<string, ConfiguredNode>;
}

interface ConfiguredZone {
  readonly zone: Zone;
  readonly data: ZoneData;
}

interface ConfiguredNode {
  readonly text: string;
  readonly name: WireName;
  readonly zone: ConfiguredZone;
  readonly records: StaticRecord[];
  hostname?: string;
  clientSubnet?: ClientSubnetRules;
  readonly bindings: Map<number, BindingRecord>;
}

function createTree(zones: readonly Zone[]): Tree {
  const longestFirst = zones.toSorted((a, b) => b.name.length - a.name.length);
  return {
    zones: longestFirst.map((zone) => ({ zone, data: zoneData(zone) })),
    nodes: new Map(),
  };
}

function zoneData(zone: Zone): ZoneData {
  const negativeTtlSeconds = Math.min(zone.ttlSeconds, zone.negativeTtlSeconds); // RFC 2308 5
  return {
    name: wireName(zone.name),
    negativeSoa: soaSet(zone, negativeTtlSeconds),
    negativeTtlSeconds,
    minimalAny: minimalAnySet(zone.ttlSeconds),
  };
}

/** Records below the apex of a zone inside this one are hidden by it. */
function addZone(tree: Tree, zone: ConfiguredZone): void {
  addNode(tree, zone.zone.name);
  for (const record of zone.zone.records) {
    if (zoneOf(tree, record.name) === zone) addNode(tree, record.name).records.push(record);
  }
}

function addHostname(tree: Tree, hostname: string, { dns }: NamedService): void {
  const own = addNode(tree, hostname);
  own.hostname = hostname;
  if (dns?.clientSubnet !== undefined) own.clientSubnet = dns.clientSubnet;
  const isWildcard = hostname.startsWith("*.");
  for (const binding of dns?.bindings ?? []) {
    const { prefix, type } = binding;
    if (prefix !== "" && isWildcard) continue; // a wildcard is the first label or none
    const node = addNode(tree, prefix === "" ? hostname : `${prefix}.${hostname}`);
    node.hostname = hostname;
    if (dns?.clientSubnet !== undefined) node.clientSubnet = dns.clientSubnet;
    node.bindings.set(TYPE[type], bindingRecord(binding, prefix === "" ? undefined : wireName(hostname)));
  }
}

/** With all its ancestors up to the outermost zone's apex: they exist too (RFC 4592 2.2.2). */
function addNode(tree: Tree, text: string): ConfiguredNode {
  const existing = tree.nodes.get(text);
  if (existing !== undefined) return existing;
  const zone = zoneOf(tree, text);
  if (zone === undefined) throw new Error(`no zone holds ${text}`);
  const node: ConfiguredNode = { text, name: wireName(text), zone, records: [], bindings: new Map() };
  tree.nodes.set(text, node);
  const above = parentText(text);
  if (above !== undefined && zoneOf(tree, above) !== undefined) addNode(tree, above);
  return node;
}

function zoneOf(tree: Tree, text: string): ConfiguredZone | undefined {
  return tree.zones.find(({ zone }) => isWithin(text, zone.name));
}

/** Whether the name is the zone's or below it; the root's is empty. */
function isWithin(text: string, zone: string): boolean {
  return zone === "" || text === zone || text.endsWith(`.${zone}`);
}

/** The root's text is empty, and it has no parent. */
function parentText(text: string): string | undefined {
  if (text === "") return undefined;
  const dot = text.indexOf(".");
  return dot < 0 ? "" : text.slice(dot + 1);
}

interface Holdings {
  at(node: ConfiguredNode): Holding;
  below(node: ConfiguredNode): Holding;
  /** To be called once all names can be found. */
  followAliases(find: FindHolding): void;
}

/** Each holding is made once, so that aliases can be told apart by identity. */
function createHoldings(tree: Tree): Holdings {
  const made = new Map<ConfiguredNode, Holding>();
  const absent = new Map<ZoneData, AbsentHolding>(
    tree.zones.map(({ data }) => [data, { kind: "absent", zone: data }]),
  );
  const aliases: MutableAlias[] = [];

  const make = (node: ConfiguredNode): Holding => {
    const cut = cutAbove(tree, node);
    if (cut !== undefined) return cut === node ? referral(tree, node) : belowCut(at(cut));
    const cname = node.records.find(({ data }) => data.type === "CNAME");
    if (cname === undefined || node.hostname !== undefined) return owned(tree, node);
    const alias = aliasOf(node, cname);
    aliases.push(alias);
    return alias;
  };

  const at = (node: ConfiguredNode): Holding => {
    const holding = made.get(node) ?? make(node);
    made.set(node, holding);
    return holding;
  };

  return {
    at,
    below(node) {
      const holding = at(node);
      if (holding.kind === "referral") return belowCut(holding);
      const wildcard = tree.nodes.get(node.text === "" ? "*" : `*.${node.text}`);
      return wildcard === undefined ? (absent.get(node.zone.data) as Holding) : at(wildcard);
    },
    followAliases(find) {
      for (const alias of aliases) alias.chain = chainFrom(alias, find);
    },
  };
}

type MutableAlias = AliasHolding & { chain: Chain };

function belowCut(holding: Holding): Holding {
  return holding.kind === "referral" ? { ...holding, isCut: false } : holding;
}

/** The topmost delegation at or above the node within its zone; the apex itself is none. */
function cutAbove(tree: Tree, node: ConfiguredNode): ConfiguredNode | undefined {
  let cut: ConfiguredNode | undefined;
  for (
    let current: ConfiguredNode | undefined = node;
    current !== undefined && current.zone === node.zone && current.text !== node.zone.zone.name;
    current = parentOf(tree, current)
  ) {
    if (isCut(current)) cut = current;
  }
  return cut;
}

/** What NS records at a wildcard mean is nobody's business (RFC 4592 4.2). */
function isCut(node: ConfiguredNode): boolean {
  return !node.text.startsWith("*.") && node.records.some(({ data }) => data.type === "NS");
}

function parentOf(tree: Tree, node: ConfiguredNode): ConfiguredNode | undefined {
  const above = parentText(node.text);
  return above === undefined ? undefined : tree.nodes.get(above);
}

function owned(tree: Tree, node: ConfiguredNode): Holding {
  const isApex = node.text === node.zone.zone.name;
  const sets = staticSets(node);
  if (isApex) addApexSets(sets, node.zone);
  const parentZone = isApex ? parentOf(tree, node)?.zone.data : undefined;
  const common = { zone: node.zone.data, sets, ...(parentZone === undefined ? {} : { parentZone }) };
  const { hostname, bindings, text, clientSubnet } = node;
  const rules = clientSubnet === undefined ? {} : { clientSubnet };
  return hostname === undefined
    ? { kind: "records", ...common }
    : { kind: "service", hostname, hasAddresses: text === hostname, bindings, ...rules, ...common };
}

function staticSets(node: ConfiguredNode): Map<number, RecordSet> {
  const sets = new Map<number, RecordSet>();
  for (const [type, records] of byType(node.records)) {
    sets.set(type, recordSet(type, ttlOf(records), dataOf(records), node.zone.data.name));
  }
  return sets;
}

function byType(records: readonly StaticRecord[]): Map<number, StaticRecord[]> {
  const types = new Map<number, StaticRecord[]>();
  for (const record of records) {
    const type = typeOf(record.data);
    types.set(type, [...(types.get(type) ?? []), record]);
  }
  return types;
}

/** The records of a set share one TTL (RFC 2181 5.2). */
function ttlOf(records: readonly StaticRecord[]): number {
  return Math.min(...records.map(({ ttlSeconds }) => ttlSeconds));
}

function dataOf(records: readonly StaticRecord[]): RecordData[] {
  return records.map(({ data }) => data);
}

function addApexSets(sets: Map<number, RecordSet>, { zone, data }: ConfiguredZone): void {
  const servers = zone.nameservers.map((target) => ({ type: "NS", target }) as const);
  sets.set(TYPE.SOA, soaSet(zone, zone.ttlSeconds));
  sets.set(TYPE.NS, recordSet(TYPE.NS, zone.ttlSeconds, servers, data.name));
}

function aliasOf(node: ConfiguredNode, record: StaticRecord): MutableAlias {
  return {
    kind: "alias",
    zone: node.zone.data,
    cname: recordSet(TYPE.CNAME, record.ttlSeconds, [record.data], node.zone.data.name),
    target: wireName(record.data.type === "CNAME" ? record.data.target : ""),
    chain: { aliases: [] },
  };
}

function chainFrom(start: AliasHolding, find: FindHolding): Chain {
  const seen = [start];
  for (let last = start; ; ) {
    const next = find(last.target);
    const aliases = seen.slice(1);
    if (next === undefined) return { aliases };
    if (next.kind !== "alias") return { aliases, end: next };
    if (seen.includes(next) || seen.length === MAX_ALIASES) return { aliases };
    seen.push(next);
    last = next;
  }
}

/** With the addresses of its servers, as far as they are within our zone (RFC 9471). */
function referral(tree: Tree, node: ConfiguredNode): ReferralHolding {
  const servers = node.records.filter(({ data }) => data.type === "NS");
  return {
    kind: "referral",
    isCut: true,
    zone: node.zone.data,
    servers: glueSet(node.name, TYPE.NS, ttlOf(servers), dataOf(servers), node.zone.data.name),
    glue: servers.flatMap(({ data }) => (data.type === "NS" ? glueOf(tree, data.target, node.zone) : [])),
  };
}

function glueOf(tree: Tree, server: string, zone: ConfiguredZone): RecordSet[] {
  if (!isWithin(server, zone.zone.name)) return [];
  const records = tree.nodes.get(server)?.records ?? [];
  return [...byType(records)]
    .filter(([type]) => type === TYPE.A || type === TYPE.AAAA)
    .map(([type, ofType]) => glueSet(wireName(server), type, ttlOf(ofType), dataOf(ofType), zone.data.name));
}

/** Where the zone's name starts in a message that holds `name` uncompressed at `nameAt`. */
export function zoneNameAt(zone: ZoneData, name: WireName, nameAt: number): number {
  return nameAt + name.length - zone.name.length;
}
