/** Steering sessions that play from an edge, told apart by their lots: no address is needed. */
export interface Sessions {
  seen(lot: number, wallMs: number): void;
  /** It plays elsewhere now. */
  left(lot: number): void;
  /** Those that have asked of late. */
  count(wallMs: number): number;
  /** Ever. */
  wereAny(): boolean;
}

/** A player that has not asked for this long plays there no more. */
const GONE_MS = 150_000;
/** As many lots as there are. */
const LOTS = 100_000;

export function createSessions(): Sessions {
  const seenAtMs = new Map<number, number>();
  let any = false;
  return {
    left: (lot) => void seenAtMs.delete(keyOf(lot)),
    seen(lot, wallMs) {
      any = true;
      const key = keyOf(lot);
      seenAtMs.delete(key);
      seenAtMs.set(key, wallMs);
    },
    count(wallMs) {
      // In the order of time.
      for (const [key, atMs] of seenAtMs) {
        if (wallMs - atMs < GONE_MS) break;
        seenAtMs.delete(key);
      }
      return seenAtMs.size;
    },
    wereAny: () => any,
  };
}

function keyOf(lot: number): number {
  return Math.floor(lot * LOTS);
}
