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
import { finished, inPortions, type Steps } from "../base/steps.ts";
import type { DnsSettings } from "../model/dns-settings.ts";
import type { Zone } from "../model/zone.ts";
import type { Holding, RecordsHolding, ZoneData } from "./holding.ts";
import { createHoldings } from "./compile-holdings.ts";
import { type WireName, wireName } from "./name.ts";
import { createNameTable, nameTableInSteps } from "./name-table.ts";
import { chaosTextSet } from "./records.ts";
import type { RecordSet } from "./template.ts";
import { addHostname, AT_ONCE, type NamedService, treeInSteps } from "./zone-tree.ts";

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

/** @throws if a service's hostname is outside every zone, which the configuration has checked before */
export function compileNamespace(
  zones: readonly Zone[],
  services: readonly NamedService[],
  dns?: DnsSettings,
): Namespace {
  return finished(compileInSteps(zones, services, dns));
}

/** As `compileNamespace`. */
export function* compileInSteps(
  zones: readonly Zone[],
  services: readonly NamedService[],
  dns: DnsSettings = {},
): Steps<Namespace> {
  const tree = yield* treeInSteps(zones);
  const answering = yield* answeringInSteps(services);
  yield* inPortions(answering, AT_ONCE, ([hostname, service]) => addHostname(tree, hostname, service));
  const holdings = createHoldings(tree);
  const nodes: CompiledNode[] = [];
  for (const node of tree.nodes.values()) {
    nodes.push({ name: node.name, at: holdings.at(node), below: holdings.below(node) });
    if (nodes.length % AT_ONCE === 0) yield;
  }
  const table = yield* nameTableInSteps(nodes);
  const find: Namespace["find"] = (name) => {
    const node = table.closest(name);
    if (node === undefined) return undefined;
    return node.name.labelCount === name.labelCount ? node.at : node.below;
  };
  yield* holdings.followAliasesInSteps(find);
  const numbers = yield* numbersInSteps(nodes);
  return {
    find,
    findOver: () => undefined,
    numberOf: (thing) => numbers.get(thing) ?? 0,
    ...selfPortrait(dns),
  };
}

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
