/** Polls that may fail in a row before a poller gives an edge up; one may just be late. */
const MISSED_POLLS = 2;

/**
 * What a poller knows of each edge: its last report, and whether polling it works.
 * @param {import("../types.ts").Setting} setting
 */
export function createLastReports({ edges, reportEveryMs }) {
  const up = new Uint8Array(edges.length).fill(1);
  const atMs = new Float64Array(edges.length).fill(Number.NEGATIVE_INFINITY);
  /** @type {(import("../types.ts").Report | undefined)[]} */
  const last = edges.map(() => undefined);
  return {
    /** @param {number} edge @param {import("../types.ts").Report} report @param {number} nowMs */
    take(edge, report, nowMs) {
      last[edge] = report;
      atMs[edge] = nowMs;
    },
    /** @param {number} edge @param {boolean} isUp */
    health(edge, isUp) {
      up[edge] = isUp ? 1 : 0;
    },
    /** The last report of an edge that is up and answers polls. @param {number} edge @param {number} nowMs */
    of: (edge, nowMs) =>
      up[edge] === 1 && nowMs - atMs[edge] <= (MISSED_POLLS + 0.5) * reportEveryMs ? last[edge] : undefined,
  };
}
