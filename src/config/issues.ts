import type { z } from "zod";
import type { Findings } from "./findings.ts";
import { VALUE } from "./reading.ts";
import { didYouMean } from "../base/suggest.ts";
import { type Path, type Tree, locate } from "./tree.ts";

/**
 * What zod found wrong, told at the place where it stands.
 * @param base leads from the root to what was parsed
 * @param isWanted left out: everything is told
 */
export function addIssues(
  issues: readonly z.core.$ZodIssue[],
  root: Tree,
  base: Path,
  findings: Findings,
  isWanted: IsWanted = () => true,
): void {
  for (const issue of issues) addIssue(issue, root, [...base, ...(issue.path as Path)], findings, isWanted);
}

export type IsWanted = (code: z.core.$ZodIssue["code"], path: Path) => boolean;

function addIssue(
  issue: z.core.$ZodIssue,
  root: Tree,
  path: Path,
  findings: Findings,
  isWanted: IsWanted,
): void {
  if (issue.code === "unrecognized_keys") {
    issue.message.split("\n").forEach((message, i) => {
      const at = [...path, issue.keys[i] ?? ""];
      if (isWanted(issue.code, at)) findings.atKey(root, at, message);
    });
  } else if (issue.code === "invalid_union" && issue.errors.length > 0) {
    addIssues(chosen(issue.errors, root, path), root, path, findings, isWanted);
  } else if (isWanted(issue.code, path)) {
    if (issue.code === "invalid_key") findings.atKey(root, path, issue.issues[0]?.message ?? issue.message);
    else findings.at(root, path, issue.message);
  }
}

/** Of "one, or another form": the problems of the form that was meant, which is told by the kind of value. */
function chosen(errors: readonly z.core.$ZodIssue[][], root: Tree, path: Path): readonly z.core.$ZodIssue[] {
  const kind = locate(root, path).tree?.kind;
  const [first = [], second = []] = errors;
  return kind === "list" || (kind === "map" && isShapeError(first)) ? second : first;
}

function isShapeError(issues: readonly z.core.$ZodIssue[]): boolean {
  const [issue] = issues;
  return issue?.path.length === 0 && (issue.code === "custom" || issue.code === "invalid_type");
}

/** zod's words for what no schema of ours says itself. */
export function sayIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = knownKeys(issue.inst);
      return issue.keys.map((key) => `unknown key${hint(key, known)}`).join("\n");
    }
    case "invalid_type":
      return sayType(issue.expected, issue.input, knownKeys(issue.inst));
    default:
      return undefined;
  }
}

function knownKeys(schema: unknown): string[] {
  const shape = (schema as { shape?: object } | undefined)?.shape;
  return shape === undefined ? [] : Object.keys(shape);
}

function hint(key: string, known: readonly string[]): string {
  if (/^\d+$/.test(key))
    return "; if it is the rest of a number, write that as 1000 or 52.37, without a comma";
  const guess = didYouMean(key, known);
  return guess === "" ? `; known here: ${known.join(", ")}` : guess;
}

function sayType(expected: string, input: unknown, known: readonly string[]): string {
  const keys = known.length === 0 ? "" : `; its keys: ${known.join(", ")}`;
  const [right, example] =
    expected === "array" ? ["a list", ", as [a, b]"] : ["a map of keys and values", keys];
  return input === undefined || input === null
    ? `missing; give ${right}${example}`
    : `${VALUE} stands where ${right} belongs${example}`;
}
