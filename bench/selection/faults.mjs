/**
 * Which edges serve, which of that probes know, and what becomes of reports. Times are the simulator's.
 * @param {import("./types.ts").Scenario} scenario
 * @param {number} warmUpMs what the scenario's times are counted from
 */
export function createFaults({ edges, faults, failover }, warmUpMs) {
  const isDown = new Uint8Array(edges.length);
  const knownDown = new Uint8Array(edges.length);

  /** @param {"down" | "silent" | "lying"} kind @param {number} edge @param {number} atMs simulator's */
  const during = (kind, edge, atMs) =>
    faults.find(
      (fault) =>
        fault.kind === kind &&
        fault.edge === edge &&
        fault.fromMs <= atMs - warmUpMs &&
        atMs - warmUpMs < fault.untilMs,
    );

  return {
    /** @param {number} edge */
    isUp: (edge) => isDown[edge] === 0,
    /** @param {number} edge @param {number} atMs */
    isSilent: (edge, atMs) => during("silent", edge, atMs) !== undefined,
    /** What a report says for each viewer there is. @param {number} edge @param {number} atMs */
    exaggeration: (edge, atMs) => during("lying", edge, atMs)?.factor ?? 1,

    /** Edges that went down since the last call. @param {number} nowMs */
    lostBy(nowMs) {
      const lost = [];
      for (let edge = 0; edge < edges.length; edge++) {
        const down = during("down", edge, nowMs) ? 1 : 0;
        if (down > isDown[edge]) lost.push(edge);
        isDown[edge] = down;
      }
      return lost;
    },
    /** What probes noticed since the last call. @param {number} nowMs */
    noticedBy(nowMs) {
      const noticed = [];
      for (let edge = 0; edge < edges.length; edge++) {
        const down = during("down", edge, nowMs - failover.noticedAfterMs) ? 1 : 0;
        if (down !== knownDown[edge]) noticed.push({ edge, up: down === 0 });
        knownDown[edge] = down;
      }
      return noticed;
    },
  };
}

/**
 * Whether an edge is truly up at a time of the scenario.
 * @param {import("./types.ts").Scenario} scenario
 * @param {number} edge
 * @param {number} atMs
 */
export function isDownAt({ faults }, edge, atMs) {
  return faults.some((f) => f.kind === "down" && f.edge === edge && f.fromMs <= atMs && atMs < f.untilMs);
}
