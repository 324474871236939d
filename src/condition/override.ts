import type { StateOrigin } from "../model/condition.ts";
import type { AdminState } from "../model/edge.ts";
import type { AbsentEdgeView } from "../model/views.ts";

/** An operator's word on an edge's state, over the file's. Plain data: it is kept in the state file. */
export interface Override {
  readonly edgeId: string;
  readonly state: AdminState;
  readonly by: string;
  readonly reason: string;
  /** Wall clock, milliseconds since 1970. */
  readonly atMs: number;
  /** Wall clock; when it ends by itself. */
  readonly untilMs?: number;
  /** Wall clock; of a drain: by when nobody is to be left. */
  readonly deadlineMs?: number;
  /** What the file said when it was set. */
  readonly fileState: AdminState;
  /** Wall clock; since when its edge is not configured; left out: it is. */
  readonly absentSinceMs?: number;
}

/** How long an override waits for an edge that is not configured any more: a week's repair. */
const KEPT_ABSENT_MS = 7 * 24 * 3_600_000;

/** Wall clock; when it ends by itself; Infinity: it does not. */
export function endsAtMs({ untilMs = Number.POSITIVE_INFINITY, absentSinceMs }: Override): number {
  return absentSinceMs === undefined ? untilMs : Math.min(untilMs, absentSinceMs + KEPT_ABSENT_MS);
}

/**
 * What becomes of it with a configuration; the same object where nothing does, `undefined` where it lapses. A drain
 * waits for its edge to come back, an `active` does not: the file has changed its mind.
 * @param fileState of its edge; `undefined`: it is not configured
 */
export function carriedOver(
  override: Override,
  fileState: AdminState | undefined,
  wallMs: number,
): Override | undefined {
  const { absentSinceMs, ...rest } = override;
  if (fileState !== undefined) {
    if (!isStanding(override, fileState)) return undefined;
    return absentSinceMs === undefined ? override : rest;
  }
  if (override.state === "active") return undefined;
  return absentSinceMs === undefined ? { ...override, absentSinceMs: wallMs } : override;
}

export function absentView(override: Override): AbsentEdgeView {
  const { edgeId, state } = override;
  return { id: edgeId, state, stateOrigin: originOf(override), forgottenAtMs: endsAtMs(override) };
}

export interface EffectiveState {
  readonly state: AdminState;
  readonly origin: StateOrigin;
}

/**
 * Of file and operator, the more restrictive holds. An operator may also put back in service what the file
 * drains or turns off; that holds until the file's own word changes, since whoever edits the file after
 * that means the edit.
 */
export function effectiveState(fileState: AdminState, override: Override | undefined): EffectiveState {
  const byFile: EffectiveState = { state: fileState, origin: BY_FILE };
  if (override === undefined || !isStanding(override, fileState)) return byFile;
  const byOperator: EffectiveState = { state: override.state, origin: originOf(override) };
  if (override.state === "active") return byOperator;
  return RESTRICTION[override.state] >= RESTRICTION[fileState] ? byOperator : byFile;
}

/** An `active` lapses when the file changes its mind; a drain does not. */
export function isStanding(override: Override, fileState: AdminState): boolean {
  return override.state !== "active" || override.fileState === fileState;
}

/** An `active` over a file that says so too overrides nothing: it takes the operator's word back. */
export function isRetraction(override: Override): boolean {
  return override.state === "active" && override.fileState === "active";
}

const BY_FILE: StateOrigin = { kind: "file" };
const RESTRICTION: { readonly [state in AdminState]: number } = { active: 0, drain: 1, off: 2 };

function originOf({ by, reason, atMs, untilMs, deadlineMs }: Override): StateOrigin {
  return {
    kind: "operator",
    by,
    reason,
    atMs,
    ...(untilMs === undefined ? {} : { untilMs }),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  };
}
