/**
 * From this share of its capacity an edge is nearly full. Between two reports, viewers come and go by a few in a
 * hundred: what is nearer to the brim than that may be full by now, and whoever was full has no room again until it
 * is further away.
 */
export const NEARLY_FULL = 0.95;

export type LoadLevel = "unknown" | "room" | "full";

/**
 * The next level: viewers who come and go at the brim are no news. Only for telling, the choice of edges goes by the
 * ratio itself.
 */
export function levelOf(loadRatio: number, before: LoadLevel): LoadLevel {
  if (Number.isNaN(loadRatio)) return "unknown";
  if (loadRatio >= 1) return "full";
  return before === "full" && loadRatio >= NEARLY_FULL ? "full" : "room";
}
