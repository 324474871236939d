import { probeVariants } from "./schema-probe.ts";
import { loadVariants } from "./schema-load.ts";
import { timingKeysOf, withDefaults } from "./defaults.ts";
import type { Findings } from "./findings.ts";
import { type Entry, type MapTree, type Tree, isEmpty } from "./tree.ts";
import { didYouMean } from "../base/suggest.ts";

/** All files as one map: first as they are written, then with the defaults merged under every edge. */
export interface Assembled {
  readonly written: MapTree;
  readonly merged: MapTree;
}

/** Puts the edges of all files into one map; the same edge twice goes to `findings`, naming both places. */
export function assemble(main: MapTree, edgeFiles: readonly Tree[], findings: Findings): Assembled {
  const written = edgeFiles.reduce<MapTree>((root, file) => addEdges(root, file, findings), main);
  const edges = written.entries.get("edges");
  if (edges?.value.kind !== "map") return { written, merged: written };
  const timing = timingKeysOf([...probeVariants, ...loadVariants]);
  const defaults = written.entries.get("defaults")?.value;
  const merged = new Map<string, Entry>();
  for (const [id, entry] of edges.value.entries) {
    merged.set(id, { key: entry.key, value: withDefaults(defaults, entry.value, timing) });
  }
  return {
    written,
    merged: withEntry(written, "edges", { ...edges, value: { ...edges.value, entries: merged } }),
  };
}

function addEdges(root: MapTree, file: Tree, findings: Findings): MapTree {
  const added = edgesOf(file, findings);
  const present = root.entries.get("edges");
  if (
    added === undefined ||
    (present !== undefined && present.value.kind !== "map" && !isEmpty(present.value))
  ) {
    return root;
  }
  const entries = new Map(present?.value.kind === "map" ? present.value.entries : []);
  for (const [id, entry] of added.entries) {
    const first = entries.get(id)?.key;
    if (first === undefined) entries.set(id, entry);
    else
      findings.add(entry.key, ["edges", id], `duplicate edge; the first is at ${first.file}:${first.line}`);
  }
  const key = present?.key ?? added.mark;
  return withEntry(root, "edges", { key, value: { kind: "map", mark: key, entries } });
}

/** A file of `edges.d` holds `edges:` and nothing else. */
function edgesOf(file: Tree, findings: Findings): MapTree | undefined {
  if (isEmpty(file)) return undefined;
  if (file.kind !== "map") {
    findings.add(file.mark, [], "not a map; a file of edges.d holds the key edges");
    return undefined;
  }
  for (const [name, { key }] of file.entries) {
    if (name === "edges") continue;
    const guess = didYouMean(name, ["edges"]);
    findings.add(key, [name], `unknown key; a file of edges.d holds nothing but edges${guess}`);
  }
  const edges = file.entries.get("edges");
  if (edges === undefined || isEmpty(edges.value)) return undefined;
  if (edges.value.kind === "map") return edges.value;
  findings.add(edges.value.mark, ["edges"], "not a map; write each edge under its id");
  return undefined;
}

function withEntry(root: MapTree, name: string, entry: Entry): MapTree {
  return { ...root, entries: new Map(root.entries).set(name, entry) };
}
