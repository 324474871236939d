/** What decides how many viewers a drain moves by now. */
export interface Pace {
  /** So far, 0..1; it never falls. */
  readonly movedShare: number;
  readonly startMs: number;
  readonly deadlineMs?: number;
  readonly wallMs: number;
  /** Since it was asked last. */
  readonly seconds: number;
  /** Viewers still there; undefined: nobody knows. */
  readonly left: number | undefined;
  /** Viewers whom the others have room for. */
  readonly room: number;
}

/** The last to be told to leave come to ask within this time, and all have left by the deadline. */
const ASKING_MS = 75_000;
/** What room there is is taken up over this long: reports must be able to follow. */
const TAKE_UP_SECONDS = 20;

/**
 * Share of the viewers, by their lots, who are to leave by now: on time where there is a deadline, but no faster than
 * others take them.
 */
export function movedShare({ movedShare, left, room, seconds, ...times }: Pace): number {
  const due = dueShare(times);
  if (due <= movedShare) return movedShare;
  if (left === undefined || left === 0 || room === Number.POSITIVE_INFINITY) return due;
  const staying = 1 - movedShare;
  const possible = (staying * Math.max(0, room) * seconds) / (TAKE_UP_SECONDS * left);
  return Math.min(due, movedShare + possible);
}

function dueShare({ startMs, deadlineMs, wallMs }: Pick<Pace, "startMs" | "deadlineMs" | "wallMs">): number {
  if (deadlineMs === undefined) return 1;
  const wholeMs = deadlineMs - startMs;
  const movingMs = Math.max(wholeMs - ASKING_MS, wholeMs / 2);
  return movingMs <= 0 ? 1 : Math.min(1, Math.max(0, (wallMs - startMs) / movingMs));
}
