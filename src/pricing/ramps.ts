/** An edge that comes back takes load step by step: its caches are cold, and whatever felled it may do so again. */
export interface Ramps {
  /**
   * @param loadRatio what it carries already; NaN unknown
   * @param rampUpMs until it may use all
   */
  start(slot: number, loadRatio: number, nowMs: number, rampUpMs: number): void;
  /** Share of its capacity that the edge may use, up to 1. */
  limit(slot: number, nowMs: number): number;
  /** An edge is not there any more. */
  forget(slot: number): void;
  /** Everyone may use all. */
  clear(): void;
}

/** What it may take at once, as a share of its room. */
const FIRST_SHARE = 0.05;

export function createRamps(): Ramps {
  const ramps = new Map<number, Ramp>();
  return {
    start(slot, loadRatio, nowMs, rampUpMs) {
      const from = Number.isNaN(loadRatio) ? 0 : Math.min(1, loadRatio);
      ramps.set(slot, { startMs: nowMs, from, rampUpMs });
    },
    limit(slot, nowMs) {
      const ramp = ramps.get(slot);
      if (ramp === undefined) return 1;
      const { startMs, rampUpMs } = ramp;
      const share = rampUpMs === 0 ? 1 : FIRST_SHARE + (nowMs - startMs) / rampUpMs;
      if (share >= 1) ramps.delete(slot);
      return ramp.from + (1 - ramp.from) * Math.min(1, share);
    },
    forget: (slot) => void ramps.delete(slot),
    clear: () => ramps.clear(),
  };
}

interface Ramp {
  readonly startMs: number;
  readonly from: number;
  readonly rampUpMs: number;
}
