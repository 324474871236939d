/** What the commands do: those that need the configuration only, and `serve`. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { runAgent } from "./agent.ts";
import { formatAddress, parseAddress, widthOf } from "./base/address.ts";
import type { CliActions } from "./cli/actions.ts";
import { type Answer, done, type Failure } from "./cli/answer.ts";
import { serverUrl } from "./cli/client.ts";
import { mergeReports } from "./condition/merge.ts";
import { type LoadedConfig, loadConfig } from "./config/load.ts";
import { readOpsEndpoint } from "./config/ops-endpoint.ts";
import { jsonSchema } from "./config/schema.ts";
import { openGeo } from "./geo/geo.ts";
import { IMPORT_FORMATS } from "./import/import.ts";
import { pullOnce } from "./load/once.ts";
import type { Edge } from "./model/edge.ts";
import type { Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import { probeEdge } from "./probe/once.ts";
import { runImport } from "./run-import.ts";
import { serve } from "./serve.ts";
import { steerFile } from "./steer-file.ts";

export function createActions(): CliActions {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
    version: string;
  };
  return {
    version,
    defaultConfigFile: "config/edgeward.yaml",
    serve: async ({ configFile, demo }) => {
      const loaded = await load(configFile);
      if (loaded.kind === "problems") return wrongConfiguration(loaded);
      return serve({ inventory: loaded.inventory, configFile, demo, version, environment: process.env });
    },
    check: async (configFile) => {
      const loaded = await load(configFile);
      return loaded.kind === "ok"
        ? { file: configFile, problems: [], summary: summaryOf(loaded.inventory) }
        : { file: configFile, problems: loaded.problems };
    },
    geo: (configFile, ip) => withInventory(configFile, (inventory) => locate(inventory, ip)),
    load: (configFile, edgeId) =>
      withEdge(configFile, edgeId, async (edge, inventory) => {
        const sources = await pullOnce(edge, inventory);
        const received = sources.map(({ report }) => ({ report, atMs: 0, staleAfterMs: Infinity }));
        return { edgeId, report: mergeReports(received, 0), sources };
      }),
    probe: (configFile, edgeId) =>
      withEdge(configFile, edgeId, async (edge, inventory) => {
        const probed = await probeEdge(edge, inventory);
        const addresses = probed.map(({ address, result }) => ({
          address: address === undefined ? hostOf(edge) : formatAddress(address),
          ...result,
        }));
        return { edgeId, type: edge.probe.type, ...targetOf(edge), addresses };
      }),
    agent: runAgent,
    steer: (configFile, file, options) =>
      withInventory(configFile, (inventory) => steerFile(file, options, inventory)),
    importFormats: IMPORT_FORMATS,
    import: runImport,
    schema: jsonSchema,
    defaultServer: async (configFile) => {
      const endpoint = await readOpsEndpoint(resolve(configFile), process.env);
      return endpoint === undefined ? undefined : serverUrl(endpoint);
    },
  };
}

function load(configFile: string): Promise<LoadedConfig> {
  return loadConfig(resolve(configFile), { environment: process.env, nowMs: Date.now(), generation: 1 });
}

async function withInventory<T>(
  configFile: string,
  use: (inventory: Inventory) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const loaded = await load(configFile);
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

async function locate(inventory: Inventory, ip: string) {
  const address = parseAddress(ip);
  if (address === undefined) return { kind: "wrong-usage", message: `${ip} is not an address` } as const;
  const failures: string[] = [];
  const geo = await openGeo({
    files: inventory.geoip,
    places: inventory.places,
    log: collecting(failures),
  });
  geo.stop();
  if (failures.length > 0 && geo.databases().every(({ loaded }) => loaded === undefined))
    return { kind: "no", message: failures.join("\n") } as const;
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
