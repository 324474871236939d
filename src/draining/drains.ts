import type { DrainView } from "../model/drain.ts";
import { createDeparture, type Departure } from "./departure.ts";
import { movedShare } from "./pace.ts";
import { createSessions } from "./sessions.ts";

/** An edge that drains, now. */
export interface Draining {
  readonly edgeId: string;
  /** Wall clock, milliseconds since 1970, when it began; left out: by the file, longer than anybody knows. */
  readonly sinceMs?: number;
  /** Wall clock, by when it is to be empty. */
  readonly deadlineMs?: number;
  /** As reported, while that is fresh. */
  readonly viewers?: number;
  /** Viewers that the edges which can take its place have room for; Infinity: no limit is known. */
  readonly room: number;
  /** How long an answer that names it may still be kept, milliseconds. */
  readonly keptForMs: number;
}

/**
 * How far each drain has come, and whom it moves. Time passes by the monotonic clock, so that a wall clock that jumps
 * empties no edge.
 */
export interface Drains {
  /** About once a second, with all edges that drain. */
  tick(draining: readonly Draining[], now: Moment): void;
  /** A steering call of a viewer, and from where he plays, if that is known. */
  seen(edgeId: string | undefined, lot: number, monotonicMs: number): void;
  /** Whether a viewer is among those who are to leave by now. */
  isToLeave(edgeId: string, lot: number): boolean;
  /** Whether any of these drains in a way that players there should ask again soon. */
  isHasty(edgeIds: Iterable<string>, monotonicMs: number): boolean;
  view(edgeId: string): DrainView | undefined;
  /** Of all edges that drain. */
  all(): ReadonlyMap<string, DrainView>;
}

export type Moment = Readonly<Record<"wallMs" | "monotonicMs", number>>;

export interface DrainsOptions {
  /** Once, when the last viewer has left. */
  readonly onEmpty?: (edgeId: string, view: DrainView) => void;
}

export function createDrains({ onEmpty }: DrainsOptions = {}): Drains {
  const drains = new Map<string, Drain>();

  const tickOne = (draining: Draining, now: Moment): void => {
    const { edgeId } = draining;
    const known = drains.get(edgeId);
    const drain =
      known !== undefined && known.draining.sinceMs === draining.sinceMs ? known : newDrain(draining, now);
    drains.set(edgeId, drain);
    const wallMs = now.monotonicMs + drain.aheadMs;
    const seconds = Math.max(0, (wallMs - drain.tickedAtMs) / 1000);
    const sessions = drain.sessions.count(wallMs);
    const left = draining.viewers ?? (drain.sessions.wereAny() ? sessions : undefined);
    Object.assign(drain, { draining, tickedAtMs: wallMs, left });
    const { startMs, movedShare: before } = drain;
    drain.movedShare = movedShare({ ...draining, startMs, movedShare: before, left, wallMs, seconds });
    if (left !== undefined) drain.departure.observe(left, wallMs);
    const isEmpty = left === 0 && wallMs >= drain.startMs + draining.keptForMs;
    if (!isEmpty) drain.emptySinceMs = undefined;
    else if (drain.emptySinceMs === undefined) {
      drain.emptySinceMs = wallMs;
      onEmpty?.(edgeId, viewOf(drain));
    }
  };

  return {
    tick(draining, now) {
      const ids = new Set(draining.map(({ edgeId }) => edgeId));
      for (const edgeId of drains.keys()) if (!ids.has(edgeId)) drains.delete(edgeId);
      for (const one of draining) tickOne(one, now);
    },
    seen(edgeId, lot, monotonicMs) {
      for (const [id, { sessions, aheadMs }] of drains)
        if (id === edgeId) sessions.seen(lot, monotonicMs + aheadMs);
        else if (edgeId !== undefined) sessions.left(lot);
    },
    isToLeave(edgeId, lot) {
      const drain = drains.get(edgeId);
      return drain !== undefined && lot < drain.movedShare;
    },
    isHasty(edgeIds, monotonicMs) {
      if (drains.size === 0) return false;
      for (const edgeId of edgeIds) if (isHasty(drains.get(edgeId), monotonicMs)) return true;
      return false;
    },
    view: (edgeId) => {
      const drain = drains.get(edgeId);
      return drain && viewOf(drain);
    },
    all: () => new Map([...drains].map(([edgeId, drain]) => [edgeId, viewOf(drain)])),
  };
}

function isHasty(drain: Drain | undefined, monotonicMs: number): boolean {
  if (drain === undefined || drain.emptySinceMs !== undefined) return false;
  const wallMs = monotonicMs + drain.aheadMs;
  const { deadlineMs, sinceMs } = drain.draining;
  if (deadlineMs !== undefined) return deadlineMs - wallMs < HASTE_MS;
  return sinceMs !== undefined && wallMs - sinceMs < HASTE_MS;
}

/** From this share of the viewers on, those whom steering reaches tell how the others fare too. */
const MOSTLY = 0.8;
/** Players come every few seconds for this long before a deadline, or after a drain without one began. */
const HASTE_MS = 600_000;

interface Drain {
  draining: Draining;
  /** How far the wall clock was ahead of the monotonic one when it was first seen. All times of a drain are by that. */
  readonly aheadMs: number;
  readonly startMs: number;
  tickedAtMs: number;
  readonly sessions: ReturnType<typeof createSessions>;
  readonly departure: Departure;
  /** 0..1: viewers whose lot is below it are to leave. */
  movedShare: number;
  left: number | undefined;
  emptySinceMs: number | undefined;
}

function newDrain(draining: Draining, { wallMs, monotonicMs }: Moment): Drain {
  return {
    draining,
    aheadMs: wallMs - monotonicMs,
    startMs: draining.sinceMs ?? wallMs,
    tickedAtMs: wallMs,
    sessions: createSessions(),
    departure: createDeparture(),
    movedShare: 0,
    left: undefined,
    emptySinceMs: undefined,
  };
}

function viewOf(drain: Drain): DrainView {
  const { draining, left, movedShare: share, emptySinceMs, tickedAtMs, sessions, departure } = drain;
  const { deadlineMs, keptForMs } = draining;
  const keptUntilMs = drain.startMs + keptForMs;
  const steeredHere = sessions.count(tickedAtMs);
  const isEven = left !== undefined && steeredHere >= MOSTLY * left;
  const emptyAtMs = emptySinceMs === undefined ? departure.emptyAtMs(tickedAtMs, isEven) : undefined;
  return {
    ...(left === undefined ? {} : { viewersLeft: left }),
    steeredHere,
    movedShare: share,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    ...(emptyAtMs === undefined ? {} : { emptyAtMs }),
    ...(keptUntilMs <= tickedAtMs ? {} : { keptUntilMs }),
    ...(emptySinceMs === undefined ? {} : { emptySinceMs }),
  };
}
