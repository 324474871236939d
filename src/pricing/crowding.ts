/**
 * Edges that a rush may fill before whoever asks now asks again: what is answered for them is kept for a shorter
 * time, so that who follows can be sent elsewhere, and is seen to come. However far away it is: nobody knows yet how
 * far its viewers will be sent.
 */
export interface Crowding {
  /**
   * @param beyond viewers whom rushes bring beyond the usual ones, within the time that answers are usually kept, to
   * services that the edge is in
   */
  isCrowded(slot: number, beyond: number, perViewer: number, nowMs: number): boolean;
  /** An edge is not there any more. */
  forget(slot: number): void;
}

/** As a share of an edge's capacity. What is seen of a rush that has just begun is a small part of what it becomes. */
const NEGLIGIBLE = 0.002;
/** A rush may pause, and time to live that goes up and down helps nobody. */
const LASTS_MS = 20_000;

export function createCrowding(): Crowding {
  const untilMs = new Map<number, number>();
  return {
    isCrowded(slot, beyond, perViewer, nowMs) {
      if (beyond * perViewer > NEGLIGIBLE) untilMs.set(slot, nowMs + LASTS_MS);
      return nowMs < (untilMs.get(slot) ?? nowMs);
    },
    forget: (slot) => void untilMs.delete(slot),
  };
}
