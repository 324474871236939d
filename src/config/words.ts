import { VALUE } from "./reading.ts";
import type { ScalarTree, Tree } from "./tree.ts";
import { visibly } from "./visibly.ts";

const longestShown = 80;

/**
 * A message with the value of its node put in: as written in the file, so that `${NAME}` stays `${NAME}`,
 * and nothing derived from the value is shown when the value came from the environment.
 */
export function fillIn(message: string, tree: Tree | undefined): string {
  const secret = tree?.kind === "scalar" && tree.template !== undefined;
  return message
    .replaceAll(/\uE001([^\uE002]*)\uE002/g, secret ? "" : "$1")
    .replaceAll(VALUE, () => shown(tree));
}

function shown(tree: Tree | undefined): string {
  if (tree === undefined) return "nothing";
  switch (tree.kind) {
    case "map":
      return "a map";
    case "list":
      return "a list";
    case "scalar":
      return quoted(tree.template ?? tree.value);
  }
}

function quoted(value: ScalarTree["value"]): string {
  if (value === null) return "nothing";
  const text = typeof value === "string" ? visibly(withoutSecrets(value)) : String(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}

/** Of a URL, neither its userinfo nor its query, where tokens stand. */
function withoutSecrets(text: string): string {
  return text.includes("//") ? text.replace(/\/\/[^/]*@/, "//…@").replace(/\?.*$/s, "?…") : text;
}
