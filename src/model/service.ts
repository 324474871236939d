import type { Address, Family } from "./address.ts";
import type { Band } from "./band.ts";
import type { ExperienceRules } from "./corrections.ts";
import type { TlsCheck } from "./edge.ts";
import type { ViewerRule } from "./viewer-rule.ts";

/** A routed hostname with its edges and its rules, as configured. */
export interface Service {
  readonly id: string;
  /** Position in `Inventory.services`. */
  readonly index: number;
  /** Lower case, no trailing dot; `*.` in front for a wildcard. */
  readonly hostnames: readonly string[];
  /** Patterns in which `*` stands for anything; absent: every path. Services that share a hostname differ in them. */
  readonly paths?: readonly string[];
  /** Indices into `Inventory.edges`, in the order that `failover` keeps. */
  readonly edges: readonly number[];
  readonly rank: Rank;
  readonly affinity: Affinity;
  /** How far affinity may outweigh distance and price; absent: it does not. */
  readonly affinityWithin?: Band;
  /** Of the viewers' paths; `{stream}` stands for the stream's name. Absent: as `streams.path`, or the folder. */
  readonly streamPath?: string;
  /** If present, a viewer must match one of its entries. */
  readonly allow?: ViewerRule;
  /** A viewer who matches one of its entries is refused. */
  readonly deny?: ViewerRule;
  readonly dns: {
    readonly ttlSeconds: number;
    /** Instead, if it is less, while what an answer names may soon change; 1 or more. */
    readonly ttlInDoubtSeconds: number;
    /** How many edges a DNS answer names, 1..16. */
    readonly answers: number;
    /** How much worse than the best the others may be; absent: any. */
    readonly answersWithin?: Band;
    /** Absent: resolvers are told the scope that is right. */
    readonly clientSubnet?: ClientSubnetRules;
    /** HTTPS and SVCB records (RFC 9460); absent: none. */
    readonly bindings?: readonly ServiceBinding[];
  };
  readonly http: {
    /** `private, max-age` of a redirect; 0 is `no-store`. */
    readonly stickinessSeconds: number;
    /**
     * Where to redirect: `{edge.url}`, `{edge.host}`, `{edge.id}`, `{path}`, `{query}` and parts of a signature are
     * replaced.
     */
    readonly url: string;
    /** Instead of `url`, the first that fits the edge and the viewer. */
    readonly templates?: readonly UrlTemplate[];
    /** Present: a viewer who comes without TLS is sent to the same address with it. */
    readonly redirectToHttps?: HttpsRedirect;
    /** `/redirector.php?u=/path` is answered as `/path`. */
    readonly redirectorPhp?: true;
    /** Addresses for other protocols, by the names that JSON answers give them; templates as `url`. */
    readonly urls?: { readonly [name: string]: string };
    /** Present: a redirect names the next best edges too (RFC 6249). */
    readonly links?: true;
    /** Present: a redirect tells the edge and how long the choice took. */
    readonly serverTiming?: true;
  };
  /** Absent: redirects are not signed. Not part of `http`, which is shown to operators. */
  readonly signing?: Signing;
  readonly steering: SteeringRules;
  /** Present: what players report of their throughput adds to distances. */
  readonly experience?: ExperienceRules;
  /** How far a viewer may be sent; Infinity: anywhere. */
  readonly maxDistanceKm: number;
  /** Share of an edge's capacity that is left free, 0..0.5. */
  readonly margin: number;
  readonly whenFull: "spill" | "refuse";
  readonly panic: PanicSettings;
  readonly whenDown: "fail-open" | "fallback" | "refuse";
  readonly fallback?: Fallback;
  /** Present: its active streams are checked at each of its edges. */
  readonly streams?: StreamChecks;
}

export interface UrlTemplate {
  /** Fits an edge that has any of them; left out: every edge. */
  readonly tags?: readonly string[];
  /** Fits viewers who come so; left out: both. */
  readonly scheme?: "http" | "https";
  readonly url: string;
}

export interface HttpsRedirect {
  readonly status: 301 | 302 | 307 | 308;
  /** Where viewers reach the door with TLS. */
  readonly port: number;
}

/** How to reach the service, as an HTTPS or SVCB record in ServiceMode (RFC 9460 2.4.3). */
export interface ServiceBinding {
  readonly type: "HTTPS" | "SVCB";
  /** Labels in front of the exact hostnames, as `_8443._https`; empty: at every hostname itself. */
  readonly prefix: string;
  readonly params: readonly ServiceParam[];
  /** Whether the addresses of the moment go with it (RFC 9460 7.3). */
  readonly hints: boolean;
}

/** In ascending order of keys, values in wire form (RFC 9460 2.2). */
export interface ServiceParam {
  readonly key: number;
  readonly value: Uint8Array;
}

/** What is made of a client subnet (RFC 7871), and of the scope of the answer. */
export interface ClientSubnetRules {
  /** False: the resolver's own address decides, and the answer's scope is 0. */
  readonly isEnabled: boolean;
  /** Prefix lengths that a scope has at least and at most, by family. */
  readonly scope: { readonly [family in Family]: { readonly min: number; readonly max: number } };
}

export type Rank = "nearest" | "least-loaded" | "weighted" | "failover";
export type Affinity = "none" | "stream" | "viewer";

/** When losses among a service's edges are not believed. */
export interface PanicSettings {
  /**
   * Share of the edges that go down within one round of probes, 0..1; more than that is not believed, so 1 is never.
   */
  readonly threshold: number;
  /** How long the last good state is kept at most, while nothing else speaks against our own network. */
  readonly holdMs: number;
}

/** How an edge can tell that a viewer was sent to it. */
export interface Signing {
  readonly scheme: "secure-link" | "wmsauth" | "hmac";
  /** At least one; the one that began last signs. */
  readonly keys: readonly SigningKey[];
  readonly ttlSeconds: number;
  /** What is signed: the whole path, or the path up to its last slash. */
  readonly over: "path" | "folder";
  /** Whether the viewer's address is part of it. */
  readonly bindsAddress: boolean;
}

export interface SigningKey {
  /** Named in the signature, so that an edge knows which. */
  readonly id?: string;
  readonly secret: string;
  /** Wall clock, milliseconds since 1970, from when it is used. */
  readonly fromMs?: number;
}

/** Content steering: how players who play already are told where to play from. */
export interface SteeringRules {
  /** False: players are told to go on without. */
  readonly isEnabled: boolean;
  /** How long a player keeps a manifest when nothing moves; 5 or more. */
  readonly ttlSeconds: number;
  /** Ids of the edges that playlists name; every other one is a clone of the first. Left out: they name all. */
  readonly pathways?: readonly string[];
}

/** Where viewers go when no edge can serve; at least one of the two is given. */
export interface Fallback {
  readonly url?: string;
  readonly addresses: readonly Address[];
}

/** How a service finds out which streams are stale at which edge. */
export interface StreamChecks {
  readonly probe: "hls";
  /** Behind the edge's url; `{stream}` is replaced by the stream's name. */
  readonly path: string;
  /** Between two checks of a stream at an edge; more when `perSecond` is not enough. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Good checks in a row after which a stale stream is fresh again, 1..10. */
  readonly rise: number;
  /** Bad checks in a row after which a stream is stale, 1..10. */
  readonly fall: number;
  /** The most checks of the whole service that start in a second. */
  readonly perSecond: number;
  readonly tls: TlsCheck;
}
