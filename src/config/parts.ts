import type { Edge } from "../model/edge.ts";
import type { LoadedConfig } from "./load.ts";

/** A piece of a loaded configuration: some of its edges, or at last all the rest. */
export type Part =
  | { readonly kind: "edges"; readonly edges: readonly Edge[] }
  | { readonly kind: "rest"; readonly result: LoadedConfig };

/** Takes about a millisecond to copy into another thread. */
const edgesAtOnce = 100;

/** Cuts a configuration into parts, so that whoever receives them can do something else in between. */
export function* partsOf(result: LoadedConfig): Generator<Part> {
  if (result.kind === "problems") return yield { kind: "rest", result };
  const { edges } = result.inventory;
  for (let i = 0; i < edges.length; i += edgesAtOnce) {
    yield { kind: "edges", edges: edges.slice(i, i + edgesAtOnce) };
  }
  yield { kind: "rest", result: { ...result, inventory: { ...result.inventory, edges: [] } } };
}

/** Puts the edges that came before back into the rest. */
export function joinParts(edges: readonly Edge[], rest: LoadedConfig): LoadedConfig {
  return rest.kind === "problems" ? rest : { ...rest, inventory: { ...rest.inventory, edges } };
}
