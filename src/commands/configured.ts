import { resolve } from "node:path";
import { type Answer, done, type Failure } from "../cli/answer.ts";
import { type LoadedConfig, loadConfig } from "../config/load.ts";
import { withCompiledNames } from "../control/compiled-names.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";

/** As a service would read it now. */
export async function readConfiguration(configFile: string): Promise<LoadedConfig> {
  const options = { environment: process.env, nowMs: Date.now(), generation: 1 };
  return withCompiledNames(await loadConfig(resolve(configFile), options));
}

export async function withInventory<T>(
  configFile: string,
  use: (inventory: Inventory) => Promise<Answer<T>>,
): Promise<Answer<T>> {
  const loaded = await readConfiguration(configFile);
  return loaded.kind === "ok" ? use(loaded.inventory) : wrongConfiguration(loaded);
}

export function withEdge<T>(
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
