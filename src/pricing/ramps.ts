/** An edge that comes back takes load step by step: its caches are cold, and whatever felled it may do so again. */
export interface Ramps {
  /** @param loadRatio what it carries already; NaN unknown */
  start(slot: number, loadRatio: number, nowMs: number): void;
  /** Share of its capacity that the edge may use, up to 1. */
  limit(slot: number, nowMs: number): number;
  /** Everyone may use all. */
  clear(): void;
}

/** What it may take at once, as a share of its room. */
const FIRST_SHARE = 0.05;

export function createRamps(rampUpMs: number): Ramps {
  const ramps = new Map<number, { readonly startMs: number; readonly from: number }>();
  return {
    start(slot, loadRatio, nowMs) {
      const from = Number.isNaN(loadRatio) ? 0 : Math.min(1, loadRatio);
      ramps.set(slot, { startMs: nowMs, from });
    },
    limit(slot, nowMs) {
      const ramp = ramps.get(slot);
      if (ramp === undefined) return 1;
      const share = FIRST_SHARE + (nowMs - ramp.startMs) / rampUpMs;
      if (share >= 1) ramps.delete(slot);
      return ramp.from + (1 - ramp.from) * Math.min(1, share);
    },
    clear: () => ramps.clear(),
  };
}
