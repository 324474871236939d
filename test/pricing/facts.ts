import type { Facts } from "../../src/model/world.ts";

/**
 * Of edges that are all up and active.
 * @param viewers as reported, by edge; NaN never
 * @param atMs when they were counted
 * @param room how many viewers each holds
 */
export function factsOfReports(viewers: Float64Array, atMs: Float64Array, room: number): Facts {
  const edges = viewers.length;
  return {
    generation: 1,
    up: new Uint8Array(edges).fill(1),
    state: new Uint8Array(edges),
    inDoubt: new Uint8Array(edges),
    loadRatio: viewers.map((count) => count / room),
    viewers: viewers.slice(),
    perViewer: new Float64Array(edges).fill(1 / room),
    viewersAtMs: atMs.slice(),
    loadAtMs: atMs.slice(),
  };
}
