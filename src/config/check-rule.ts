import type { ViewerRule } from "../model/viewer-rule.ts";
import type { Report } from "./report.ts";

/** A rule that no viewer can match is a slip. */
export function checkRule(rule: ViewerRule | undefined, key: string, report: Report): void {
  if (rule === undefined) return;
  const entries = [rule.countries, rule.continents, rule.networks, rule.asns];
  if (entries.some((list) => list.length > 0)) return;
  report([key], "empty: name countries, continents, networks or asns, or leave it out");
}
