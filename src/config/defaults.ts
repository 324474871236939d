import type { Entry, ListTree, MapTree, Tree } from "./tree.ts";

/** Kept from the default's block when an edge names another type, wherever that type has them. */
const timingKeys = new Set(["interval", "timeout", "rise", "fall", "staleAfter"]);

/** The timing keys that each type of a block knows; types that are not named know none. */
export type TimingKeys = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * An edge with the defaults under it: maps are merged key by key, anything else in the edge replaces the
 * default. `probe` and `load` are blocks with a type: a block of another type keeps of the default only its
 * timing, and a probe's `url` takes the place of the default's `path` and `port` (and these of a `url`).
 * Of a list of loads, each takes what the default of its own type gives. Every node keeps the place in
 * the file that it came from.
 */
export function withDefaults(defaults: Tree | undefined, edge: Tree, timing: TimingKeys): Tree {
  if (defaults?.kind !== "map" || edge.kind !== "map") return edge;
  return merge(defaults, edge, (key, under, over) => {
    if (key === "probe") return mergeBlock(under, over, timing);
    if (key === "load") return mergeLoads(under, over, timing);
    return under.kind === "map" && over.kind === "map" ? merge(under, over, (_, __, value) => value) : over;
  });
}

/** Which of the timing keys a set of schemas knows, by their type. */
export function timingKeysOf(
  variants: readonly { shape: { type: { value: string }; [key: string]: unknown } }[],
): TimingKeys {
  return new Map(variants.map(({ shape }) => [shape.type.value, timingIn(shape)]));
}

function timingIn(shape: object): Set<string> {
  return new Set(Object.keys(shape).filter((key) => timingKeys.has(key)));
}

type Merge = (key: string, under: Tree, over: Tree) => Tree;

/** The order of the defaults, then what only the edge has; an empty value in the edge takes the default. */
function merge(under: MapTree, over: MapTree, both: Merge): MapTree {
  const entries = new Map<string, Entry>(under.entries);
  for (const [key, { key: mark, value }] of over.entries) {
    const below = entries.get(key)?.value;
    if (below === undefined) entries.set(key, { key: mark, value });
    else if (!isNothing(value)) entries.set(key, { key: mark, value: both(key, below, value) });
  }
  return { kind: "map", mark: over.mark, entries };
}

function mergeLoads(under: Tree, over: Tree, timing: TimingKeys): Tree {
  const defaults = under.kind === "list" ? under.items : [under];
  if (over.kind === "map") return mergeBlock(likest(defaults, over), over, timing);
  if (over.kind !== "list") return over;
  const items = over.items.map((item) => mergeBlock(likest(defaults, item), item, timing));
  return { kind: "list", mark: over.mark, items } satisfies ListTree;
}

/** The default of the same type, or the only one there is. */
function likest(defaults: readonly Tree[], block: Tree): Tree | undefined {
  const type = typeOf(block);
  const same = defaults.find((each) => type !== undefined && typeOf(each) === type);
  return same ?? (defaults.length === 1 ? defaults[0] : undefined);
}

function mergeBlock(under: Tree | undefined, over: Tree, timing: TimingKeys): Tree {
  if (under?.kind !== "map" || over.kind !== "map") return over;
  const [was, is] = [typeOf(under), typeOf(over)];
  const differs = was !== undefined && is !== undefined && was !== is;
  const kept = differs ? onlyKeys(under, timing.get(is) ?? new Set()) : withoutRivals(under, over);
  return merge(kept, over, (_, below, value) =>
    below.kind === "map" && value.kind === "map" ? merge(below, value, (_, __, v) => v) : value,
  );
}

function onlyKeys(block: MapTree, keys: ReadonlySet<string>): MapTree {
  return { ...block, entries: new Map([...block.entries].filter(([key]) => keys.has(key))) };
}

/** `url` says where to probe as a whole, `path` and `port` in part: the edge's way replaces the default's. */
function withoutRivals(under: MapTree, over: MapTree): MapTree {
  const rivals = new Set<string>();
  if (over.entries.has("url")) ["path", "port"].forEach((key) => rivals.add(key));
  if (over.entries.has("path") || over.entries.has("port")) rivals.add("url");
  return { ...under, entries: new Map([...under.entries].filter(([key]) => !rivals.has(key))) };
}

function typeOf(block: Tree): string | undefined {
  const type = block.kind === "map" ? block.entries.get("type")?.value : undefined;
  return type?.kind === "scalar" && type.value !== null ? String(type.value) : undefined;
}

function isNothing(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}
