import { parseAddress } from "../base/address.ts";
import { isLoopback } from "../base/reach.ts";
import {
  type Draft,
  type DraftEdge,
  type DraftService,
  notesOn,
  type Original,
  type Refused,
  refused,
} from "./draft.ts";
import { type DynamicName, dynamicNamesIn, isZoneFile } from "./gdnsd-zone.ts";
import { createIds, isHostAddress } from "./host.ts";
import { type Monitored, monitoredBy } from "./gdnsd-probe.ts";
import { at, entriesOf, mapAt, parseVscf, textAt, textsIn, type Vscf, VscfError } from "./vscf.ts";

/**
 * gdnsd's configuration: the datacenters of its geoip plugin become edges, its resources services. Zone files beside it
 * tell the hostnames, by their DYNA and DYNC records.
 */
export function importGdnsd(originals: readonly Original[]): Draft | Refused {
  const [main, ...others] = originals;
  const config = main === undefined || isZoneFile(main) ? undefined : main;
  if (config === undefined)
    return refused(main ?? { file: "-", text: "" }, "gdnsd's config comes first, then its zone files");
  const zones = others.map((zone) => dynamicNamesIn(zone));
  try {
    const draft = draftOf(
      config,
      zones.flatMap(({ names }) => names),
    );
    return "kind" in draft
      ? draft
      : { ...draft, notes: [...draft.notes, ...zones.flatMap(({ notes }) => notes)] };
  } catch (error) {
    if (error instanceof VscfError) return refused(config, error.message, error.line);
    throw error;
  }
}

type Take = (message: string, line?: number) => void;

function draftOf(original: Original, names: readonly DynamicName[]): Draft | Refused {
  const { root, includes } = parseVscf(original.text);
  const { notes, note } = notesOn(original);
  for (const { path, line } of includes)
    note(`$include{${path}} is not followed; put its contents here`, line);
  const geoip = at(root, "plugins", "geoip");
  const resources = mapAt(geoip, "resources");
  if (resources.size === 0) return refused(original, withIncludes(NO_RESOURCES, includes));
  const maps = mapsOf(at(geoip, "maps"), note);
  const types = mapAt(root, "service_types");
  const collector = createEdges(maps, types, note);
  // Names that differ in what no id may hold stay apart.
  const idOf = createIds(usable);
  const services = [...resources].flatMap(([id, written]): DraftService[] => {
    const resource = inheriting(written, geoip);
    tellOptions(`resource ${id}`, resource, note);
    const edges = collector.of(id, resource);
    if (edges.length === 0) {
      note(`resource ${id}: no datacenter with addresses; left out`, resource.line);
      return [];
    }
    return [{ id: idOf(id), ...namesOf(id, names, note), edges, rank: "nearest" }];
  });
  if (services.length === 0) return refused(original, "no resource has a datacenter with addresses");
  for (const { hostname, resource } of names)
    if (!resources.has(resource))
      note(`${hostname}: is answered by resource ${resource}, which there is none of`);
  tellRest(root, note);
  return { edges: collector.edges, services, notes };
}

const NO_RESOURCES = "plugins => geoip => resources has nothing in it";

/** What is missing may stand in another file. */
function withIncludes(problem: string, includes: readonly { readonly path: string }[]): string {
  if (includes.length === 0) return problem;
  const files = includes.map(({ path }) => path).join(", ");
  return `${problem}; $include is not followed: put the contents of ${files} in its place`;
}

/** Whatever else stands beside maps and resources is meant for every resource that does not say otherwise. */
function inheriting(resource: Vscf, geoip: Vscf | undefined): Vscf {
  if (resource.kind !== "map") return resource;
  const common = [...entriesOf(geoip)].filter(([key]) => !OF_GEOIP.has(key));
  return { ...resource, entries: new Map([...common, ...resource.entries]) };
}

const OF_GEOIP = new Set(["maps", "resources", "undefined_datacenters_ok"]);

/** Options of a resource or a datacenter that decide whom it answers with, by what there is here. */
const UNLIKE: ReadonlyMap<string, string> = new Map([
  ["up_thresh", "a family is up here while any of its addresses is"],
  ["ignore_health", "addresses that are down are left out here while others are up"],
  ["skip_first", "the nearest is answered here"],
  ["multi", "see services.NAME.dns.answers"],
]);

function tellOptions(where: string, value: Vscf, note: Take): void {
  for (const [key, option] of entriesOf(value)) {
    const instead = UNLIKE.get(key);
    if (instead !== undefined) note(`${where}: ${key} is not carried over: ${instead}`, option.line);
  }
}

/** Latitude and longitude by datacenter, by map. */
type Maps = ReadonlyMap<string, ReadonlyMap<string, { latitude: number; longitude: number }>>;

function mapsOf(maps: Vscf | undefined, note: Take): Maps {
  return new Map(
    [...entriesOf(maps)].map(([id, map]) => {
      for (const key of ["map", "nets"]) {
        const rules = at(map, key);
        if (rules !== undefined)
          note(`map ${id}: ${key} is not carried over: distance decides here`, rules.line);
      }
      const ecs = at(map, "ignore_ecs");
      if (ecs !== undefined)
        note(`map ${id}: ignore_ecs is not carried over: see services.NAME.dns.clientSubnet`, ecs.line);
      const coordinates = [...mapAt(map, "auto_dc_coords")].flatMap(([name, pair]) => {
        const [latitude = Number.NaN, longitude = Number.NaN] = textsIn(pair).map(Number);
        return Number.isFinite(latitude) && Number.isFinite(longitude)
          ? [[name, { latitude, longitude }] as const]
          : [];
      });
      return [id, new Map(coordinates)];
    }),
  );
}

interface Edges {
  readonly edges: DraftEdge[];
  /** Ids of the edges of a resource, in its order. */
  of(resourceId: string, resource: Vscf): string[];
}

function createEdges(maps: Maps, types: ReadonlyMap<string, Vscf>, note: Take): Edges {
  const edges: DraftEdge[] = [];
  const idOf = createIds();
  const known = new Map<string, string>();
  return {
    edges,
    of(resourceId, resource) {
      const places = maps.get(textAt(resource, "map") ?? "");
      return [...mapAt(resource, "dcmap")].flatMap(([name, value]) => {
        const addresses = addressesIn(value, `${resourceId}/${name}`, note);
        if (addresses.length === 0) return [];
        tellOptions(`${resourceId}/${name}`, value, note);
        const monitored = monitoredBy(serviceTypesOf(value) ?? at(resource, "service_types"), types, note);
        const key = JSON.stringify([name, addresses, monitored]);
        const same = known.get(key);
        if (same !== undefined) return [same];
        const location = places?.get(name);
        if (location === undefined)
          note(`${name}: auto_dc_coords says nothing of it; write its location`, value.line);
        const id = idOf(usable(name));
        known.set(key, id);
        edges.push(edgeOf(id, addresses, location, monitored));
        return [id];
      });
    },
  };
}

function edgeOf(
  id: string,
  addresses: string[],
  location: DraftEdge["location"],
  { probe, isDown }: Monitored,
): DraftEdge {
  return {
    id,
    ...(location === undefined ? {} : { location }),
    addresses,
    ...(isDown ? { state: "off" } : {}),
    ...(probe === undefined ? {} : { probe }),
  };
}

/** Of a datacenter; its families may have their own, which are taken to be alike. */
function serviceTypesOf(value: Vscf): Vscf | undefined {
  return (
    at(value, "service_types") ??
    at(value, "addrs_v4", "service_types") ??
    at(value, "addrs_v6", "service_types")
  );
}

/** Of one datacenter: an address, a list, named addresses, or both families apart. */
function addressesIn(value: Vscf, where: string, note: Take): string[] {
  if (value.kind === "map")
    return [...value.entries]
      .filter(([key]) => !OPTIONS.has(key))
      .flatMap(([, member]) => addressesIn(member, where, note));
  if (value.kind === "list") return value.items.flatMap((item) => addressesIn(item, where, note));
  const address = parseAddress(value.text);
  if (address !== undefined && isHostAddress(value.text)) {
    if (isLoopback(address)) note(`${where}: ${value.text} leads each viewer to himself`, value.line);
    return [value.text];
  }
  note(`${where}: ${value.text} is ${whatElse(value.text)}; left out`, value.line);
  return [];
}

function whatElse(text: string): string {
  if (parseAddress(text) !== undefined) return "no address of a host";
  if (/^[%!]/.test(text)) return "another plugin's resource";
  return /^\d+$/.test(text) ? "a weight, and edges here have one of their own" : "a name, answered as CNAME";
}

const OPTIONS = new Set([
  "service_types",
  "up_thresh",
  "ignore_health",
  "multi",
  "plugin",
  "resource",
  "datacenters",
  "skip_first",
]);

function namesOf(
  id: string,
  names: readonly DynamicName[],
  note: Take,
): { hostnames?: string[]; dns?: { ttl: string } } {
  const mine = names.filter(({ resource }) => resource === id);
  const ttl = mine[0]?.ttlSeconds;
  for (const { hostname, datacenter } of mine)
    if (datacenter !== undefined)
      note(`${hostname}: is answered by datacenter ${datacenter} alone there, by all of resource ${id} here`);
  for (const { hostname, ttlSeconds } of mine)
    if (ttlSeconds !== ttl) note(`${hostname}: its TTL is ${ttlOf(ttlSeconds)} there, ${ttlOf(ttl)} here`);
  if (mine.length === 0) {
    note(`resource ${id}: no DYNA record names it; write its hostname, or give the zone file, too`);
    const label = usable(id).toLowerCase().replaceAll("_", "-").replace(/-+$/, "");
    return { hostnames: [`${label}.cdn.example.net`] };
  }
  return {
    hostnames: [...new Set(mine.map(({ hostname }) => hostname))],
    ...(ttl === undefined ? {} : { dns: { ttl: `${ttl}s` } }),
  };
}

function ttlOf(seconds: number | undefined): string {
  return seconds === undefined ? "the usual one" : `${seconds}s`;
}

function tellRest(root: Vscf, note: Take): void {
  for (const [name, plugin] of mapAt(root, "plugins"))
    if (name !== "geoip") note(`plugin ${name} is not carried over`, plugin.line);
  const options = at(root, "options");
  if (options !== undefined)
    note("options are not carried over: see listen, and docs/configuration.md", options.line);
}

function usable(name: string): string {
  return (
    name
      .replaceAll(/[^A-Za-z0-9_-]+/g, "-")
      .replace(/^[^A-Za-z0-9]+/, "")
      .slice(0, 63) || "service"
  );
}
