import type { MediaPlaylist, Position } from "./playlist.ts";

/** What is kept of a live playlist between two looks at it. */
export interface LiveMemory {
  readonly position: Position;
  /** Monotonic clock: as late as this, a playlist still at the position is stale. */
  readonly staleAtMs: number;
}

export type Liveness =
  /** With EXT-X-ENDLIST: nothing changes any more, and nothing is wrong. */
  { readonly kind: "ended" } | { readonly kind: "live" | "stale"; readonly memory: LiveMemory };

/** In target durations. */
const ADVANCE_LIMIT = 1.5;

/**
 * A playlist without an end has a new segment within 1.5 target durations of the last change (RFC 8216
 * 6.2.1); one that does not is stale. A first look, and a position that went back because the encoder
 * started anew, count as a change.
 */
export function judgeLive(
  memory: LiveMemory | undefined,
  playlist: Pick<MediaPlaylist, "isEnded" | "position" | "targetDurationSeconds">,
  nowMs: number,
): Liveness {
  if (playlist.isEnded) return { kind: "ended" };
  const { position } = playlist;
  if (memory === undefined || !isSame(position, memory.position)) {
    const staleAtMs = nowMs + ADVANCE_LIMIT * playlist.targetDurationSeconds * 1000;
    return { kind: "live", memory: { position, staleAtMs } };
  }
  return { kind: nowMs >= memory.staleAtMs ? "stale" : "live", memory };
}

function isSame(a: Position, b: Position): boolean {
  return a.nextSequence === b.nextSequence && a.parts === b.parts;
}
