import type { LoadReport } from "../model/condition.ts";
import type { LoadField } from "../model/edge.ts";

export const LOAD_FIELDS: readonly LoadField[] = ["viewers", "bandwidth", "cpu", "memory", "streams"];

export type NumberField = Exclude<LoadField, "streams">;

/** Beyond these a value is a mistake, whoever says it. */
const NUMBER_LIMITS: { readonly [field in NumberField]: number } = {
  viewers: 1e9,
  bandwidth: 1e15,
  cpu: 1,
  memory: 1,
};
const STREAMS_MAX = 10_000;
const STREAM_NAME_LENGTH_MAX = 512;

/** What is wrong with a value as that field of a report, in words; undefined when nothing is. */
export function problemOf(field: LoadField, value: unknown): string | undefined {
  return field === "streams" ? streamsProblem(value) : numberProblem(field, value);
}

/** Of a valid report, only what is there: an absent field stays absent. */
export function reportOf(values: ReadonlyMap<LoadField, unknown>): LoadReport {
  return Object.fromEntries(values) as LoadReport;
}

/** Of names as a server lists them, those that a report may carry, each once. */
export function usableNames(names: readonly string[]): { usable: string[]; leftOut: number } {
  const distinct = [...new Set(names)];
  const usable = distinct.filter((name) => nameProblem(name) === undefined).slice(0, STREAMS_MAX);
  return { usable, leftOut: distinct.length - usable.length };
}

/** A value from outside, short and harmless enough for a message. */
export function quoted(value: unknown): string {
  if (typeof value === "number") return String(value);
  const text = typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
  return text.replace(NOT_PRINTABLE, "?");
}

function numberProblem(field: NumberField, value: unknown): string | undefined {
  const max = NUMBER_LIMITS[field];
  if (typeof value !== "number") return `expected a number, got ${quoted(value)}`;
  if (!Number.isFinite(value)) return "expected a finite number";
  if (value < 0) return `expected 0 or more, got ${value}`;
  if (value > max) return `expected at most ${max}, got ${value}`;
  if (field === "viewers" && !Number.isInteger(value)) return `expected a whole number, got ${value}`;
  return undefined;
}

function streamsProblem(value: unknown): string | undefined {
  if (!Array.isArray(value)) return `expected a list of names, got ${quoted(value)}`;
  if (value.length > STREAMS_MAX) return `expected at most ${STREAMS_MAX} names, got ${value.length}`;
  const index = value.findIndex((name) => nameProblem(name) !== undefined);
  return index < 0 ? undefined : `name ${index}: ${nameProblem(value[index])}`;
}

function nameProblem(name: unknown): string | undefined {
  if (typeof name !== "string") return `expected a text, got ${quoted(name)}`;
  if (name === "") return "expected a name, got an empty text";
  if (name.length > STREAM_NAME_LENGTH_MAX) return `expected at most ${STREAM_NAME_LENGTH_MAX} characters`;
  return CONTROL.test(name) ? "expected no control characters" : undefined;
}

/** What sort of value it is, without any of it. */
export function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return "a text";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number" && !Number.isFinite(value)) return "a number beyond all bounds";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const CONTROL = /\p{Cc}/u;
const NOT_PRINTABLE = /[\p{Cc}\p{Cf}]/gu;
