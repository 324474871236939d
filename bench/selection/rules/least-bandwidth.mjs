import { createLastReports } from "./last-reports.mjs";

/**
 * 77ph/load-balancer, the PHP redirector for Nimble: of the servers whose status answers, the one that sends the
 * fewest bits per second, absolutely, by its last status; the first of equals. Nobody answers: an error.
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Setting} */
  let setting;
  /** @type {ReturnType<typeof createLastReports>} */
  let reports;
  return {
    name: "leastBandwidth",
    start(given) {
      setting = given;
      reports = createLastReports(given);
    },
    health: (edge, isUp) => reports.health(edge, isUp),
    report: (edge, report, nowMs) => reports.take(edge, report, nowMs),
    tick() {},
    choose(_question, nowMs) {
      let [least, leastBandwidth] = [-1, Number.POSITIVE_INFINITY];
      for (let edge = 0; edge < setting.edges.length; edge++) {
        const bandwidth = reports.of(edge, nowMs)?.bandwidth ?? Number.POSITIVE_INFINITY;
        if (bandwidth < leastBandwidth) [least, leastBandwidth] = [edge, bandwidth];
      }
      return least;
    },
  };
}
