import type { World } from "../model/world.ts";

/** From this share of what an edge may take, every viewer makes it dearer, */
const BARRIER_FROM = 0.985;
/** up to this, in kilometres, for its last room. */
const BARRIER_KM = 1000;

/**
 * Share of the edge's room that is taken, with everyone in it whom any serving thread has sent since the world
 * was made: 1 takes nobody more; NaN unknown or unlimited.
 * @param margin share of the capacity that the service leaves free, 0..0.5
 * @param more viewers who would come too
 */
export function usedShare(world: World, edge: number, margin: number, more = 0): number {
  const ratio = liveRatio(world, edge) + more * (world.perViewer[edge] as number);
  return ratio / ((world.limit[edge] as number) * (1 - margin));
}

/** As `World.loadRatio`, with everyone sent since. */
export function liveRatio({ loadRatio, perViewer, sent }: World, edge: number): number {
  const { counts, before, slot, viewersPerAnswer } = sent;
  const http = slot[edge] as number;
  const dns = http + counts.length / 2;
  const redirects = ((counts[http] as number) - (before[http] as number)) | 0;
  const answers = ((counts[dns] as number) - (before[dns] as number)) | 0;
  const viewers = redirects + answers * (viewersPerAnswer[edge] as number);
  return (loadRatio[edge] as number) + viewers * (perViewer[edge] as number);
}

/** What the last room costs, between two solutions of the prices; 0 for unknown. */
export function barrierKm(usedShare: number): number {
  if (!(usedShare > BARRIER_FROM)) return 0;
  const over = (usedShare - BARRIER_FROM) / (1 - BARRIER_FROM);
  return BARRIER_KM * over * over;
}
