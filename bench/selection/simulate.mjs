import { createAudience } from "./audience.mjs";
import { CITIES, distancesByCity } from "./cities.mjs";
import { createDoors } from "./doors.mjs";
import { edgesOf } from "./edges.mjs";
import { createFaults } from "./faults.mjs";
import { drawOf, randomOf } from "./random.mjs";
import { createReports } from "./reports.mjs";
import { createSteered } from "./steered.mjs";

/** @typedef {import("./types.ts").Scenario} Scenario */
/** @typedef {import("./demand.mjs").Demand} Demand */

/**
 * Sends everyone who comes where the rule says.
 *
 * ```
 * demand ─► door (HTTP, or a resolver's cache) ─► rule.choose ─► edge ─► audience ─► result, series
 *                 ▲                                    ▲                    │
 *                 ├── retry: the edge is down          ├── report, later ◄──┤
 *                 └── steered: rule.steer ─────────────┴── moves ───────────┘
 * ```
 *
 * Each simulated second: viewers leave, faults begin and end, probes notice them, reports arrive, the rule's
 * tick, lost viewers try again, steered ones ask, new viewers come in order of arrival, utilisation is taken.
 * @param {Scenario} scenario
 * @param {Demand} demand
 * @param {import("./types.ts").Rule} rule
 * @param {number} seed
 * @returns {{result: import("./types.ts").Result, series: import("./types.ts").Series}}
 */
export function simulate(scenario, demand, rule, seed) {
  const edges = edgesOf(scenario);
  const kmByCity = distancesByCity(edges);
  const faults = createFaults(scenario, demand.warmUpMs);
  const audience = createAudience(scenario, demand, kmByCity, faults.isUp);
  const reports = createReports(
    scenario,
    edges,
    audience,
    faults,
    randomOf(seed, "reports"),
    rule.readsStreams,
  );
  const doors = createDoors(scenario, demand, rule);
  const retries = createRetries(scenario, seed);
  const steered = createSteered(scenario, rule, seed);
  rule.start(settingOf(scenario, edges, kmByCity, randomOf(seed, rule.name)));

  /** @param {number} viewer @param {number} nowMs */
  const send = (viewer, nowMs) => {
    const next = steered.nextOf(viewer, faults.isUp);
    const edge = next >= 0 ? next : doors.edgeFor(viewer, nowMs);
    if (edge >= 0 && faults.isUp(edge)) audience.attach(viewer, edge, nowMs);
    else retries.add(viewer, nowMs);
  };
  /** @param {number} viewer @param {number} nowMs */
  const steer = (viewer, nowMs) => {
    const playing = audience.edgeOf(viewer);
    if (playing < 0) return steered.waits(viewer, nowMs);
    const edge = steered.ask(viewer, doors.steeringQuestion(viewer), playing, nowMs);
    if (edge !== playing && faults.isUp(edge)) audience.move(viewer, edge, nowMs);
  };

  /** @param {number} viewer */
  const leave = (viewer) => {
    audience.leave(viewer);
    steered.end(viewer);
  };

  let arrived = 0;
  let left = 0;
  for (let secondMs = 0; secondMs < demand.endMs; secondMs += 1000) {
    for (; left < demand.count && demand.leavesMs[demand.byLeaving[left]] < secondMs; left++)
      leave(demand.byLeaving[left]);
    for (const edge of faults.lostBy(secondMs))
      for (const viewer of audience.lose(edge, secondMs)) retries.add(viewer, secondMs);
    for (const { edge, up } of faults.noticedBy(secondMs)) rule.health(edge, up, secondMs);
    for (const { edge, report } of reports.by(secondMs)) rule.report(edge, report, secondMs);
    rule.tick(secondMs);
    for (const viewer of retries.by(secondMs)) if (demand.leavesMs[viewer] > secondMs) send(viewer, secondMs);
    for (const viewer of steered.by(secondMs)) steer(viewer, secondMs);
    for (; arrived < demand.count && demand.arrivesMs[arrived] < secondMs + 1000; arrived++) {
      audience.enter(arrived);
      steered.begin(arrived, demand.arrivesMs[arrived]);
      send(arrived, demand.arrivesMs[arrived]);
    }
    audience.endSecond(secondMs);
  }
  return audience.close(doors.viewersPerAnswer());
}

/**
 * @param {Scenario} scenario
 * @param {import("./types.ts").SimulatedEdge[]} edges
 * @param {Float64Array[]} kmByCity
 * @param {import("./random.mjs").Random} random
 * @returns {import("./types.ts").Setting}
 */
function settingOf(scenario, edges, kmByCity, random) {
  const kmByLocation = new Map(CITIES.map(({ location }, city) => [location, kmByCity[city]]));
  return {
    edges,
    affinity: scenario.affinity,
    ttlMs: scenario.dns.ttlMs,
    steeringTtlMs: scenario.steering.ttlMs,
    bitsPerViewer: scenario.bitsPerViewer,
    reportEveryMs: scenario.reports.everyMs,
    nowMs: 0,
    distancesKm: (location) => /** @type {Float64Array} */ (kmByLocation.get(location)),
    random,
  };
}

/**
 * Viewers without an edge, each of whom tries again within the scenario's time.
 * @param {Scenario} scenario
 * @param {number} seed
 */
function createRetries({ failover }, seed) {
  /** @type {Map<number, number[]>} second → viewers */
  const waiting = new Map();
  return {
    /** @param {number} viewer @param {number} nowMs */
    add(viewer, nowMs) {
      const afterMs = drawOf(seed, viewer * 7919 + Math.floor(nowMs / 1000)) * failover.retryWithinMs;
      const secondMs = Math.floor((nowMs + afterMs) / 1000) * 1000 + 1000;
      const others = waiting.get(secondMs);
      if (others) others.push(viewer);
      else waiting.set(secondMs, [viewer]);
    },
    /** @param {number} secondMs @returns {readonly number[]} */
    by(secondMs) {
      const due = waiting.get(secondMs) ?? [];
      waiting.delete(secondMs);
      return due;
    },
  };
}
