import type { Unreadable } from "./source.ts";

export type Parsed = { readonly kind: "document"; readonly document: unknown } | Unreadable;

/** A reply that ought to be JSON. */
export function parseJson(body: string): Parsed {
  const text = body.startsWith("\uFEFF") ? body.slice(1) : body;
  try {
    return { kind: "document", document: JSON.parse(text) as unknown };
  } catch {
    const found = looksLike(text);
    const problem = found === "JSON" ? "its JSON is cut short or broken" : `expected JSON, got ${found}`;
    return { kind: "unreadable", problem };
  }
}

/** What a reply seems to be that is not what was expected. */
export function looksLike(body: string): string {
  const start = body.trimStart();
  if (start === "") return "nothing";
  if (start.startsWith("<")) return "HTML or XML";
  return /^[[{]/.test(start) ? "JSON" : "something else";
}

/** What stands at a path; undefined when the path leads nowhere. */
export function valueAt(document: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce((value, key) => memberOf(value, key), document);
}

/** The number at a path, also one written as text. */
export function numberAt(document: unknown, ...path: readonly (string | number)[]): number | undefined {
  return numberIn(valueAt(document, ...path));
}

export function listAt(document: unknown, ...path: readonly (string | number)[]): readonly unknown[] {
  const value = valueAt(document, ...path);
  return Array.isArray(value) ? value : [];
}

export function textAt(document: unknown, ...path: readonly (string | number)[]): string | undefined {
  const value = valueAt(document, ...path);
  return typeof value === "string" ? value : undefined;
}

/** The members of the object at a path; none when there is no object. */
export function membersAt(document: unknown, ...path: readonly (string | number)[]): [string, unknown][] {
  const value = valueAt(document, ...path);
  return isObject(value) && !Array.isArray(value) ? Object.entries(value) : [];
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

export function memberOf(value: unknown, key: string | number): unknown {
  if (!isObject(value) || !Object.hasOwn(value, key)) return undefined;
  return (value as { [key: string | number]: unknown })[key];
}

/** A finite number, also one written as text, with or without a digit before the point. */
export function numberIn(value: unknown): number | undefined {
  const number = typeof value === "string" && DECIMAL.test(value) ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

/** No two parts of it can take the same digits: a text of a million of them is read once. */
const DECIMAL = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?\s*$/i;
