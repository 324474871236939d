import type { z } from "zod";
import type { Findings } from "./findings.ts";
import { addIssues, sayIssue } from "./issues.ts";
import { type Path, type Tree, isEmpty, plainWithEmptyKeys, treeAt } from "./tree.ts";

/**
 * Unknown keys that have no value, and are left out before the schema sees them: `adresses:`, or the 37 of
 * `{ latitude: 52,37 }`.
 * @param base leads from the root to what the schema is of
 */
export function addUnknownEmptyKeys(schema: z.ZodType, root: Tree, base: Path, findings: Findings): void {
  const tree = treeAt(root, base);
  if (tree === undefined || !hasEmptyKeys(tree)) return;
  const parsed = schema.safeParse(plainWithEmptyKeys(tree), { error: sayIssue });
  if (parsed.success) return;
  addIssues(parsed.error.issues, root, base, findings, (code, path) => {
    const at = code === "unrecognized_keys" ? treeAt(root, path) : undefined;
    return at !== undefined && isEmpty(at);
  });
}

function hasEmptyKeys(tree: Tree): boolean {
  if (tree.kind === "list") return tree.items.some(hasEmptyKeys);
  return (
    tree.kind === "map" &&
    [...tree.entries.values()].some(({ value }) => isEmpty(value) || hasEmptyKeys(value))
  );
}
