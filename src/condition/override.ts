import type { StateOrigin } from "../model/condition.ts";
import type { AdminState } from "../model/edge.ts";

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
