import type { LoadReport } from "../model/condition.ts";
import type { JsonField, JsonLoad, LoadField } from "../model/edge.ts";
import { LOAD_FIELDS, quoted } from "./fields.ts";
import { type FieldReading, fieldReading, type Reading, reportFrom, type SourceType } from "./source.ts";

/** Any JSON document, with a path for each field. */
export const jsonSource: SourceType<JsonLoad> = {
  requests: ({ url }) => [{ url, headers: { accept: "application/json" } }],
  read: ({ fields }, [reply]) => readText(reply?.body ?? "", fields),
};

/** The report in a JSON document. What is missing or makes no sense is unknown. */
export function readJson(document: unknown, fields: JsonLoad["fields"]): LoadReport {
  return reportFrom(readFields(document, fields));
}

/**
 * Each configured field with its value or what is wrong. Numbers may be written as text; `"*"` adds them up.
 * Names are the texts of a list, or the keys of an object.
 */
export function readFields(document: unknown, fields: JsonLoad["fields"]): FieldReading[] {
  return LOAD_FIELDS.flatMap((field) => {
    const rule = fields[field];
    return rule === undefined ? [] : [readField(document, field, rule)];
  });
}

function readText(text: string, fields: JsonLoad["fields"]): Reading {
  try {
    return { kind: "fields", fields: readFields(JSON.parse(text), fields) };
  } catch {
    const looksLikeHtml = text.trimStart().startsWith("<");
    return {
      kind: "unreadable",
      problem: `expected JSON, got ${looksLikeHtml ? "HTML or XML" : "something else"}`,
    };
  }
}

function readField(document: unknown, field: LoadField, { path, factor }: JsonField): FieldReading {
  const from = pathText(path) + (factor === 1 ? "" : ` × ${factor}`);
  const found = membersAt(document, path);
  if (found === undefined) return { field, from, problem: `nothing at ${pathText(path)}` };
  if (field === "streams") return fieldReading(field, [...new Set(found.flatMap(namesIn))], from);
  const numbers = found.map(numberIn);
  const bad = numbers.findIndex((number) => number === undefined);
  if (bad >= 0) return { field, from, problem: `expected a number, got ${quoted(found[bad])}` };
  const sum = (numbers as number[]).reduce((a, b) => a + b, 0);
  return scaledReading(field, sum * factor, from);
}

function scaledReading(field: Exclude<LoadField, "streams">, value: number, from: string): FieldReading {
  if (field === "viewers") return fieldReading(field, Math.round(value), from);
  if (field === "bandwidth" || !(value > 1)) return fieldReading(field, value, from);
  return fieldReading(field, 1, from, `${value} is more than the whole; a percentage wants factor 0.01`);
}

/** Everything that a path leads to; undefined when it leads nowhere. An empty list under `"*"` is not nowhere. */
function membersAt(value: unknown, path: JsonField["path"]): unknown[] | undefined {
  const [key, ...rest] = path;
  if (key === undefined) return value === null ? undefined : [value];
  if (key === "*") return membersOf(value)?.flatMap((member) => membersAt(member, rest) ?? []);
  const member = memberOf(value, key);
  return member === undefined ? undefined : membersAt(member, rest);
}

function membersOf(value: unknown): unknown[] | undefined {
  return typeof value === "object" && value !== null ? Object.values(value) : undefined;
}

function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as { [key: string | number]: unknown })[key];
}

function numberIn(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" && DECIMAL.test(value) ? Number(value) : undefined;
}

const DECIMAL = /^\s*-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;

function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value as string[];
  if (typeof value === "object" && value !== null) return Object.keys(value);
  return [value as string];
}

function pathText(path: JsonField["path"]): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");
  return text.replace(/^\./, "") || "the document";
}
