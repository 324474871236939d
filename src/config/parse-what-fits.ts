import type { z } from "zod";
import { sayIssue } from "./issues.ts";

export interface Fitting<T> {
  /** Undefined when not even an empty value would fit. */
  readonly data: T | undefined;
  /** What is wrong with the whole; empty when all of it fits. */
  readonly issues: readonly z.core.$ZodIssue[];
}

/**
 * Parses `values`, and if they are wrong, once more what is left of them: a wrong key is taken out, and
 * whatever then lacks it, up to where a default steps in. So what is right can be looked at further.
 * @param values changed by this
 */
export function parseWhatFits<S extends z.ZodType>(schema: S, values: unknown): Fitting<z.output<S>> {
  const whole = schema.safeParse(values, { error: sayIssue });
  if (whole.success) return { data: whole.data, issues: [] };
  const issues = whole.error.issues;
  for (let left = issues; ; ) {
    const outOfPlace = left.flatMap(pathsOf).map((path) => presentAt(values, path));
    if (outOfPlace.some((path) => path.length === 0)) return { data: undefined, issues };
    for (const path of outOfPlace) remove(values, path);
    const parsed = schema.safeParse(values);
    if (parsed.success) return { data: parsed.data, issues };
    left = parsed.error.issues;
  }
}

type Path = readonly PropertyKey[];

function pathsOf(issue: z.core.$ZodIssue): Path[] {
  return issue.code === "unrecognized_keys" ? issue.keys.map((key) => [...issue.path, key]) : [issue.path];
}

/** The path itself if something is there, otherwise that of what lacks it: so each round takes something out. */
function presentAt(values: unknown, path: Path): Path {
  if (path.length === 0 || path.reduce<unknown>(memberOf, values) !== undefined) return path;
  return presentAt(values, path.slice(0, -1));
}

function remove(values: unknown, path: Path): void {
  const parent = path.slice(0, -1).reduce<unknown>(memberOf, values);
  const last = path.at(-1) ?? "";
  if (Array.isArray(parent)) parent[Number(last)] = undefined;
  else if (typeof parent === "object" && parent !== null)
    delete (parent as Record<PropertyKey, unknown>)[last];
}

function memberOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}
