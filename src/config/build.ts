import { dirname, resolve } from "node:path";
import type { Edge } from "../model/edge.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { MistBalancer } from "../model/mistserver.ts";
import type { Service } from "../model/service.ts";
import { buildAccounts } from "./build-acme.ts";
import { boundNames } from "./build-bindings.ts";
import { buildDns } from "./build-dns.ts";
import { buildEdges } from "./build-edges.ts";
import {
  absolute,
  buildListen,
  buildPlaces,
  canaryOf,
  type CheckCertificate,
  buildTokens,
  checkDoors,
  checkListening,
  checkOpsDoor,
  checkProxyProtocol,
  stateFileOf,
} from "./build-server.ts";
import { checkFallbackLoops, checkLoops } from "./build-http.ts";
import { buildMistBalancer } from "./build-mistserver.ts";
import { type Known, buildServices } from "./build-services.ts";
import { buildZones, checkZoneNames, zoneName } from "./build-zones.ts";
import { checkAsns } from "./check-asns.ts";
import type { Findings } from "./findings.ts";
import { doorsOf } from "./doors.ts";
import type { Report } from "./report.ts";
import type { FileInput } from "./schema.ts";
import type { EdgeInput } from "./schema-edge.ts";
import { type MapTree, type Path, type ScalarTree, entriesAt, locate, treeAt } from "./tree.ts";
import type { Environment } from "./variables.ts";
import { checkWrittenFiles } from "./written-files.ts";

/** What a configuration means depends on these beside its text. */
export interface Circumstances {
  readonly mainFile: string;
  readonly environment: Environment;
  readonly generation: number;
  /** SOA serial of every zone. */
  readonly serial: number;
  readonly whyUnusable: CheckCertificate;
}

/** The files as they were given. */
export interface Given {
  readonly root: MapTree;
  /** Where in them what stands at this path of the values was. */
  readonly pathOf: (path: Path) => Path;
}

/**
 * Values to the words of the model, checking what hangs together. The inventory is of use only if nothing
 * was reported, now or before: `file` and `edgeInputs` lack what failed the schema, while `root` has it all,
 * so that nobody is blamed for referring to it.
 */
export function build(
  file: FileInput,
  edgeInputs: ReadonlyMap<string, EdgeInput>,
  { root, pathOf }: Given,
  { mainFile, environment, generation, serial, whyUnusable }: Circumstances,
  findings: Findings,
): Inventory {
  const report: Report = (path, message) => findings.at(root, pathOf(path), message);
  const reportKey: Report = (path, message) => findings.atKey(root, pathOf(path), message);
  const allowed = file.probing.allowedNetworks;
  checkListening(root, report);
  checkDoors(file, report);
  checkOpsDoor(file, root, report);
  checkProxyProtocol(file, root, report);
  checkZoneNames(keysOf(root, "zones"), reportKey);
  const reach = { own: doorsOf(file).map(({ endpoint }) => endpoint), allowed };
  const edges = buildEdges(edgeInputs, reach, report);
  checkLoops(edges, new Set(servicesByHostname(file).keys()), (id, message) =>
    report(["edges", id, "url"], message),
  );
  checkFallbackLoops(file, report);
  const known = knownTo(edges, { root, pathOf });
  const services = buildServices(inFileOrder(root, "services", file.services), known, report);
  checkAsns(file, edgeInputs, report);
  const surroundings = {
    zones: known.zones,
    services: servicesByHostname(file),
    bound: servicesByBoundName(services),
    serial,
  };
  const folder = dirname(resolve(mainFile));
  const inventory: Inventory = {
    generation,
    file: resolve(mainFile),
    ...listening(
      buildListen(file, folder, whyUnusable, report),
      file.listen.mistserver,
      buildMistBalancer(file, services, report),
    ),
    ops: { tokens: buildTokens(file, known.edgeIds, report) },
    dns: buildDns(file.dns, folder),
    acme: { accounts: buildAccounts(file.acme, Object.values(file.services), report) },
    stateFile: stateFileOf(file, mainFile, environment),
    trustedProxies: file.trustedProxies,
    ...(file.proxyProtocol === undefined ? {} : { proxyProtocol: file.proxyProtocol }),
    ...(file.detailsFor.length === 0 ? {} : { detailsFor: file.detailsFor }),
    geoip: {
      city: file.geoip.city.map((path) => absolute(path, folder)),
      asn: file.geoip.asn.map((path) => absolute(path, folder)),
    },
    places: buildPlaces(file, keysOf(root, "places"), reportKey),
    allowedProbeNetworks: allowed,
    ...canaryOf(file, reach, report),
    zones: buildZones(inFileOrder(root, "zones", file.zones), surroundings, report),
    edges,
    services,
  };
  checkWrittenFiles(inventory, report);
  return inventory;
}

function listening(
  listen: Inventory["listen"],
  mistserver: readonly Endpoint[],
  balancer: MistBalancer | undefined,
): Pick<Inventory, "listen" | "mistserver"> {
  return balancer === undefined ? { listen } : { listen: { ...listen, mistserver }, mistserver: balancer };
}

function knownTo(edges: readonly Edge[], { root, pathOf }: Given): Known {
  const ids = keysOf(root, "edges");
  const tags = ids.flatMap((id) => textsAt(root, ["edges", id, "tags"]));
  const zones = keysOf(root, "zones").flatMap((key) => zoneName(key) ?? []);
  return {
    edges,
    edgeIds: new Set(ids),
    tags: new Set(tags.map(({ value }) => String(value))),
    shownTags: new Set(
      tags.filter(({ template }) => template === undefined).map(({ value }) => String(value)),
    ),
    zones,
    place: (path) => {
      const { file, line } = locate(root, pathOf(path)).mark;
      return `${file}:${line}`;
    },
  };
}

function servicesByHostname(file: FileInput): Map<string, string> {
  const services = Object.entries(file.services);
  return new Map(services.flatMap(([id, { hostnames }]) => hostnames.map((name) => [name, id] as const)));
}

function servicesByBoundName(services: readonly Service[]): Map<string, string> {
  return new Map(
    services.flatMap(({ id, hostnames, dns }) =>
      boundNames(hostnames, dns.bindings ?? []).map((name) => [name, id] as const),
    ),
  );
}

/** Objects put keys that look like numbers first; the file's order is the one that counts. */
function inFileOrder<T>(root: MapTree, section: string, values: Readonly<Record<string, T>>): Map<string, T> {
  const given = keysOf(root, section).filter((key) => Object.hasOwn(values, key));
  return new Map(given.map((key) => [key, values[key] as T]));
}

function keysOf(root: MapTree, section: string): string[] {
  return entriesAt(root, [section]).map(([key]) => key);
}

function textsAt(root: MapTree, path: readonly string[]): ScalarTree[] {
  const tree = treeAt(root, path);
  return tree?.kind === "list" ? tree.items.filter((item) => item.kind === "scalar") : [];
}
