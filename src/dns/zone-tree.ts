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
  hostname?: string;
  clientSubnet?: ClientSubnetRules;
  readonly bindings: Map<number, BindingRecord>;
}

export function createTree(zones: readonly Zone[]): Tree {
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
export function addZone(tree: Tree, zone: ConfiguredZone): void {
  addNode(tree, zone.zone.name);
  for (const record of zone.zone.records) {
    if (zoneOf(tree, record.name) === zone) addNode(tree, record.name).records.push(record);
  }
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
