/** What the operators' door asks of the application. Views are what JSON shows: text, numbers, no octets. */
import type { ChallengeView } from "../model/acme.ts";
import type { Client } from "../model/client.ts";
import type { Condition } from "../model/condition.ts";
import type { DoorName, Outcome } from "../model/decision.ts";
import type { DrainView } from "../model/drain.ts";
import type { AdminState } from "../model/edge.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { Problem } from "../model/problem.ts";
import type { AbsentEdgeView, EdgeView, ExplainView, Readiness, ServiceView } from "../model/views.ts";

/** Implemented by the application. Views are built when asked for and belong to the caller. */
export interface OpsApi {
  status(): StatusView;
  /** In the order of the inventory. */
  edges(): readonly EdgeView[];
  edge(id: string): EdgeView | undefined;
  /** In the order of the inventory. */
  services(): readonly ServiceView[];
  explain(question: ExplainQuestion): ExplainVerdict;
  /** Takes a load report for the edge; the body is JSON of the right shape, every number finite. */
  report(edgeId: string, body: unknown): ReportVerdict;
  /** Overrides the file's state of an edge; `by` names the token that asked. */
  setState(edgeId: string, change: StateChange, by: string): Promise<StateVerdict>;
  /** Reads the configuration again; one reload runs at a time. */
  reload(): Promise<ReloadVerdict>;
  /** Puts another process in this one's place; resolves when it answers viewers. */
  replace(): Promise<ReplaceVerdict>;
  readonly acme: AcmeDoor;
  ready(): Readiness;
  /** Read at every scrape, so it may grow. */
  readonly metrics: readonly MetricSource[];
  /** Calls the listener for every event until the returned function is called. */
  subscribe(listener: (event: OpsEvent) => void): () => void;
}

/** Values at `_acme-challenge` names, for certificate authorities. */
export interface AcmeDoor {
  /** By hostname. */
  challenges(): readonly ChallengeView[];
  set(hostname: string, value: string, by: string, lastsMs: number): ChallengeVerdict;
  /** One value, or all of the hostname. */
  remove(hostname: string, value?: string): ChallengeVerdict;
  /** As acme-dns' clients ask for it. */
  update(credentials: AcmeCredentials, subdomain: string, value: string): AcmeUpdateVerdict;
}

export interface AcmeCredentials {
  readonly username: string;
  readonly key: string;
}

export type ChallengeVerdict =
  /** `challenges`: those of the hostname now. */
  | { readonly kind: "done"; readonly challenges: readonly ChallengeView[]; readonly removed: number }
  | { readonly kind: "unknown-hostname" }
  /** `detail`: what is wrong with it, and what would be right. */
  | { readonly kind: "refused"; readonly detail: string };

export type AcmeUpdateVerdict =
  | { readonly kind: "set"; readonly hostname: string; readonly by: string }
  | { readonly kind: "unauthorized" }
  | { readonly kind: "refused"; readonly detail: string };

export interface StatusView extends Readiness {
  readonly version: string;
  /** Version of the runtime, as `v24.1.0`. */
  readonly node: string;
  readonly uptimeSeconds: number;
  readonly configuration: ConfigurationView;
  readonly edges: EdgeCounts;
  /** Edges that are not configured any more, and what an operator set of them before. */
  readonly absentEdges: readonly AbsentEdgeView[];
  readonly services: number;
  readonly geoip: readonly GeoipView[];
}

export interface ConfigurationView {
  readonly file: string;
  /** Grows by one with each configuration that is taken. */
  readonly generation: number;
  /** The last time a configuration was read, at start or later. */
  readonly lastReload: ReloadView;
}

export interface ReloadView {
  readonly successful: boolean;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** Empty when successful. */
  readonly problems: readonly Problem[];
}

export interface EdgeCounts {
  readonly total: number;
  /** At least one family is up, or none is probed. */
  readonly up: number;
  /** Neither drained nor off. */
  readonly active: number;
}

export interface GeoipView {
  readonly layer: "city" | "asn";
  readonly file: string;
  /** Wall clock, milliseconds since 1970. */
  readonly builtAtMs: number;
}

export interface ExplainQuestion {
  /** Lower case, no trailing dot. */
  readonly hostname: string;
  /** `from` is `asked`. */
  readonly client: Client;
  readonly path?: string;
  readonly at: DoorName;
}

export type ExplainVerdict =
  | { readonly kind: "explained"; readonly view: ExplainView }
  | { readonly kind: "unknown-hostname" }
  /** `paths`: patterns of the hostname's services. */
  | { readonly kind: "unknown-path"; readonly paths: readonly string[] }
  /** The first round of probes is not complete, so any answer would be a guess. */
  | { readonly kind: "not-ready" };

export type ReportVerdict =
  | { readonly kind: "taken" }
  | { readonly kind: "unknown-edge" }
  /** `detail`: what is wrong with it, and what would be right. */
  | { readonly kind: "refused"; readonly detail: string };

export interface StateChange {
  readonly state: AdminState;
  /** Empty when none was given. */
  readonly reason: string;
  /** Wall clock, milliseconds since 1970: when the file's state holds again. */
  readonly untilMs?: number;
  /** Wall clock; of a drain: by when nobody is to be left. */
  readonly deadlineMs?: number;
}

export type StateVerdict =
  | {
      readonly kind: "set";
      /** False: it holds now, but could not be written down, so a restart forgets it. */
      readonly persisted: boolean;
      readonly condition: Condition;
      /** What an operator had set before, which holds no longer; absent where the file's state held. */
      readonly replaced?: Pick<Condition, "state" | "stateOrigin">;
      /** Services of the edge in which no edge takes viewers now; absent for none. */
      readonly unserved?: readonly string[];
    }
  /** What was set of an edge that is not configured any more. `persisted` as above. */
  | { readonly kind: "forgotten"; readonly persisted: boolean }
  | { readonly kind: "unknown-edge" };

export type ReloadVerdict =
  /** Dotted paths of what differs, as `edges.ams1.capacity`; empty when nothing does. */
  | { readonly kind: "taken"; readonly changed: readonly string[] }
  | { readonly kind: "refused"; readonly problems: readonly Problem[] };

export type ReplaceVerdict =
  /** `pid`: of the process that serves from now on. */
  | { readonly kind: "replaced"; readonly pid: number }
  /** What is wrong with the configuration; this process serves on, as after the next. */
  | { readonly kind: "refused"; readonly problems: readonly Problem[] }
  /** Why not, and what would help. */
  | { readonly kind: "failed"; readonly reason: string };

/** What `GET /v1/events` tells. Wall clock times in milliseconds since 1970. */
export type OpsEvent =
  | { readonly kind: "condition"; readonly atMs: number; readonly condition: Condition }
  | { readonly kind: "reload"; readonly atMs: number; readonly verdict: ReloadVerdict }
  /** The last viewer has left an edge that drains. */
  | { readonly kind: "drained"; readonly atMs: number; readonly edgeId: string; readonly drain: DrainView }
  | { readonly kind: "decision"; readonly atMs: number; readonly decision: DecisionSample };

/** One decision out of many. */
export interface DecisionSample {
  readonly door: DoorName;
  readonly service: string;
  readonly outcome: Outcome["kind"];
  /** Ids, best first. */
  readonly edges: readonly string[];
  /** Country of the viewer, where it is known. */
  readonly country?: string;
  /** To the first edge; null when the viewer cannot be located or there is no edge. */
  readonly distanceKm: number | null;
}
