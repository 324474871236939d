/**
 * From this share of its capacity an edge is nearly full. Between two reports, viewers come and go by a few in a hundred: what
 * is nearer to the brim than that may be full by now, and whoever was full has no room again until it is further away.
 */
export const NEARLY_FULL = 0.95;
