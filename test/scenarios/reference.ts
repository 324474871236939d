import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
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

/** The reference configuration with doors on free ports of the network, probes every 250 ms. */
export async function referenceConfig(network: Network, edges: readonly FakeEdge[] = []): Promise<Config> {
  const config = parse(readFileSync(join(ROOT, "config/edgeward.yaml"), "utf8")) as Config;
  const { host } = network;
  config["listen"] = {
    dns: [`${host}:${await freePort(host)}`],
    http: [`${host}:${await freePort(host)}`],
    ops: `${host}:${await freePort(host)}`,
  };
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

export function textOf(config: Config): string {
  return stringify(config, { aliasDuplicateObjects: false });
}

/** Writes beside and renames, as a careful program does. */
export function replaceFile(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}
