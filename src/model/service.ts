import type { Address, Prefix } from "./address.ts";
import type { Continent } from "./location.ts";

/** A routed hostname with its edges and its rules, as configured. */
export interface Service {
  readonly id: string;
  /** Position in `Inventory.services`. */
  readonly index: number;
  /** Lower case, no trailing dot; `*.` in front for a wildcard. */
  readonly hostnames: readonly string[];
  /** Indices into `Inventory.edges`, in the order that `failover` keeps. */
  readonly edges: readonly number[];
  readonly rank: Rank;
  readonly affinity: Affinity;
  /** If present, a viewer must match one of its entries. */
  readonly allow?: ViewerRule;
  /** A viewer who matches one of its entries is refused. */
  readonly deny?: ViewerRule;
  readonly dns: {
    readonly ttlSeconds: number;
    /** How many edges a DNS answer names, 1..16. */
    readonly answers: number;
  };
  readonly http: {
    /** `private, max-age` of a redirect; 0 is `no-store`. */
    readonly stickinessSeconds: number;
    /** Where to redirect: `{edge.url}`, `{edge.id}`, `{path}`, `{query}` are replaced. */
    readonly url: string;
  };
  readonly whenFull: "spill" | "refuse";
  readonly whenDown: "fail-open" | "fallback" | "refuse";
  readonly fallback?: Fallback;
}

export type Rank = "nearest" | "least-loaded" | "weighted" | "failover";
export type Affinity = "none" | "stream" | "viewer";

export interface ViewerRule {
  readonly countries: readonly string[];
  readonly continents: readonly Continent[];
  readonly networks: readonly Prefix[];
  readonly asns: readonly number[];
}

/** Where viewers go when no edge can serve; at least one of the two is given. */
export interface Fallback {
  readonly url?: string;
  readonly addresses: readonly Address[];
}
