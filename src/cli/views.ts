/**
 * The JSON that commands show: what the operators' door answers, and what the commands that need only
 * the configuration find out. A field may be missing where it is optional; unknown is never zero.
 */
import type { ChallengeView } from "../model/acme.ts";
import type { Condition, LoadReport } from "../model/condition.ts";
import type { LoadField } from "../model/edge.ts";
import type { LocationLayer } from "../model/location.ts";
import type { Problem } from "../model/problem.ts";
import type { AbsentEdgeView } from "../model/views.ts";

export interface PlaceView {
  readonly address: string;
  readonly prefix: string;
  readonly layer: LocationLayer;
  readonly country?: string;
  readonly continent?: string;
  readonly city?: string;
  /** Degrees; both or neither. */
  readonly latitude?: number;
  readonly longitude?: number;
  readonly asn?: number;
}

/** Of an edge that is named beside it. */
export type ConditionView = Omit<Condition, "edgeId">;

/** Of what `GET /v1/status` answers. */
export interface StatusView {
  readonly absentEdges?: readonly AbsentEdgeView[];
}

/** What `PUT /v1/edges/{id}/state` answers. */
export interface StateSetView {
  /** False: it holds now, but a restart forgets it. */
  readonly persisted: boolean;
  /** Left out: the edge is not configured any more, and what was set of it is forgotten. */
  readonly condition?: ConditionView;
  /** What an operator had set before, which holds no longer; absent where the file's state held. */
  readonly replaced?: Pick<ConditionView, "state" | "stateOrigin">;
  /** Services of the edge in which no edge takes viewers now; absent for none. */
  readonly unserved?: readonly string[];
}

/** What `PUT` and `DELETE /v1/acme/{hostname}` answer. */
export interface AcmeChangedView {
  /** Those of the hostname now. */
  readonly challenges: readonly ChallengeView[];
  /** How many values have been taken away. */
  readonly removed: number;
}

/** What `POST /v1/reload` answers: dotted paths of what differs; empty when nothing does. */
export interface ReloadedView {
  readonly changed: readonly string[];
}

/** What `POST /v1/replace` answers. */
export interface ReplacedView {
  /** Of the process that serves from now on. */
  readonly pid: number;
}

/** `check`: every problem of a configuration; none when it is right. */
export interface CheckView {
  readonly file: string;
  readonly problems: readonly Problem[];
  /** What a service would start without: no reason to refuse it, but worth a look. Left out: nothing. */
  readonly notes?: readonly Problem[];
  /** What a faultless configuration holds, as `3 edges, 2 services, 1 zone`. */
  readonly summary?: string;
}

/** `geo`: where an address is. `prefix`: the network for which this is the answer. */
export interface GeoView extends PlaceView {
  readonly accuracyRadiusKm?: number;
}

/** `load`: one reading of every source of an edge, in the order that decides which of them wins. */
export interface LoadView {
  readonly edgeId: string;
  /** Merged field by field. */
  readonly report: LoadReport;
  readonly sources: readonly LoadReadingView[];
}

export interface LoadReadingView {
  /** As configured: `mistserver`, `json`, `push`. */
  readonly type: string;
  /** Without user, password, token or any other secret. */
  readonly url?: string;
  /** What this source alone says. */
  readonly report: LoadReport;
  readonly fields: readonly LoadFieldView[];
  /** Why nothing is known from it, in words. */
  readonly problem?: string;
}

export interface LoadFieldView {
  readonly field: LoadField;
  /** Where it stands in the source's answer. */
  readonly from: string;
  /** What is odd about it, or why it is unknown. */
  readonly problem?: string;
}

/** `import`: the YAML, and what could not be carried over, as `FILE:LINE: what`. */
export interface ImportView {
  readonly yaml: string;
  readonly notes: readonly string[];
}

/** `probe`: one run of an edge's probe, at each of its addresses. */
export interface ProbeView {
  readonly edgeId: string;
  /** As configured: `http`, `tcp`, `none`. */
  readonly type: string;
  /** What is asked, as `http://127.0.0.11:8081/health`, without secrets. */
  readonly target?: string;
  /** Empty for `none`. */
  readonly addresses: readonly ProbedAddressView[];
}

export interface ProbedAddressView {
  /** Or the host of the edge's url, where the edge has no addresses. */
  readonly address: string;
  readonly ok: boolean;
  /** Why it failed, from a fixed vocabulary, and what more is known of it. */
  readonly reason?: string;
  readonly detail?: string;
  readonly durationMs: number;
  /** In order, each with the time that it took alone; after a failure the last one is where it failed. */
  readonly steps: readonly { readonly name: string; readonly ms: number }[];
  /** What players would stumble over though the probe succeeds, as a missing CORS header. */
  readonly notes?: readonly string[];
}
