/** An edge that comes back takes load step by step: its caches are cold, and whatever felled it may do so again. */
export interface Ramps {
  start(slot: number, nowMs: number): void;
  /** Share of its capacity that the edge may use, 0.05..1. */
  limit(slot: number, nowMs: number): number;
}

/** What it may take at once. */
const FIRST_SHARE = 0.05;

export function createRamps(rampUpMs: number): Ramps {
  const startedAtMs = new Map<number, number>();
  return {
    start: (slot, nowMs) => void startedAtMs.set(slot, nowMs),
    limit(slot, nowMs) {
      const startMs = startedAtMs.get(slot);
      if (startMs === undefined) return 1;
      const share = FIRST_SHARE + ((1 - FIRST_SHARE) * (nowMs - startMs)) / rampUpMs;
      if (share < 1) return share;
      startedAtMs.delete(slot);
      return 1;
    },
  };
}
