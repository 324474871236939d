/** What the commands do that need the configuration only. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { formatAddress, parseAddress, widthOf } from "../base/address.ts";
import type { SteerOptions } from "../cli/actions.ts";
import { type Answer, done, type Failure } from "../cli/answer.ts";
import { serverUrl } from "../cli/client.ts";
import type { CheckView, GeoView, LoadView, ProbeView } from "../cli/views.ts";
import { mergeReports } from "../condition/merge.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { whereWritten } from "../config/where.ts";
import { withCompiledNames } from "../control/compiled-names.ts";
import { readOpsEndpoint } from "../config/ops-endpoint.ts";
import { openGeo } from "../geo/geo.ts";
import { pullOnce } from "../load/once.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { Note, Problem } from "../model/problem.ts";
import { probeEdge } from "../probe/once.ts";
import { serviceNotes } from "./service-notes.ts";
import { steerFile } from "./steer-file.ts";
import { zoneNotes } from "./zone-notes.ts";

export async function check(configFile: string): Promise<CheckView> {
  const loaded = await read(configFile);
  if (loaded.kind === "problems") return { file: configFile, problems: loaded.problems };
  const { inventory } = loaded;
  const notes = await placed(inventory, [
    ...(await databaseNotes(inventory)),
    ...serviceNotes(inventory),
    ...zoneNotes(inventory),
  ]);
  const summary = summaryOf(inventory);
  return { file: configFile, problems: [], ...(notes.length > 0 && { notes }), summary };
}

async function placed({ file }: Inventory, notes: readonly Note[]): Promise<readonly Problem[]> {
  if (notes.length === 0) return [];
  const places = await whereWritten(
    file,
    process.env,
    notes.map(({ path }) => path),
  );
  return notes.map(({ message }, i) => ({ ...(places[i] as Omit<Problem, "message">), message }));
}

/** Of those that the configuration names: read and judged as a service does at its start. */
async function databaseNotes({ geoip }: Inventory): Promise<readonly Note[]> {
  const named = (["city", "asn"] as const).flatMap((role) =>
    geoip[role].map((path, i) => ({ role, path, written: ["geoip", role, i] })),
  );
  if (named.length === 0) return [];
  const geo = await openGeo({ files: geoip, places: [], log: collecting([]), packagedCity: [] });
  geo.stop();
  return named.flatMap(({ role, path, written }): readonly Note[] => {
    const flaw = geo.databases().find((known) => known.path === path && known.role === role)?.flaw;
    if (flaw === undefined) return [];
    const message = `${path} is not used (${flaw.reason}): ${flaw.detail}; edgeward starts all the same, and locates viewers without it`;
    return [{ path: written, message }];
  });
}

export function geo(configFile: string, ip: string): Promise<Answer<GeoView>> {
  return withInventory(configFile, (inventory) => locate(inventory, ip));
}

export function load(configFile: string, edgeId: string): Promise<Answer<LoadView>> {
  return withEdge(configFile, edgeId, async (edge, inventory) => {
    const sources = await pullOnce(edge, inventory);
    const received = sources.map(({ report }) => ({ report, atMs: 0, staleAfterMs: Infinity }));
    return { edgeId, report: mergeReports(received, 0), sources };
  });
}

export function probe(configFile: string, edgeId: string): Promise<Answer<ProbeView>> {
  return withEdge(configFile, edgeId, async (edge, inventory) => {
    const probed = await probeEdge(edge, inventory);
    const addresses = probed.map(({ address, result }) => ({
      address: address === undefined ? hostOf(edge) : formatAddress(address),
      ...result,
    }));
    return { edgeId, type: edge.probe.type, ...targetOf(edge), addresses };
  });
}

export function steer(configFile: string, file: string, options: SteerOptions): Promise<Answer<string>> {
  return withInventory(configFile, (inventory) => steerFile(file, options, inventory));
}

/** @param isNamed whether somebody has named the file */
export async function defaultServer(
  configFile: string,
  isNamed: boolean,
): Promise<Answer<string | undefined>> {
  if (isNamed && !existsSync(configFile)) {
    const message = "does not exist; name the configuration with -c FILE, or the service with --server URL";
    return {
      kind: "wrong-configuration",
      problems: [{ file: configFile, line: 1, column: 1, path: "", message }],
    };
  }
  const endpoint = await readOpsEndpoint(resolve(configFile), process.env);
  return done(endpoint === undefined ? undefined : serverUrl(endpoint));
}

async function read(configFile: string): Promise<LoadedConfig> {
  const options = { environment: process.env, nowMs: Date.now(), generation: 1 };
  return withCompiledNames(await loadConfig(resolve(configFile), options));
}

async function withInventory<T>(
  configFile: string,
  use: (inventory: Inventory) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const loaded = await read(configFile);
  return loaded.kind === "ok" ? use(loaded.inventory) : wrongConfiguration(loaded);
}

function withEdge<T>(
  configFile: string,
  edgeId: string,
  use: (edge: Edge, inventory: Inventory) => Promise<T>,
): Promise<Answer<T>> {
  return withInventory(configFile, async (inventory) => {
    const edge = inventory.edges.find(({ id }) => id === edgeId);
    const known = inventory.edges.map(({ id }) => id);
    return edge === undefined
      ? { kind: "unknown", what: "edge", name: edgeId, known }
      : done(await use(edge, inventory));
  });
}

function wrongConfiguration({ problems }: Extract<LoadedConfig, { kind: "problems" }>): Failure {
  return { kind: "wrong-configuration", problems };
}

function summaryOf({ edges, services, zones }: Inventory): string {
  return [counted(edges, "edge"), counted(services, "service"), counted(zones, "zone")].join(", ");
}

function counted(things: readonly unknown[], name: string): string {
  return `${things.length} ${name}${things.length === 1 ? "" : "s"}`;
}

async function locate(inventory: Inventory, ip: string): Promise<Answer<GeoView>> {
  const address = parseAddress(ip);
  if (address === undefined) return { kind: "wrong-usage", message: `${ip} is not an address` };
  const failures: string[] = [];
  const geo = await openGeo({
    files: inventory.geoip,
    places: inventory.places,
    log: collecting(failures),
  });
  geo.stop();
  if (failures.length > 0 && geo.databases().every(({ loaded }) => loaded === undefined))
    return { kind: "no", message: failures.join("\n") };
  const client = { address, prefixLength: widthOf(address.family), from: "asked" } as const;
  const { location, asn, prefix, database } = geo.explain(client);
  return done({
    address: formatAddress(address),
    prefix,
    ...location,
    ...(asn === undefined ? {} : { asn }),
    ...(database === undefined ? {} : { database: database.path }),
  });
}

function collecting(lines: string[]): Log {
  const keep = (fields: object, message: string): void =>
    void lines.push(`${message}: ${JSON.stringify(fields)}`);
  return { info: () => {}, warn: keep, error: keep };
}

function hostOf({ url }: Edge): string {
  return url === undefined ? "-" : new URL(url).hostname;
}

function targetOf({ probe }: Edge): { target?: string } {
  switch (probe.type) {
    case "http":
    case "hls":
    case "websocket":
      return { target: probe.url };
    case "rtmp": {
      const { port, tls, application } = probe;
      const parts = [`port ${port}`, tls && "TLS", application && `application ${application}`];
      return { target: parts.filter(Boolean).join(", ") };
    }
    case "dns":
      return { target: `${probe.name} ${probe.record}, ${probe.transport} port ${probe.port}` };
    case "tcp":
      return { target: `port ${probe.port}` };
    case "none":
      return {};
  }
}
