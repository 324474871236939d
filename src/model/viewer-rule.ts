import type { Prefix } from "./address.ts";
import type { Continent } from "./location.ts";

/** Viewers who match one of its entries. */
export interface ViewerRule {
  readonly countries: readonly string[];
  readonly continents: readonly Continent[];
  readonly networks: readonly Prefix[];
  readonly asns: readonly number[];
}
