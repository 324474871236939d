import { Distances } from "./distances.mjs";

const SERIES_STEP_MS = 30_000;
/** How often edges per stream are counted. */
const STREAMS_STEP_MS = 30_000;

/**
 * Who watches where, and what is measured of it from the end of the warm-up on.
 * @param {import("./types.ts").Scenario} scenario
 * @param {import("./demand.mjs").Demand} demand
 * @param {readonly Float64Array[]} kmByCity
 * @param {(edge: number) => boolean} isUp
 */
export function createAudience(scenario, demand, kmByCity, isUp) {
  const { warmUpMs, endMs } = demand;
  const capacity = scenario.edges.map((edge) => edge.capacity);
  const viewers = new Int32Array(capacity.length);
  const byStream = capacity.map(() => new Int32Array(scenario.streams.count));

  /** @type {Map<number, {edge: number, sinceMs: number}>} edge -1: waiting for one */
  const present = new Map();
  const lastOfNetwork = new Int16Array(demand.networks.length).fill(-1);
  /** @type {Set<number>} whose edge went down */
  const lost = new Set();

  const kmWhilePresent = new Distances();
  const kmAtArrival = new Distances();
  /** @type {Float32Array[]} */
  const utilisation = [];
  /** @type {number[]} */
  const meanKm = [];
  const sum = {
    servedSeconds: 0,
    beyondSeconds: 0,
    waitingSeconds: 0,
    moves: 0,
    steeringMoves: 0,
    edgesOfStream: 0,
    inStreams: 0,
  };
  let peakUtilisation = 0;

  /** Takes a viewer's time since the last change into account. @param {number} viewer @param {number} nowMs */
  const settle = (viewer, nowMs) => {
    const { edge, sinceMs } = /** @type {{edge: number, sinceMs: number}} */ (present.get(viewer));
    const seconds = (nowMs - Math.max(sinceMs, warmUpMs)) / 1000;
    if (seconds > 0 && edge < 0) sum.waitingSeconds += seconds;
    if (seconds > 0 && edge >= 0) kmWhilePresent.add(kmByCity[demand.city[viewer]][edge], seconds);
    return edge;
  };
  /** @param {number} viewer @param {number} edge @param {1 | -1} change */
  const count = (viewer, edge, change) => {
    viewers[edge] += change;
    byStream[edge][demand.stream[viewer]] += change;
  };
  /** Counts a placement after the warm-up. @param {number} viewer @param {number} edge */
  const place = (viewer, edge) => {
    const before = lastOfNetwork[demand.network[viewer]];
    if (lost.has(viewer) || (before >= 0 && before !== edge && isUp(before))) sum.moves++;
    if (!lost.has(viewer)) kmAtArrival.add(kmByCity[demand.city[viewer]][edge], 1);
  };
  const takeSeries = () => {
    utilisation.push(Float32Array.from(viewers, (n, edge) => utilisationOf(n, capacity[edge])));
    let [served, km] = [0, 0];
    for (const [viewer, { edge }] of present) {
      if (edge < 0) continue;
      served++;
      km += kmByCity[demand.city[viewer]][edge];
    }
    meanKm.push(ratio(km, served));
  };
  const countStreams = () => {
    for (let stream = 0; stream < scenario.streams.count; stream++) {
      let [edges, watching] = [0, 0];
      for (const counts of byStream) {
        if (counts[stream] > 0) edges++;
        watching += counts[stream];
      }
      sum.edgesOfStream += edges * watching;
      sum.inStreams += watching;
    }
  };

  return {
    /** Now, by edge. */
    viewers,
    /** @param {number} edge @returns {string[]} */
    streamsOn: (edge) =>
      [...byStream[edge].keys()].filter((s) => byStream[edge][s] > 0).map((s) => `s${s + 1}`),

    /** A viewer comes, and has no edge yet. @param {number} viewer */
    enter(viewer) {
      present.set(viewer, { edge: -1, sinceMs: demand.arrivesMs[viewer] });
    },
    /** @param {number} viewer @param {number} edge @param {number} nowMs */
    attach(viewer, edge, nowMs) {
      settle(viewer, nowMs);
      present.set(viewer, { edge, sinceMs: nowMs });
      count(viewer, edge, 1);
      if (nowMs >= warmUpMs) place(viewer, edge);
      lost.delete(viewer);
      lastOfNetwork[demand.network[viewer]] = edge;
    },
    /** -1: he has none. @param {number} viewer */
    edgeOf: (viewer) => present.get(viewer)?.edge ?? -1,
    /** From one edge to another while he plays. @param {number} viewer @param {number} edge @param {number} nowMs */
    move(viewer, edge, nowMs) {
      count(viewer, settle(viewer, nowMs), -1);
      present.set(viewer, { edge, sinceMs: nowMs });
      count(viewer, edge, 1);
      if (nowMs >= warmUpMs) sum.steeringMoves++;
    },
    /** @param {number} viewer */
    leave(viewer) {
      const edge = settle(viewer, demand.leavesMs[viewer]);
      if (edge >= 0) count(viewer, edge, -1);
      present.delete(viewer);
      lost.delete(viewer);
    },
    /** Takes everyone off an edge that went down. @param {number} edge @param {number} nowMs @returns {number[]} */
    lose(edge, nowMs) {
      const theirs = [...present].filter(([, at]) => at.edge === edge).map(([viewer]) => viewer);
      for (const viewer of theirs) {
        settle(viewer, nowMs);
        count(viewer, edge, -1);
        present.set(viewer, { edge: -1, sinceMs: nowMs });
        lost.add(viewer);
      }
      return theirs;
    },
    /** @param {number} secondMs */
    endSecond(secondMs) {
      if (secondMs < warmUpMs) return;
      for (let edge = 0; edge < viewers.length; edge++) {
        sum.servedSeconds += viewers[edge];
        sum.beyondSeconds += Math.max(0, viewers[edge] - capacity[edge]);
        peakUtilisation = Math.max(peakUtilisation, utilisationOf(viewers[edge], capacity[edge]));
      }
      const atMs = secondMs - warmUpMs;
      if (atMs % SERIES_STEP_MS === 0) takeSeries();
      if (atMs % STREAMS_STEP_MS === 0) countStreams();
    },
    /** @param {number | null} viewersPerDnsAnswer */
    close(viewersPerDnsAnswer) {
      for (const viewer of present.keys()) settle(viewer, Math.min(endMs, demand.leavesMs[viewer]));
      const wanted = kmWhilePresent.weight + sum.waitingSeconds;
      return {
        result: {
          meanKm: kmWhilePresent.meanKm,
          p95Km: kmWhilePresent.percentileKm(0.95),
          meanKmAtArrival: kmAtArrival.meanKm,
          beyondCapacity: ratio(sum.beyondSeconds, sum.servedSeconds),
          unserved: ratio(sum.waitingSeconds, wanted),
          peakUtilisation,
          edgesPerStream: ratio(sum.edgesOfStream, sum.inStreams),
          movesPerViewer: ratio(sum.moves, kmAtArrival.weight),
          steeringMovesPerViewer:
            scenario.steering.share > 0 ? ratio(sum.steeringMoves, kmAtArrival.weight) : null,
          viewersPerDnsAnswer,
        },
        series: { stepMs: SERIES_STEP_MS, utilisation, meanKm },
      };
    },
  };
}

/** An edge without capacity is as full as it has viewers. @param {number} viewers @param {number} capacity */
export function utilisationOf(viewers, capacity) {
  return viewers / Math.max(1, capacity);
}

/** @param {number} part @param {number} whole */
function ratio(part, whole) {
  return whole > 0 ? part / whole : 0;
}
