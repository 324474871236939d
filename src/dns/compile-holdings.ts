import { inPortions, type Steps } from "../base/steps.ts";
import type { StaticRecord } from "../model/zone.ts";
import type { AbsentHolding, AliasHolding, Chain, Holding, ReferralHolding, ZoneData } from "./holding.ts";
import { type WireName, wireName } from "./name.ts";
import { groupsOf } from "./record-groups.ts";
import { recordSet, soaSet } from "./records.ts";
import { type GlueData, referralOf } from "./referral.ts";
import { targetSets } from "./target-sets.ts";
import type { RecordSet } from "./template.ts";
import { TYPE } from "./wire.ts";
import {
  AT_ONCE,
  type ConfiguredNode,
  type ConfiguredZone,
  cutAbove,
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

function owned(tree: Tree, node: ConfiguredNode): Holding {
  const isApex = node.text === node.zone.zone.name;
  const sets = staticSets(node);
  if (isApex) addApexSets(sets, node.zone);
  const parentZone = isApex ? zoneAbove(tree, node) : undefined;
  const common = {
    zone: node.zone.data,
    sets,
    beside: targetSets(tree, node),
    ...(parentZone === undefined ? {} : { parentZone }),
  };
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

function staticSets(node: ConfiguredNode): Map<number, RecordSet> {
  const zone = node.zone.data.name;
  const groups = groupsOf(node.records);
  return new Map(groups.map(({ type, ttlSeconds, data }) => [type, recordSet(type, ttlSeconds, data, zone)]));
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
  const servers = groupsOf(node.records).find(({ type }) => type === TYPE.NS);
  const names = new Set(servers?.data.flatMap((data) => (data.type === "NS" ? [data.target] : [])));
  const zone = node.zone.data;
  const listed = { names: [...names], ttlSeconds: servers?.ttlSeconds ?? 0 };
  const glue = listed.names.flatMap((server) => glueOf(tree, server, node.zone));
  return { kind: "referral", isCut: true, zone, ...referralOf(node.name, listed, glue, zone.name) };
}

function glueOf(tree: Tree, server: string, { zone }: ConfiguredZone): GlueData[] {
  if (!isWithin(server, zone.name)) return [];
  return groupsOf(tree.nodes.get(server)?.records ?? [])
    .filter(({ type }) => type === TYPE.A || type === TYPE.AAAA)
    .map((group) => ({ server, ...group }));
}
