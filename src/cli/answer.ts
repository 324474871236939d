import { formatProblem } from "../base/problem.ts";
import { nearest } from "../base/suggest.ts";
import type { Problem } from "../model/problem.ts";
import { printable } from "./text.ts";

/** What a command ends with: a value to show, or one of the ways it can fail. */
export type Answer<T> = { readonly kind: "done"; readonly value: T } | Failure;

export type Failure =
  /** The answer is no; the message says why, and what would be right. */
  | { readonly kind: "no"; readonly message: string }
  /** No edge or service has that name; `known` are the names there are. */
  | {
      readonly kind: "unknown";
      readonly what: "edge" | "hostname" | "service";
      readonly name: string;
      readonly known: readonly string[];
    }
  | { readonly kind: "wrong-usage"; readonly message: string }
  | {
      readonly kind: "wrong-configuration";
      readonly problems: readonly Problem[];
      /** What holds although it is wrong. */
      readonly meanwhile?: string;
    }
  | { readonly kind: "unreachable"; readonly message: string };

/** The exit codes of every command. */
export const EXIT = { done: 0, no: 1, usage: 2, configuration: 3, unreachable: 4 } as const;

export function done<T>(value: T): Answer<T> {
  return { kind: "done", value };
}

export function exitCodeOf(failure: Failure): number {
  switch (failure.kind) {
    case "no":
    case "unknown":
      return EXIT.no;
    case "wrong-usage":
      return EXIT.usage;
    case "wrong-configuration":
      return EXIT.configuration;
    case "unreachable":
      return EXIT.unreachable;
  }
}

/** The lines for stderr, without control characters. */
export function failureText(failure: Failure): string {
  return `${linesOf(failure).map(printable).join("\n")}\n`;
}

function linesOf(failure: Failure): string[] {
  switch (failure.kind) {
    case "no":
    case "wrong-usage":
    case "unreachable":
      return `edgeward: ${failure.message}`.split("\n");
    case "unknown":
      return [`edgeward: no ${OWNER[failure.what]} ${failure.name}; ${alternatives(failure)}`];
    case "wrong-configuration":
      return [...failure.problems.map(formatProblem), `edgeward: ${configurationLine(failure)}`];
  }
}

export function countOf(problems: readonly unknown[]): string {
  return problems.length === 1 ? "1 problem" : `${problems.length} problems`;
}

function configurationLine({
  problems,
  meanwhile,
}: {
  problems: readonly Problem[];
  meanwhile?: string;
}): string {
  const line = `${countOf(problems)} in the configuration`;
  return meanwhile === undefined ? line : `${line}; ${meanwhile}`;
}

const OWNER = {
  edge: "edge is called",
  hostname: "service has the hostname",
  service: "service is called",
} as const;

const MOST_LISTED = 20;

function alternatives({ name, known }: { name: string; known: readonly string[] }): string {
  const near = nearest(name, known);
  if (near !== undefined) return `did you mean ${near}?`;
  if (known.length === 0) return "there is none";
  const more = known.length > MOST_LISTED ? ` and ${known.length - MOST_LISTED} more` : "";
  return `there are ${known.slice(0, MOST_LISTED).join(", ")}${more}`;
}
