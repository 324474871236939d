import { inPortions, type Steps } from "../base/steps.ts";
import type { ClientSubnetRules, Service } from "../model/service.ts";
import type { StaticRecord, Zone } from "../model/zone.ts";
import type { ZoneData } from "./holding.ts";
import { type WireName, wireName } from "./name.ts";
import { type BindingRecord, bindingRecord, minimalAnySet, soaSet } from "./records.ts";
import { TYPE } from "./wire.ts";

/** What of a service there are names for. */
export type NamedService = Pick<Service, "hostnames" | "paths"> & Partial<Pick<Service, "dns">>;

/** The names as configured, before they are compiled. */
export interface Tree {
  /** Longest name first. */
  readonly zones: readonly ConfiguredZone[];
  /** There may be thousands. */
  readonly zonesByName: ReadonlyMap<string, ConfiguredZone>;
  /** By name as text; the root is empty. */
  readonly nodes: Map<string, ConfiguredNode>;
}

export interface ConfiguredZone {
  readonly zone: Zone;
  readonly data: ZoneData;
}

export interface ConfiguredNode {
  readonly text: string;
  readonly name: WireName;
  readonly zone: ConfiguredZone;
  readonly records: StaticRecord[];
  /** Whether NS records are among them. */
  hasServers: boolean;
  hostname?: string;
  clientSubnet?: ClientSubnetRules;
  readonly bindings: Map<number, BindingRecord>;
}

/** Records or names in a step: some tenths of a millisecond. */
export const AT_ONCE = 100;
const ZONES_AT_ONCE = 10;

/** With the zones' apexes and records. */
export function* treeInSteps(zones: readonly Zone[]): Steps<Tree> {
  const longestFirst = zones.toSorted((a, b) => b.name.length - a.name.length);
  const configured: ConfiguredZone[] = [];
  yield* inPortions(longestFirst, ZONES_AT_ONCE, (zone) => configured.push({ zone, data: zoneData(zone) }));
  const tree: Tree = {
    zones: configured,
    zonesByName: new Map(configured.map((zone) => [zone.zone.name, zone])),
    nodes: new Map(),
  };
  yield* inPortions(configured, AT_ONCE, ({ zone }) => addNode(tree, zone.name));
  yield* inPortions(recordsOf(configured), AT_ONCE, ([zone, record]) => addRecord(tree, zone, record));
  return tree;
}

function* recordsOf(zones: readonly ConfiguredZone[]): Generator<[ConfiguredZone, StaticRecord]> {
  for (const zone of zones) for (const record of zone.zone.records) yield [zone, record];
}

/** One below the apex of a zone inside this one is hidden by it. */
function addRecord(tree: Tree, zone: ConfiguredZone, record: StaticRecord): void {
  if (zoneOf(tree, record.name) !== zone) return;
  const node = addNode(tree, record.name);
  node.records.push(record);
  node.hasServers ||= record.data.type === "NS";
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

export function addHostname(tree: Tree, hostname: string, { dns }: NamedService): void {
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
  const node: ConfiguredNode = {
    text,
    name: wireName(text),
    zone,
    records: [],
    hasServers: false,
    bindings: new Map(),
  };
  tree.nodes.set(text, node);
  const above = parentText(text);
  if (above !== undefined && zoneOf(tree, above) !== undefined) addNode(tree, above);
  return node;
}

/** The innermost. */
function zoneOf({ zonesByName }: Tree, text: string): ConfiguredZone | undefined {
  for (let above: string | undefined = text; above !== undefined; above = parentText(above)) {
    const zone = zonesByName.get(above);
    if (zone !== undefined) return zone;
  }
  return undefined;
}

/** Whether the name is the zone's or below it; the root's is empty. */
export function isWithin(text: string, zone: string): boolean {
  return zone === "" || text === zone || text.endsWith(`.${zone}`);
}

/** The root's text is empty, and it has no parent. */
function parentText(text: string): string | undefined {
  if (text === "") return undefined;
  const dot = text.indexOf(".");
  return dot < 0 ? "" : text.slice(dot + 1);
}

export function parentOf(tree: Tree, node: ConfiguredNode): ConfiguredNode | undefined {
  const above = parentText(node.text);
  return above === undefined ? undefined : tree.nodes.get(above);
}

/** The topmost delegation at or above the node within its zone; the apex itself is none. */
export function cutAbove(tree: Tree, node: ConfiguredNode): ConfiguredNode | undefined {
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
  return node.hasServers && !node.text.startsWith("*.");
}
