import type { JsonField, JsonLoad, LoadField } from "../model/edge.ts";
import { type Amounts, advance, type Counters, rateOf } from "./counters.ts";
import { isObject, memberOf, numberIn, parseJson } from "./document.ts";
import { kindOf, LOAD_FIELDS } from "./fields.ts";
import { type FieldReading, fieldReading, numberReading, type Reading, type SourceType } from "./source.ts";
import { gapWords } from "./rates.ts";

type Fields = JsonLoad["fields"];

/** Any JSON document, with a path for each field. */
export const jsonSource: SourceType<JsonLoad> = {
  requests: ({ url }) => [{ url, headers: { accept: "application/json" } }],
  read: ({ fields }, [reply], before) =>
    readText(reply?.body ?? "", fields, reply?.receivedAtMs ?? 0, before),
};

/**
 * Each configured field with its value or what is wrong. Numbers may be written as text; `"*"` adds them up.
 * Names are the texts of a list, or the keys of an object.
 * @param counters where the fields that are counters stand, by name; those are unknown without
 */
export function readFields(document: unknown, fields: Fields, counters?: Counters): FieldReading[] {
  return LOAD_FIELDS.flatMap((field) => {
    const rule = fields[field];
    if (rule === undefined) return [];
    return rule.counter && counters?.values[field] !== undefined
      ? [rateReading(field, rule, counters)]
      : [readField(document, field, rule)];
  });
}

function readText(text: string, fields: Fields, receivedAtMs: number, before: Counters | undefined): Reading {
  const parsed = parseJson(text);
  if (parsed.kind === "unreadable") return parsed;
  const { document } = parsed;
  const values = countersIn(document, fields);
  if (Object.keys(values).length === 0) return { kind: "fields", fields: readFields(document, fields) };
  const memory = advance(before, values, { receivedAtMs });
  return {
    kind: "fields",
    fields: readFields(document, fields, memory),
    memory,
    again: memory.gap === "first",
  };
}

function countersIn(document: unknown, fields: Fields): Amounts {
  const counted = Object.entries(fields).flatMap(([field, rule]) => {
    const value = rule.counter ? sumAt(document, rule.path) : undefined;
    return typeof value === "number" ? [[field, value] as const] : [];
  });
  return Object.fromEntries(counted);
}

function rateReading(field: LoadField, { path, factor }: JsonField, counters: Counters): FieldReading {
  const from = `${pathText(path)} per second${factor === 1 ? "" : ` × ${factor}`}`;
  const rate = rateOf(counters, [field]);
  if (rate === undefined) return { field, from, problem: gapWords(counters) };
  return scaledReading(field as Exclude<LoadField, "streams">, rate * factor, from);
}

function readField(document: unknown, field: LoadField, { path, factor }: JsonField): FieldReading {
  const from = pathText(path) + (factor === 1 ? "" : ` × ${factor}`);
  const found = everythingAt(document, path);
  if (found === undefined) return { field, from, problem: `nothing at ${pathText(path)}` };
  if (field === "streams") return fieldReading(field, [...new Set(found.flatMap(namesIn))], from);
  const sum = sumAt(document, path);
  if (typeof sum === "number") return scaledReading(field, sum * factor, from);
  return { field, from, problem: `expected a number, got ${kindOf(sum.notNumber)}` };
}

function scaledReading(field: Exclude<LoadField, "streams">, value: number, from: string): FieldReading {
  if (field === "viewers" || field === "bandwidth") return numberReading(field, value, from);
  if (!(value > 1)) return fieldReading(field, value, from);
  return fieldReading(field, 1, from, `${value} is more than the whole; a percentage wants factor 0.01`);
}

/** The sum of the numbers that a path leads to, or the first thing there that is none. */
function sumAt(document: unknown, path: JsonField["path"]): number | { readonly notNumber: unknown } {
  const found = everythingAt(document, path) ?? [undefined];
  const numbers = found.map(numberIn);
  const bad = numbers.indexOf(undefined);
  return bad < 0 ? (numbers as number[]).reduce((a, b) => a + b, 0) : { notNumber: found[bad] };
}

/** Everything that a path leads to; undefined when it leads nowhere. An empty list under `"*"` is not nowhere. */
function everythingAt(value: unknown, path: JsonField["path"]): unknown[] | undefined {
  const found: unknown[] = [];
  return collect(value, path, 0, found) ? found : undefined;
}

/** Adds to `found` what the rest of the path, from a step on, leads to; false when it leads nowhere. */
function collect(value: unknown, path: JsonField["path"], step: number, found: unknown[]): boolean {
  const key = path[step];
  if (key === undefined) {
    if (value === null) return false;
    found.push(value);
    return true;
  }
  if (key === "*") {
    if (!isObject(value)) return false;
    for (const member of Object.values(value) as unknown[]) collect(member, path, step + 1, found);
    return true;
  }
  const member = memberOf(value, key);
  return member !== undefined && collect(member, path, step + 1, found);
}

function namesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value as string[];
  if (isObject(value)) return Object.keys(value);
  return [value as string];
}

function pathText(path: JsonField["path"]): string {
  const text = path.map((key) => (typeof key === "number" ? `[${key}]` : `.${key}`)).join("");
  return text.replace(/^\./, "") || "the document";
}
