import type { ViewerRule } from "../model/viewer-rule.ts";
import type { Report } from "./report.ts";
import type { FileInput } from "./schema.ts";
import type { EdgeInput } from "./schema-edge.ts";

/**
 * Without a database of autonomous systems no viewer has one: whom a rule allows nobody is, and whom it denies
 * neither.
 */
export function checkAsns(file: FileInput, edges: ReadonlyMap<string, EdgeInput>, report: Report): void {
  if (file.geoip.asn.length > 0) return;
  const check = (rule: ViewerRule | undefined, path: readonly string[]): void => {
    if (rule !== undefined && rule.asns.length > 0)
      report([...path, "asns"], "no viewer's autonomous system is known: list a database under geoip.asn");
  };
  for (const [id, { allow, deny }] of Object.entries(file.services)) {
    check(allow, ["services", id, "allow"]);
    check(deny, ["services", id, "deny"]);
  }
  for (const [id, { preferredFor }] of edges) check(preferredFor, ["edges", id, "preferredFor"]);
}
