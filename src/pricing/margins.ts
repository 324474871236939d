import type { Service } from "../model/service.ts";

/**
 * Share of its capacity that every service leaves free, by `Edge.index`: what only some leave is there for the
 * others.
 */
export function marginsOf(edges: number, services: readonly Service[]): Float64Array {
  const margins = new Float64Array(edges).fill(Number.POSITIVE_INFINITY);
  for (const { edges: members, margin } of services)
    for (const edge of members) margins[edge] = Math.min(margins[edge] as number, margin);
  return margins.map((margin) => (Number.isFinite(margin) ? margin : 0));
}

/** Whether there is no room for anybody, whatever takes it. */
export function isFull(loadRatio: number, margin: number): boolean {
  return loadRatio >= 1 - margin;
}
