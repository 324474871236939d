import { createLastReports } from "./last-reports.mjs";
import { nearestOf } from "./nearest-of.mjs";

/** Share of the bandwidth from which an edge counts as unavailable (`availableBandwidthInKbps` leaves the rest). */
const THRESHOLD = 0.9;

/**
 * Apache Traffic Control: a cache whose last poll was beyond its bandwidth threshold is unavailable, and the
 * nearest group with an available cache serves. Each edge is a group of one. Where no one is available (in
 * Traffic Control a matter of the delivery service's bypass) the nearest that answers serves.
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Setting} */
  let setting;
  /** @type {ReturnType<typeof createLastReports>} */
  let reports;
  return {
    name: "threshold",
    start(given) {
      setting = given;
      reports = createLastReports(given);
    },
    health: (edge, isUp) => reports.health(edge, isUp),
    report: (edge, report, nowMs) => reports.take(edge, report, nowMs),
    tick() {},
    choose({ location }, nowMs) {
      const distances = setting.distancesKm(location);
      /** @param {number} edge */
      const isAvailable = (edge) => {
        const report = reports.of(edge, nowMs);
        return report !== undefined && report.bandwidth < THRESHOLD * setting.edges[edge].capacity.bandwidth;
      };
      const available = nearestOf(distances, isAvailable);
      return available >= 0
        ? available
        : nearestOf(distances, (edge) => reports.of(edge, nowMs) !== undefined);
    },
  };
}
