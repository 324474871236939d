import type { Band } from "../model/band.ts";

/** How many kilometres worse than the best counts as equal. */
export function bandKm({ km, share }: Band, bestKm: number): number {
  return Math.max(km, share * bestKm);
}
