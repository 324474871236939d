import { setImmediate as nextTurn } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import type { Inventory } from "../model/inventory.ts";

export interface NamedChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly string[];
}

/** What a reload changed, by name; never by value, which may be secret. */
export interface ConfigChange {
  readonly edges: NamedChanges;
  readonly services: NamedChanges;
  readonly zones: NamedChanges;
  /** Other keys of the configuration whose values differ. */
  readonly other: readonly string[];
}

/** Positions and SOA serials do not count: they move with every edit. */
export async function describeChange(before: Inventory, after: Inventory): Promise<ConfigChange> {
  return {
    edges: await compare(edgesOf(before), edgesOf(after)),
    services: await compare(servicesOf(before), servicesOf(after)),
    zones: await compare(zonesOf(before), zonesOf(after)),
    other: otherKeys.filter((key) => !isDeepStrictEqual(before[key], after[key])),
  };
}

const otherKeys = [
  "listen",
  "mistserver",
  "ops",
  "dns",
  "acme",
  "stateFile",
  "trustedProxies",
  "proxyProtocol",
  "detailsFor",
  "geoip",
  "places",
  "allowedProbeNetworks",
  "canary",
] as const satisfies readonly (keyof Inventory)[];

/** So many are compared before others have their turn. */
const perTurn = 200;

async function compare(
  before: ReadonlyMap<string, unknown>,
  after: ReadonlyMap<string, unknown>,
): Promise<NamedChanges> {
  const names = [...after.keys()];
  const changed: string[] = [];
  for (const [i, name] of names.entries()) {
    if (i % perTurn === perTurn - 1) await nextTurn();
    if (before.has(name) && textOf(before.get(name)) !== textOf(after.get(name))) changed.push(name);
  }
  return {
    added: names.filter((name) => !before.has(name)),
    removed: [...before.keys()].filter((name) => !after.has(name)),
    changed,
  };
}

/** Inventories are plain data in a fixed order of keys; as texts, thousands compare some times as fast. */
function textOf(value: unknown): string {
  return JSON.stringify(value);
}

function edgesOf({ edges }: Inventory): Map<string, unknown> {
  return new Map(edges.map((edge) => [edge.id, { ...edge, index: undefined }]));
}

function servicesOf({ services, edges }: Inventory): Map<string, unknown> {
  return new Map(
    services.map((service) => {
      const edgeIds = service.edges.map((index) => edges[index]?.id);
      return [service.id, { ...service, index: undefined, edges: edgeIds }];
    }),
  );
}

function zonesOf({ zones }: Inventory): Map<string, unknown> {
  return new Map(zones.map((zone) => [zone.name, { ...zone, serial: undefined }]));
}
