import type { Family } from "./address.ts";
import type { AdminState, Capacity } from "./edge.ts";

/** What an edge says of itself. Each field is optional: unknown is not zero. */
export interface LoadReport {
  readonly viewers?: number;
  /** Bits per second out. */
  readonly bandwidth?: number;
  /** 0..1 */
  readonly cpu?: number;
  /** 0..1 */
  readonly memory?: number;
  readonly streams?: readonly string[];
  /** What the server says it can carry; serves where the operator gave none. */
  readonly capacity?: Capacity;
}

export type Health = "unknown" | "up" | "down";

/** What probes say of one family of an edge: up while any of its addresses in that family is up. */
export interface ProbedHealth {
  readonly family: Family;
  readonly health: Health;
  /** Why it is down, or what the last failure was; from a fixed vocabulary, no bytes from the network. */
  readonly reason?: string;
  /** What the reason does not say: an HTTP status, an error code, the name of a header. */
  readonly detail?: string;
  /** The last results speak against it, but are not yet as many as would change it. */
  readonly inDoubt?: true;
}

export interface FamilyHealth extends ProbedHealth {
  /** Wall clock, milliseconds since 1970, of the last change. */
  readonly sinceMs: number;
}

/** Who set the state, when and why: the file, or an operator through the API. */
export type StateOrigin =
  | { readonly kind: "file" }
  | {
      readonly kind: "operator";
      readonly by: string;
      readonly reason: string;
      /** Wall clock, milliseconds since 1970. */
      readonly atMs: number;
      /** When it ends by itself. */
      readonly untilMs?: number;
      /** Of a drain: by when nobody is to be left. */
      readonly deadlineMs?: number;
    };

/** Health, load and state of an edge, now: what `edges` shows. */
export interface Condition {
  readonly edgeId: string;
  readonly health: readonly FamilyHealth[];
  readonly state: AdminState;
  readonly stateOrigin: StateOrigin;
  /** Fields that are fresh; empty when nothing is known. */
  readonly load: LoadReport;
  /**
   * Share of the capacity in use by whichever of viewers, bandwidth, cpu and memory binds; absent when unknown or
   * unlimited.
   */
  readonly loadRatio?: number;
  /** Age of the newest report in milliseconds; absent when there was none. */
  readonly reportAgeMs?: number;
}
