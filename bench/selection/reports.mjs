/**
 * What edges say of their load: measured every few seconds, told some seconds later, both with jitter.
 * @param {import("./types.ts").Scenario} scenario
 * @param {readonly import("./types.ts").SimulatedEdge[]} edges
 * @param {ReturnType<typeof import("./audience.mjs").createAudience>} audience
 * @param {ReturnType<typeof import("./faults.mjs").createFaults>} faults
 * @param {import("./random.mjs").Random} random
 * @param {boolean} [withStreams]
 */
export function createReports(scenario, edges, audience, faults, random, withStreams = false) {
  const { everyMs, ageMs, jitterMs } = scenario.reports;
  const jitter = () => (2 * random() - 1) * jitterMs;
  const nextMs = edges.map(() => random() * everyMs);
  /** @type {{edge: number, atMs: number, report: import("./types.ts").Report}[][]} by edge, oldest first */
  const underWay = edges.map(() => []);

  /** @param {number} edge @param {number} nowMs @returns {import("./types.ts").Report} */
  const measure = (edge, nowMs) => {
    const { viewers: room, bandwidth: link } = edges[edge].capacity;
    const viewers = audience.viewers[edge];
    const told = faults.exaggeration(edge, nowMs);
    const used = Math.min(1, viewers / Math.max(1, room));
    return {
      viewers: Math.round(viewers * told),
      bandwidth: Math.min(viewers * scenario.bitsPerViewer, link) * told,
      cpu: 0.05 + 0.75 * used,
      memory: 0.2 + 0.4 * used,
      ...(withStreams ? { streams: audience.streamsOn(edge) } : {}),
      measuredAtMs: nowMs,
    };
  };

  return {
    /** Reports that arrive since the last call, by edge. @param {number} nowMs */
    by(nowMs) {
      const due = [];
      for (let edge = 0; edge < edges.length; edge++) {
        if (nowMs >= nextMs[edge]) {
          nextMs[edge] = nowMs + everyMs + jitter();
          if (!faults.isSilent(edge, nowMs))
            underWay[edge].push({ edge, atMs: nowMs + ageMs + jitter(), report: measure(edge, nowMs) });
        }
        while (underWay[edge].length > 0 && underWay[edge][0].atMs <= nowMs) {
          const [arriving] = underWay[edge].splice(0, 1);
          if (faults.isUp(edge)) due.push(arriving);
        }
      }
      return due;
    },
  };
}
