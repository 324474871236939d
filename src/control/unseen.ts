import type { Edge } from "../model/edge.ts";
import type { Facts, World } from "../model/world.ts";

/** Viewers who were sent to an edge that reports, and whom no report shows yet, by edge id. */
export type Unseen = Readonly<Record<string, number>>;

/**
 * Whom the world counts beyond what the edges report.
 * @param known the facts that it was made of
 */
export function unseenOf(
  { loadRatio, perViewer }: World,
  known: Facts | undefined,
  edges: readonly Edge[],
): Unseen {
  const viewers = edges.map(({ id, index }) => {
    const ratio = (loadRatio[index] as number) - (known?.loadRatio[index] as number);
    return [id, ratio / (perViewer[index] as number)] as const;
  });
  return Object.fromEntries(viewers.filter(([, count]) => count >= 1 && Number.isFinite(count)));
}

/** As if this process had sent them. */
export function countUnseen({ sent }: World, unseen: Unseen, edges: readonly Edge[]): void {
  for (const { id, index } of edges) {
    const viewers = Math.round(unseen[id] ?? 0);
    if (viewers > 0) Atomics.add(sent.counts, sent.slot[index] as number, viewers);
  }
}
