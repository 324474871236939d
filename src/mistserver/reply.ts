import type { Condition } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { MistServerDetails } from "../model/mistserver.ts";

/** An edge of the service, and what is known of it now. */
export interface Server {
  readonly edge: Edge;
  readonly condition: Condition | undefined;
  readonly details: MistServerDetails | undefined;
}

export interface MistReply {
  readonly status: 200 | 307 | 403 | 404 | 405;
  readonly body: string;
  readonly location?: string;
  /** What was asked, from a fixed vocabulary. */
  readonly call: "stream" | "source" | "ingest" | "control" | "refused";
}
