import type { z } from "zod";
import { sayIssue } from "./issues.ts";
import type { Path } from "./tree.ts";

export interface Fitting<T> {
  /** Undefined when not even an empty value would fit. */
  readonly data: T | undefined;
  /** What is wrong with the whole; empty when all of it fits. */
  readonly issues: readonly z.core.$ZodIssue[];
  /** Where in the values what a path of `data` leads to stood: lists that lost an item have others in its place. */
  readonly givenPath: (path: Path) => Path;
}

/**
 * Parses `values`, and if they are wrong, once more what is left of them: a wrong key, or item of a list, is taken
 * out, and whatever then lacks it, up to where a default steps in. So what is right can be looked at further.
 * @param values changed by this
 */
export function parseWhatFits<S extends z.ZodType>(schema: S, values: unknown): Fitting<z.output<S>> {
  const whole = schema.safeParse(values, { error: sayIssue });
  if (whole.success) return { data: whole.data, issues: [], givenPath: (path) => path };
  const issues = whole.error.issues;
  const places: Places = new Map();
  const givenPath = (path: Path): Path => pathBefore(values, path, places);
  for (let left = issues; ; ) {
    const outOfPlace = left.flatMap(pathsOf).map((path) => presentAt(values, path));
    if (outOfPlace.some((path) => path.length === 0)) return { data: undefined, issues, givenPath };
    removeAll(values, outOfPlace, places);
    const parsed = schema.safeParse(values);
    if (parsed.success) return { data: parsed.data, issues, givenPath };
    left = parsed.error.issues;
  }
}

/** Of each list that lost items: where those that are left stood. */
type Places = Map<unknown, readonly number[]>;

function pathsOf(issue: z.core.$ZodIssue): PropertyKey[][] {
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
}

/** The path itself if something is there, otherwise that of what lacks it: so each round takes something out. */
function presentAt(values: unknown, path: readonly PropertyKey[]): readonly PropertyKey[] {
  if (path.length === 0 || path.reduce<unknown>(memberOf, values) !== undefined) return path;
  return presentAt(values, path.slice(0, -1));
}

/** All paths are those of before: items of a list move up once the last is known. */
function removeAll(values: unknown, paths: readonly (readonly PropertyKey[])[], places: Places): void {
  const lists = new Map<unknown[], Set<number>>();
  for (const path of paths) {
    const parent = path.slice(0, -1).reduce<unknown>(memberOf, values);
    const last = path.at(-1) ?? "";
    if (Array.isArray(parent)) lists.set(parent, (lists.get(parent) ?? new Set()).add(Number(last)));
    else if (typeof parent === "object" && parent !== null)
      delete (parent as Record<PropertyKey, unknown>)[last];
  }
  for (const [list, taken] of lists) {
    const stays = (_: unknown, index: number): boolean => !taken.has(index);
    places.set(list, (places.get(list) ?? [...list.keys()]).filter(stays));
    list.splice(0, list.length, ...list.filter(stays));
  }
}

function pathBefore(values: unknown, path: Path, places: Places): Path {
  let at = values;
  return path.map((step) => {
    const before = typeof step === "number" ? places.get(at)?.[step] : undefined;
    at = memberOf(at, step);
    return before ?? step;
  });
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}
