/**
 * What operators are shown, as JSON: text and numbers, no octets. The operators' door makes it, the commands read it.
 */
import type { Condition, StateOrigin } from "./condition.ts";
import type { DrainView } from "./drain.ts";
import type { FavourReason, Outcome, RefusalReason, RejectionReason, Unreachable } from "./decision.ts";
import type { AdminState, Capacity } from "./edge.ts";
import type { Continent, LocationLayer } from "./location.ts";
import type { Service } from "./service.ts";

export interface Readiness {
  readonly ready: boolean;
  /** What is still missing; empty when ready. */
  readonly reasons: readonly string[];
  /** What an operator should look at now though viewers are served; absent or empty when all is well. */
  readonly alarms?: readonly string[];
}

/** What an operator set of an edge that is not configured any more. */
export interface AbsentEdgeView {
  readonly id: string;
  readonly state: AdminState;
  readonly stateOrigin: StateOrigin;
  /** Wall clock, milliseconds since 1970: until then it holds again where the edge comes back. */
  readonly forgottenAtMs: number;
}

/** Why a load source cannot be read, in words without secrets. */
export interface LoadFailure {
  readonly type: string;
  readonly problem: string;
}

/** Streams that stand still at an edge. */
export interface StaleStreamsView {
  readonly count: number;
  /** The first ten, in order. */
  readonly names: readonly string[];
}

/** An edge as configured, and its condition now. */
export interface EdgeView extends Omit<Condition, "edgeId"> {
  readonly id: string;
  readonly index: number;
  readonly tags: readonly string[];
  readonly location: { readonly latitude: number; readonly longitude: number };
  readonly addresses: readonly string[];
  readonly url?: string;
  readonly capacity: Capacity;
  readonly weight: number;
  /** Kilometres that the edge's load adds to its distance. */
  readonly priceKm: number;
  /** Load sources that could not be read the last time; absent for none. */
  readonly loadFailures?: readonly LoadFailure[];
  /** While it drains. */
  readonly drain?: DrainView;
  /** Where a service has its streams checked; absent for none. */
  readonly staleStreams?: StaleStreamsView;
  /** Services that go on sending viewers there though probes find it down; absent for none. */
  readonly keptBy?: readonly string[];
}

/** A service as configured; edges by id. */
export interface ServiceView
  extends Pick<
    Service,
    "id" | "hostnames" | "paths" | "rank" | "affinity" | "http" | "whenFull" | "whenDown"
  > {
  readonly dns: Pick<Service["dns"], "ttlSeconds" | "ttlInDoubtSeconds" | "answers">;
  readonly edges: readonly string[];
  /** Left out: viewers may be sent anywhere. */
  readonly maxDistanceKm?: number;
  readonly allow?: ViewerRuleView;
  readonly deny?: ViewerRuleView;
  readonly fallback?: FallbackView;
}

export interface ViewerRuleView {
  readonly countries: readonly string[];
  readonly continents: readonly Continent[];
  /** As `203.0.113.0/24`. */
  readonly networks: readonly string[];
  readonly asns: readonly number[];
}

export interface FallbackView {
  readonly url?: string;
  readonly addresses: readonly string[];
}

export interface ExplainView {
  /** Id of the service. */
  readonly service: string;
  /** What the edges are in order of; for `nearest` that needs a viewer who can be located. */
  readonly rank?: Service["rank"];
  readonly viewer: ViewerView;
  /** Best first. */
  readonly edges: readonly ChoiceView[];
  readonly rejected: readonly RejectionView[];
  readonly outcome: OutcomeView;
  readonly ttlSeconds: number;
  /** The network for which the decision is the same, as `203.0.113.0/24`. */
  readonly scopePrefix: string;
}

export interface ViewerView {
  readonly address: string;
  /** As much of the address as was asked with, as `203.0.113.7/32`. */
  readonly prefix: string;
  readonly layer: LocationLayer;
  readonly country?: string;
  readonly continent?: Continent;
  readonly city?: string;
  readonly latitude?: number;
  readonly longitude?: number;
  readonly asn?: number;
}

export interface ChoiceView {
  readonly id: string;
  readonly url?: string;
  /** Null when the viewer cannot be located. */
  readonly distanceKm: number | null;
  readonly priceKm: number;
  /** What players' reports add to the distance for this viewer. Absent for nothing. */
  readonly correctionKm?: number;
  /**
   * What puts it before nearer or cheaper ones: edges are ranked by distance + price + correction - favour. Absent
   * for none.
   */
  readonly favour?: { readonly km: number; readonly why: FavourReason };
  /** Share of the capacity in use; null when unknown or unlimited. */
  readonly load: number | null;
  readonly up: { readonly 4: boolean; readonly 6: boolean };
  /** Families that are not up though it has addresses in them. Absent for none. */
  readonly down?: readonly (4 | 6)[];
}

export interface RejectionView {
  readonly id: string;
  readonly reason: RejectionReason | Unreachable;
  /** Null when the viewer cannot be located. */
  readonly distanceKm: number | null;
}

export interface OutcomeView {
  readonly kind: Outcome["kind"];
  /** With `refused`. */
  readonly reason?: RefusalReason;
  /** With `fallback`. */
  readonly fallback?: FallbackView;
}
