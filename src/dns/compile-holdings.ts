import { inPortions, type Steps } from "../base/steps.ts";
import type { RecordData, StaticRecord } from "../model/zone.ts";
import type { AbsentHolding, AliasHolding, Chain, Holding, ReferralHolding, ZoneData } from "./holding.ts";
import { type WireName, wireName } from "./name.ts";
import { recordSet, soaSet, typeOf } from "./records.ts";
import { type GlueData, referralOf } from "./referral.ts";
import type { RecordSet } from "./template.ts";
import { MAX_MESSAGE_OCTETS, TYPE } from "./wire.ts";
import {
  AT_ONCE,
  type ConfiguredNode,
  type ConfiguredZone,
  isWithin,
  parentOf,
  type Tree,
} from "./zone-tree.ts";

/** A chain of aliases is followed this far. */
export const MAX_ALIASES = 8;

type FindHolding = (name: WireName) => Holding | undefined;

export interface Holdings {
  at(node: ConfiguredNode): Holding;
  below(node: ConfiguredNode): Holding;
  /** To be called once all names can be found. */
  followAliasesInSteps(find: FindHolding): Steps<void>;
}

/** Each holding is made once, so that aliases can be told apart by identity. */
export function createHoldings(tree: Tree): Holdings {
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
    followAliasesInSteps: (find) =>
      inPortions(aliases, AT_ONCE, (alias) => {
        alias.chain = chainFrom(alias, find);
      }),
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
  return node.hasServers && !node.text.startsWith("*.");
}

function owned(tree: Tree, node: ConfiguredNode): Holding {
  const isApex = node.text === node.zone.zone.name;
  const sets = staticSets(node);
  if (isApex) addApexSets(sets, node.zone);
  const parentZone = isApex ? zoneAbove(tree, node) : undefined;
  const common = { zone: node.zone.data, sets, ...(parentZone === undefined ? {} : { parentZone }) };
  const { hostname, bindings, text, clientSubnet } = node;
  const rules = clientSubnet === undefined ? {} : { clientSubnet };
  return hostname === undefined
    ? { kind: "records", ...common }
    : { kind: "service", hostname, hasAddresses: text === hostname, bindings, ...rules, ...common };
}

/** If it is ours: what is above may lie in a zone that ours has handed over. */
function zoneAbove(tree: Tree, apex: ConfiguredNode): ZoneData | undefined {
  const above = parentOf(tree, apex);
  return above === undefined || cutAbove(tree, above) !== undefined ? undefined : above.zone.data;
}

/**
 * More records, of a pointer to their owner, TYPE, CLASS, TTL and RDLENGTH at least, are longer than any message: so
 * many are enough to be so.
 */
const MOST_RECORDS = Math.ceil(MAX_MESSAGE_OCTETS / 12);

function staticSets(node: ConfiguredNode): Map<number, RecordSet> {
  const sets = new Map<number, RecordSet>();
  for (const [type, all] of byType(node.records)) {
    const records = all.slice(0, MOST_RECORDS);
    sets.set(type, recordSet(type, ttlOf(records), dataOf(records), node.zone.data.name));
  }
  return sets;
}

function byType(records: readonly StaticRecord[]): Map<number, StaticRecord[]> {
  const types = new Map<number, StaticRecord[]>();
  for (const record of records) {
    const type = typeOf(record.data);
    const others = types.get(type);
    if (others === undefined) types.set(type, [record]);
    else others.push(record); // of thousands, a copy for each would take seconds
  }
  return types;
}

/** The records of a set share one TTL (RFC 2181 5.2). */
function ttlOf(records: readonly StaticRecord[]): number {
  return records.reduce((least, { ttlSeconds }) => Math.min(least, ttlSeconds), Number.POSITIVE_INFINITY);
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
  const names = new Set(servers.flatMap(({ data }) => (data.type === "NS" ? [data.target] : [])));
  const zone = node.zone.data;
  const listed = { names: [...names], ttlSeconds: ttlOf(servers) };
  const glue = listed.names.flatMap((server) => glueOf(tree, server, node.zone));
  return { kind: "referral", isCut: true, zone, ...referralOf(node.name, listed, glue, zone.name) };
}

function glueOf(tree: Tree, server: string, { zone }: ConfiguredZone): GlueData[] {
  if (!isWithin(server, zone.name)) return [];
  return [...byType(tree.nodes.get(server)?.records ?? [])]
    .filter(([type]) => type === TYPE.A || type === TYPE.AAAA)
    .map(([type, records]) => ({ server, type, ttlSeconds: ttlOf(records), data: dataOf(records) }));
}
