import { mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { writeMmdb } from "../geo/mmdb-writer.ts";
import type { FakeEdge } from "./fake-edge.ts";
import { freePort, type Network } from "./network.ts";
import { ROOT } from "./program.ts";

/** A configuration as it is written, with whatever keys a test needs. */
// oxlint-disable-next-line typescript/no-explicit-any -- it is written, not read, and wrong ones are wanted too
export type Config = Record<string, any>;

/** Viewers, and the edge of the reference configuration that is nearest to each. */
export const LONDON = "81.2.69.142";
export const TOKYO = "133.11.0.1";
export const CALIFORNIA = "8.8.8.8";

export const LIVE = "live.cdn.example.net";

/**
 * The reference configuration with doors on free ports of the network, probes every 250 ms, and a database that knows
 * where the three viewers are.
 */
export async function referenceConfig(network: Network, edges: readonly FakeEdge[] = []): Promise<Config> {
  const config = parse(readFileSync(join(ROOT, "config/edgeward.yaml"), "utf8")) as Config;
  const { host } = network;
  config["listen"] = {
    dns: [`${host}:${await freePort(host)}`],
    http: [`${host}:${await freePort(host)}`],
    ops: `${host}:${await freePort(host)}`,
  };
  config["geoip"].city = [fewPlaces()];
  config["defaults"].probe = {
    type: "http",
    path: "/health",
    interval: "250ms",
    timeout: "200ms",
    rise: 2,
    fall: 2,
  };
  for (const [i, edge] of Object.values<Config>(config["edges"]).entries()) {
    const fake = edges[i];
    if (fake === undefined) edge["probe"] = { type: "none" };
    else Object.assign(edge, { addresses: [fake.host], url: fake.url });
  }
  return config;
}

/** For stories in which anybody may come, or which want the service to have as much in its hands as it usually has. */
export function withPackagedDatabases(config: Config): Config {
  config["geoip"].city = [];
  return config;
}

let fewPlacesFile: string | undefined;

/** To read and to survey the packaged databases is half of what a start costs. Returns the file, written once. */
export function fewPlaces(): string {
  if (fewPlacesFile !== undefined) return fewPlacesFile;
  const at = (latitude: number, longitude: number, country: string) => ({
    location: { latitude, longitude },
    country: { iso_code: country },
  });
  const records = {
    "81.2.69.0/24": at(51.51, -0.13, "GB"),
    "133.11.0.0/24": at(35.69, 139.69, "JP"),
    "8.8.8.0/24": at(37.42, -122.08, "US"),
  };
  fewPlacesFile = join(mkdtempSync(join(tmpdir(), "edgeward-places-")), "few.mmdb");
  writeFileSync(fewPlacesFile, writeMmdb({ type: "City", records }));
  return fewPlacesFile;
}

export function textOf(config: Config): string {
  return stringify(config, { aliasDuplicateObjects: false });
}

/** Writes beside and renames, as a careful program does. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
