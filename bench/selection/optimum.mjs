import loadHighs from "highs";
import { utilisationOf } from "./audience.mjs";
import { CITIES, distancesByCity } from "./cities.mjs";
import { Distances } from "./distances.mjs";
import { edgesOf } from "./edges.mjs";
import { isDownAt } from "./faults.mjs";

/** How often the best placement is computed. */
const SLICE_MS = 120_000;
/** A viewer beyond capacity costs more than any distance, so that there is one only where there must be. */
const BEYOND_COST_KM = 1_000_000;
/** Rounding of the solver, in viewers. */
const TOLERANCE = 1e-6;

/**
 * The best that one who knew everything could do: slice by slice, the placement of all viewers present that has
 * the least viewer-kilometres within every edge's capacity. It may move everyone between slices, which no rule may.
 *
 * minimise Σ distance(city, edge) · x(city, edge), where
 *   Σ over edges  x(city, edge) = viewers present in the city
 *   Σ over cities x(city, edge) ≤ the edge's capacity (0 while it is down) + viewers beyond it
 *
 * One model is kept, so that each solve starts from the last one's basis; every solve's status and every
 * placement's sums are checked.
 * @param {import("./types.ts").Scenario} scenario
 * @param {import("./demand.mjs").Demand} demand
 * @param {number} [sliceMs]
 * @returns {Promise<{result: import("./types.ts").Result, series: import("./types.ts").Series}>}
 */
export async function optimum(scenario, demand, sliceMs = SLICE_MS) {
  const highs = await loadHighs();
  const kmByCity = distancesByCity(edgesOf(scenario));
  const model = highs.createModel(transport(kmByCity, scenario.edges.length));
  model.options.set({ output_flag: false });
  const presentAt = createPresence(demand);
  const distances = new Distances();
  const utilisation = [];
  /** @type {number[]} */
  const meanKm = [];
  let [beyond, present, peakUtilisation] = [0, 0, 0];

  try {
    for (let atMs = 0; atMs < scenario.durationMs; atMs += sliceMs) {
      const inCity = presentAt(demand.warmUpMs + atMs);
      inCity.forEach((viewers, city) => model.changeRowBounds(city, viewers, viewers));
      const room = scenario.edges.map(({ capacity }, edge) =>
        isDownAt(scenario, edge, atMs) ? 0 : capacity,
      );
      room.forEach((viewers, edge) => model.changeRowBounds(CITIES.length + edge, -highs.infinity, viewers));
      model.run();
      if (model.getModelStatus() !== highs.constants.modelStatus.optimal)
        throw new Error(`the solver found no optimum (model status ${model.getModelStatus()})`);

      const placed = placementOf(model.getSolution().colValue, kmByCity, distances);
      check(inCity, placed.byCity);
      meanKm.push(placed.meanKm);
      placed.byEdge.forEach((viewers, edge) => {
        const excess = Math.max(0, viewers - room[edge]);
        if (excess > TOLERANCE * (1 + viewers)) beyond += excess;
        present += viewers;
        peakUtilisation = Math.max(peakUtilisation, utilisationOf(viewers, scenario.edges[edge].capacity));
      });
      utilisation.push(
        Float32Array.from(placed.byEdge, (viewers, edge) =>
          utilisationOf(viewers, scenario.edges[edge].capacity),
        ),
      );
    }
  } finally {
    model.dispose();
  }
  return {
    result: {
      meanKm: distances.meanKm,
      p95Km: distances.percentileKm(0.95),
      meanKmAtArrival: null,
      beyondCapacity: present > 0 ? beyond / present : 0,
      unserved: 0,
      peakUtilisation,
      edgesPerStream: null,
      movesPerViewer: null,
      steeringMovesPerViewer: null,
      viewersPerDnsAnswer: null,
    },
    series: { stepMs: sliceMs, utilisation, meanKm },
  };
}

/**
 * Columns: city by city its edges, then each edge's viewers beyond capacity. Rows: cities, then edges.
 * @param {readonly Float64Array[]} kmByCity
 * @param {number} edgeCount
 */
function transport(kmByCity, edgeCount) {
  const cityCount = kmByCity.length;
  const numCols = cityCount * edgeCount + edgeCount;
  const numRows = cityCount + edgeCount;
  /** @type {Record<"colCost" | "starts" | "indices" | "values", number[]>} */
  const { colCost, starts, indices, values } = { colCost: [], starts: [], indices: [], values: [] };
  kmByCity.forEach((kms, city) => {
    kms.forEach((km, edge) => {
      starts.push(indices.length);
      colCost.push(km);
      indices.push(city, cityCount + edge);
      values.push(1, 1);
    });
  });
  for (let edge = 0; edge < edgeCount; edge++) {
    starts.push(indices.length);
    colCost.push(BEYOND_COST_KM);
    indices.push(cityCount + edge);
    values.push(-1);
  }
  starts.push(indices.length);
  return {
    numCols,
    numRows,
    sense: 1,
    colCost,
    colLower: new Float64Array(numCols),
    colUpper: new Float64Array(numCols).fill(Number.POSITIVE_INFINITY),
    rowLower: new Float64Array(numRows),
    rowUpper: new Float64Array(numRows),
    matrix: { format: "csc", numRows, numCols, starts, indices, values },
  };
}

/** Viewers in each city at ever later times. @param {import("./demand.mjs").Demand} demand */
function createPresence(demand) {
  const inCity = new Int32Array(CITIES.length);
  let [arrived, left] = [0, 0];
  /** @param {number} atMs */
  return (atMs) => {
    for (; arrived < demand.count && demand.arrivesMs[arrived] <= atMs; arrived++)
      inCity[demand.city[arrived]]++;
    for (; left < demand.count && demand.leavesMs[demand.byLeaving[left]] <= atMs; left++)
      inCity[demand.city[demand.byLeaving[left]]]--;
    return inCity;
  };
}

/**
 * @param {Float64Array} columns
 * @param {readonly Float64Array[]} kmByCity
 * @param {Distances} distances told of every viewer placed
 */
function placementOf(columns, kmByCity, distances) {
  const byEdge = new Float64Array(kmByCity[0].length);
  let [placed, viewerKm] = [0, 0];
  const byCity = kmByCity.map((kms, city) => {
    let sum = 0;
    kms.forEach((km, edge) => {
      const viewers = columns[city * byEdge.length + edge];
      if (viewers <= TOLERANCE) return;
      distances.add(km, viewers);
      byEdge[edge] += viewers;
      sum += viewers;
      viewerKm += km * viewers;
    });
    placed += sum;
    return sum;
  });
  return { byCity, byEdge, meanKm: viewerKm / Math.max(1, placed) };
}

/** @param {Int32Array} wanted @param {readonly number[]} placed */
function check(wanted, placed) {
  placed.forEach((viewers, city) => {
    if (Math.abs(viewers - wanted[city]) > 1e-3)
      throw new Error(
        `the solver placed ${viewers} of ${wanted[city]} viewers in ${CITIES[city].location.city}`,
      );
  });
}
