import { visibly } from "./visibly.ts";

/** A YAML document as plain nodes that know where they stand, in whichever file. */
export type Tree = MapTree | ListTree | ScalarTree;

export interface MapTree {
  readonly kind: "map";
  readonly mark: Mark;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface ListTree {
  readonly kind: "list";
  readonly mark: Mark;
  readonly items: readonly Tree[];
}

export interface ScalarTree {
  readonly kind: "scalar";
  readonly mark: Mark;
  readonly value: string | number | boolean | null;
  /** The text as written, with its `${NAME}`, when the value came from the environment. */
  readonly template?: string;
}

export interface Entry {
  readonly key: Mark;
  readonly value: Tree;
}

/** A place in a file: line and column from 1. */
export interface Mark {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export type Path = readonly (string | number)[];

/** As it is found by a path: the node, or the deepest one above it that exists. */
export interface Found {
  readonly mark: Mark;
  /** Absent when nothing stands at the path. */
  readonly tree?: Tree;
}

/** Where a path leads. A map or list is marked by its key; so is whoever lacks what the path asks for. */
export function locate(root: Tree, path: Path): Found {
  let tree = root;
  let key: Mark | undefined;
  for (const step of path) {
    const next = child(tree, step);
    if (next === undefined) return { mark: key ?? tree.mark };
    [tree, key] = [next.value, next.key];
  }
  return { mark: tree.kind === "scalar" ? tree.mark : (key ?? tree.mark), tree };
}

/** Where the key at the end of the path stands. */
export function locateKey(root: Tree, path: Path): Found {
  const parent = locate(root, path.slice(0, -1));
  const entry = parent.tree === undefined ? undefined : child(parent.tree, path.at(-1) ?? "");
  return { mark: entry?.key ?? parent.mark };
}

export function treeAt(root: Tree, path: Path): Tree | undefined {
  return locate(root, path).tree;
}

/** The entries of the map at a path, in the file's order; none if there is no map. */
export function entriesAt(root: Tree, path: Path): readonly (readonly [string, Entry])[] {
  const tree = treeAt(root, path);
  return tree?.kind === "map" ? [...tree.entries] : [];
}

/**
 * The values alone. A key without a value is left out: it says as much as an absent one, unless its presence says
 * something.
 */
export function plain(tree: Tree): unknown {
  return plainWith(tree, (key) => (saysByPresence.has(key) ? {} : undefined), false);
}

/** As `plain`, but keys without a value are there, and undefined. */
export function plainWithEmptyKeys(tree: Tree): unknown {
  return plainWith(tree, () => undefined, true);
}

/**
 * Without them other viewers are served, or others edges, or in another way: what is commented out below them must
 * not pass unseen.
 */
const saysByPresence: ReadonlySet<string> = new Set([
  "allow",
  "deny",
  "edges",
  "experience",
  "preferredFor",
  "redirectToHttps",
  "sign",
]);

function plainWith(tree: Tree, whenEmpty: (key: string) => unknown, keepsEmptyKeys: boolean): unknown {
  switch (tree.kind) {
    case "scalar":
      return tree.value;
    case "list":
      return tree.items.map((item) => plainWith(item, whenEmpty, keepsEmptyKeys));
    case "map": {
      const values = [...tree.entries].map(
        ([key, { value }]) =>
          [key, isEmpty(value) ? whenEmpty(key) : plainWith(value, whenEmpty, keepsEmptyKeys)] as const,
      );
      return Object.fromEntries(keepsEmptyKeys ? values : values.filter(([, value]) => value !== undefined));
    }
  }
}

export function isEmpty(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}

/** A path as it is in the file: a single value counts as a list of one, and has no index there. */
export function writtenPath(root: Tree, path: Path): Path {
  const written: (string | number)[] = [];
  for (const step of path) {
    const isList = typeof step !== "number" || locate(root, written).tree?.kind === "list";
    if (isList) written.push(step);
  }
  return written;
}

/** Dotted; keys that could be misread are quoted. */
export function formatPath(path: Path): string {
  return path
    .map((step) => (/^[\w.:/*@-]+$/.test(String(step)) ? String(step) : visibly(String(step))))
    .join(".");
}

function child(tree: Tree, step: string | number): { key?: Mark; value: Tree } | undefined {
  if (tree.kind === "map") return tree.entries.get(String(step));
  const item = tree.kind === "list" ? tree.items[Number(step)] : undefined;
  return item === undefined ? undefined : { key: item.mark, value: item };
}
