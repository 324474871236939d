import { z } from "zod";
import { type Reading, VALUE, read, refuse } from "./reading.ts";
import { didYouMean } from "../base/suggest.ts";

/** A value without parts, as YAML gives it. */
export type Scalar = string | number | boolean;

type JsonSchema = { readonly [key: string]: unknown };

interface LeafWords {
  /** With its article: `a duration`. */
  readonly noun: string;
  /** What would be right: `write 500ms, 5s, 10m or 1h`. */
  readonly hint: string;
  /** What an editor is told; a text with `${NAME}` is allowed beside it. */
  readonly json: JsonSchema;
}

/**
 * The schema of one value. `reader` returns undefined for what is not such a value at all, or refuses in
 * words that go on after the value: `is 70 octets long`.
 */
export function leaf<T>(words: LeafWords, reader: (value: Scalar) => Reading<T> | undefined) {
  return z
    .any()
    .transform((input: unknown, context): T => {
      const reading = (isScalar(input) ? reader(input) : undefined) ?? misfit(words, input);
      if (reading.kind === "read") return reading.value;
      context.issues.push({ code: "custom", message: reading.message, input });
      return z.NEVER;
    })
    .meta(orVariable(words.json));
}

/** A leaf that YAML writes as text. */
export function textLeaf<T>(words: LeafWords, reader: (text: string) => Reading<T> | undefined) {
  return leaf(words, (value) => {
    const reading = typeof value === "string" ? reader(value) : undefined;
    return reading?.kind === "refused" ? refuse(`${VALUE} ${reading.message}`) : reading;
  });
}

/** Any text that is not empty. */
export function text(noun: string, hint: string) {
  const words = { noun, hint, json: { type: "string", minLength: 1 } };
  return textLeaf(words, (value) => (value === "" ? undefined : read(value)));
}

/** A text that no problem shows, even when it stands in the file itself. */
export function secret(noun: string, pattern?: RegExp) {
  const json = { type: "string", ...(pattern && { pattern: pattern.source }) };
  return leaf({ noun, hint: "", json }, (value) => {
    if (typeof value === "string" && UNSENDABLE.test(value))
      return refuse(`must be ${noun} without control characters, as a line end behind it`);
    if (typeof value === "string" && value !== "" && (pattern?.test(value) ?? true)) return read(value);
    return refuse(`must be ${noun}; put quotes around it if it looks like a number`);
  });
}

/** Nothing that could go into a header or a url. */
const UNSENDABLE = /[\p{Cc}\p{Surrogate}]/u;

/** One word of a list. */
export function oneOf<const W extends string>(...choices: readonly W[]) {
  const hint = `write ${listed(choices)}`;
  return leaf({ noun: "known here", hint, json: { type: "string", enum: choices } }, (value) => {
    const choice = choices.find((each) => each === value);
    if (choice !== undefined) return read(choice);
    return refuse(`${VALUE} is not known here; write ${listed(choices)}${guess(value, choices)}`);
  });
}

interface Range {
  readonly min: number;
  readonly max: number;
}

/** A finite number within bounds; digits in quotes count, since variables are always text. */
export function decimal({ min, max }: Range) {
  const hint = `write a number from ${min} to ${max}`;
  const words = { noun: "a number in range", hint, json: { type: "number", minimum: min, maximum: max } };
  return leaf(words, (value) => {
    const number = numberOf(value);
    return number !== undefined && number >= min && number <= max ? read(number) : undefined;
  });
}

export function integer({ min, max }: Range) {
  const hint = `write a whole number from ${min} to ${max}`;
  const json = { type: "integer", minimum: min, maximum: max };
  return leaf({ noun: "a whole number in range", hint, json }, (value) => {
    const number = numberOf(value);
    if (number === undefined || !Number.isInteger(number)) return undefined;
    return number >= min && number <= max ? read(number) : undefined;
  });
}

export function flag() {
  return leaf({ noun: "true or false", hint: "write one of the two", json: { type: "boolean" } }, (value) => {
    if (value === true || value === "true") return read(true);
    return value === false || value === "false" ? read(false) : undefined;
  });
}

export function unsupported(subject: string, supported: string): string {
  return `${subject === "" ? "" : `${subject} is `}not supported by this version yet; supported: ${supported}`;
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}

export function guess(value: unknown, choices: readonly string[]): string {
  return typeof value === "string" ? didYouMean(value, choices) : "";
}

/** What `${NAME}` becomes is known only when the program runs: editors accept it everywhere. */
function orVariable(json: JsonSchema): JsonSchema {
  const isAnyText = json["type"] === "string" && json["pattern"] === undefined && json["enum"] === undefined;
  return isAnyText ? json : { anyOf: [json, { type: "string", pattern: "\\$\\{" }] };
}

function isScalar(input: unknown): input is Scalar {
  return typeof input === "string" || typeof input === "number" || typeof input === "boolean";
}

function misfit({ noun, hint }: LeafWords, input: unknown): Reading<never> {
  const right = hint === "" ? `give ${noun}` : hint;
  if (input === undefined || input === null) return refuse(`missing; ${right}`);
  return refuse(`${VALUE} is not ${noun}${hint === "" ? "" : `; ${hint}`}`);
}

function numberOf(value: Scalar): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  return typeof value === "string" && /^-?\d{1,15}(\.\d{1,15})?$/.test(value) ? Number(value) : undefined;
}
