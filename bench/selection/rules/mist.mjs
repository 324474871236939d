import { createLastReports } from "./last-reports.mjs";

/** The stock weights. */
const WEIGHT = { cpu: 500, memory: 500, bandwidth: 1000, geo: 1000, bonus: 50 };
/** Bytes per second that a new viewer is expected to take: the edge's mean, within these. */
const LEAST_PER_VIEWER = 65_536;
const MOST_PER_VIEWER = 1_048_576;
/** Share of the expected bytes that is still expected after a successful poll. */
const KEPT_BY_POLL = 0.75;
const HALF_EARTH_KM = Math.PI * 6371.0088;

/**
 * MistServer's balancer: the highest sum of integer scores for processor, memory, bandwidth (what was reported
 * plus what is expected of viewers sent) and closeness, and a bonus where the stream runs already. An edge whose
 * reported or expected bandwidth reaches its limit is left out; if all are, nobody is served ("FULL").
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Setting} */
  let setting;
  /** @type {ReturnType<typeof createLastReports>} */
  let reports;
  /** @type {Float64Array} bytes per second */
  let expected;
  /** @type {Set<string>[]} */
  let streams;

  /** @param {number} edge @param {number} distanceKm @param {string | undefined} stream @param {number} nowMs */
  const score = (edge, distanceKm, stream, nowMs) => {
    const report = reports.of(edge, nowMs);
    if (report === undefined) return 0;
    const limit = setting.edges[edge].capacity.bandwidth / 8;
    const sent = report.bandwidth / 8 + expected[edge];
    if (sent >= limit) return 0;
    return (
      Math.trunc(WEIGHT.cpu - report.cpu * WEIGHT.cpu) +
      Math.trunc(WEIGHT.memory - report.memory * WEIGHT.memory) +
      Math.trunc(WEIGHT.bandwidth - (sent * WEIGHT.bandwidth) / limit) +
      Math.trunc(WEIGHT.geo - (WEIGHT.geo * distanceKm) / HALF_EARTH_KM) +
      (stream !== undefined && streams[edge].has(stream) ? WEIGHT.bonus : 0)
    );
  };

  return {
    name: "mist",
    readsStreams: true,
    start(given) {
      setting = given;
      reports = createLastReports(given);
      expected = new Float64Array(given.edges.length);
      streams = given.edges.map(() => new Set());
    },
    health: (edge, isUp) => reports.health(edge, isUp),
    report(edge, report, nowMs) {
      reports.take(edge, report, nowMs);
      expected[edge] *= KEPT_BY_POLL;
      streams[edge] = new Set(report.streams);
    },
    tick() {},
    choose({ location, stream }, nowMs) {
      const distances = setting.distancesKm(location);
      let [best, bestScore] = [-1, 0];
      for (let edge = 0; edge < setting.edges.length; edge++) {
        const its = score(edge, distances[edge], stream, nowMs);
        if (its > bestScore) [best, bestScore] = [edge, its];
      }
      if (best < 0) return -1;
      const report = reports.of(best, nowMs);
      const perViewer = report && report.viewers > 0 ? report.bandwidth / 8 / report.viewers : 131_072;
      expected[best] += Math.min(MOST_PER_VIEWER, Math.max(LEAST_PER_VIEWER, perViewer));
      return best;
    },
  };
}
