import { CITIES, distancesByCity } from "./cities.mjs";
import { edgesOf } from "./edges.mjs";
import { isDownAt } from "./faults.mjs";

/** @typedef {import("./types.ts").Scenario} Scenario */
/** @typedef {import("./demand.mjs").Demand} Demand */
/** @typedef {ReturnType<typeof worldOf>} World */

const SLICE_MS = 120_000;
/** Steps towards the best prices, */
const STEPS = 200;
/** the first of so many kilometres for each viewer too many, half as long after so many. */
const FIRST_STEP_KM = 0.75;
const HALVED_AFTER = 25;
/** What the distance of a viewer counts whom nobody measures, since he leaves in the warm-up. */
const UNMEASURED = 0.02;

/**
 * A mean distance below which nobody comes who moves no one, and who knows how many viewers come from where and when,
 * for all time, and how many of them are left after how long, but not how long each stays. Whose edge is lost is placed
 * anew.
 *
 * The Lagrangian dual of that linear programme: whatever the prices by edge and slice, it is what viewers pay who each
 * go where distance and price are least over a stay, less the price of all room. The best prices are sought by
 * subgradients.
 * @param {Scenario} scenario
 * @param {Demand} demand
 * @param {import("./bound.d.mts").Expected} [expected] left out: all is known beforehand
 */
export function boundKm(scenario, demand, expected) {
  const world = worldOf(scenario, demand);
  if (expected === undefined) return dualOf(world).km;
  const calm = worldOf(expected.scenario, expected.demand);
  const { prices } = dualOf(calm);
  const surprisedAt = Math.floor((demand.warmUpMs + expected.untilMs) / SLICE_MS);
  const chosen = world.arrivals.slice(0, surprisedAt).map((_, slice) => {
    const legs = legsOf(calm, prices, slice);
    return CITIES.map((_city, city) => cheapest(calm, legs, slice, city).edge);
  });
  return dualOf(world, chosen).km;
}

/** @param {Scenario} scenario @param {Demand} demand */
function worldOf(scenario, demand) {
  const slices = Math.ceil(demand.endMs / SLICE_MS);
  /** @param {number} slice */
  const atMs = (slice) => (slice + 0.5) * SLICE_MS - demand.warmUpMs;
  /** @param {number} slice */
  const isMeasured = (slice) => slice < slices && atMs(slice) >= 0;
  const arrivals = Array.from({ length: slices }, () => new Float64Array(CITIES.length));
  for (let viewer = 0; viewer < demand.count; viewer++)
    arrivals[Math.floor(demand.arrivesMs[viewer] / SLICE_MS)][demand.city[viewer]]++;
  const room = arrivals.map((_, slice) =>
    Float64Array.from(scenario.edges, ({ capacity }, edge) =>
      isDownAt(scenario, edge, atMs(slice)) ? 0 : capacity,
    ),
  );
  const left = leftOf(scenario.stays);
  /** In slices that are measured. */
  const viewers = arrivals.map((cities, slice) => {
    const come = cities.reduce((sum, n) => sum + n, 0);
    return come * left.reduce((sum, share, age) => sum + (isMeasured(slice + age) ? share : 0), 0);
  });
  return {
    arrivals,
    room,
    left,
    isMeasured,
    viewerSlices: viewers.reduce((sum, n) => sum + n, 0),
    kmByCity: distancesByCity(edgesOf(scenario)),
  };
}

/**
 * Share of those who came within a slice that are there in the middle of the slices from that one on.
 * @param {Scenario["stays"]} stays
 */
function leftOf({ shortestMs, longestMs }) {
  const spread = Math.max(1, longestMs - shortestMs);
  const PARTS = 20;
  return Float64Array.from({ length: Math.ceil(longestMs / SLICE_MS) + 1 }, (_, age) => {
    let sum = 0;
    for (let part = 0; part < PARTS; part++) {
      const sinceMs = (age + 0.5 - (part + 0.5) / PARTS) * SLICE_MS;
      if (sinceMs >= 0) sum += Math.min(1, Math.max(0, (longestMs - sinceMs) / spread));
    }
    return sum / PARTS;
  });
}

/**
 * @param {World} world
 * @param {readonly (readonly number[])[]} [chosen] edges by slice and city, where these are settled
 */
function dualOf(world, chosen = []) {
  const { room, viewerSlices } = world;
  const prices = room.map((edges) => new Float64Array(edges.length));
  let best = { km: 0, prices };
  for (let step = 0; step < STEPS; step++) {
    const load = room.map((edges) => new Float64Array(edges.length));
    let paid = 0;
    for (let slice = 0; slice < room.length; slice++)
      paid += sendAll(world, legsOf(world, prices, slice), slice, chosen[slice], load);
    prices.forEach((byEdge, slice) =>
      byEdge.forEach((price, edge) => {
        paid -= price * room[slice][edge];
      }),
    );
    const km = paid / viewerSlices;
    if (km > best.km) best = { km, prices: prices.map((byEdge) => byEdge.slice()) };
    const stepKm = FIRST_STEP_KM / (1 + step / HALVED_AFTER);
    prices.forEach((byEdge, slice) =>
      byEdge.forEach((price, edge) => {
        byEdge[edge] = Math.max(0, price + stepKm * (load[slice][edge] - room[slice][edge]));
      }),
    );
  }
  return best;
}

/**
 * What all pay who come within a slice; adds them to the load.
 * @param {World} world
 * @param {ReturnType<typeof legsOf>} legs
 * @param {number} slice
 * @param {readonly number[] | undefined} chosen
 * @param {readonly Float64Array[]} load
 */
function sendAll(world, legs, slice, chosen, load) {
  let paid = 0;
  world.arrivals[slice].forEach((viewers, city) => {
    if (viewers === 0) return;
    const first = legs(slice);
    const edge = chosen?.[city] ?? cheapest(world, legs, slice, city).edge;
    paid += viewers * costOf(world, legs, slice, city, edge);
    first.sent[edge] += viewers;
    const next = first.end[edge];
    if (next < first.until) legs(next).sent[cheapest(world, legs, next, city).edge] += viewers;
  });
  for (const { from, sent, end } of legs.all())
    sent.forEach((viewers, edge) => {
      if (viewers > 0)
        for (let at = from; at < end[edge]; at++) load[at][edge] += viewers * world.left[at - slice];
    });
  return paid;
}

/**
 * Stretches of the stays of those who come within a slice: from their arrival, or from a loss, on.
 * @param {World} world
 * @param {readonly Float64Array[]} prices
 * @param {number} slice
 */
function legsOf({ room, left, isMeasured }, prices, slice) {
  const until = Math.min(room.length, slice + left.length);
  const edges = room[0].length;
  /** @type {Map<number, Leg>} */
  const known = new Map();
  /** @param {number} from @returns {Leg} */
  const begun = (from) => {
    const leg = {
      from,
      until,
      // Where it is down next; at once: nobody can go there.
      end: Int32Array.from({ length: edges }, (_, edge) => {
        let at = from;
        while (at < until && room[at][edge] > 0) at++;
        return at;
      }),
      priceKm: new Float64Array(edges),
      weight: new Float64Array(edges),
      sent: new Float64Array(edges),
    };
    leg.end.forEach((end, edge) => {
      let all = 0;
      for (let at = from; at < end; at++) {
        const share = left[at - slice];
        all += share;
        leg.priceKm[edge] += share * prices[at][edge];
        if (isMeasured(at)) leg.weight[edge] += share;
      }
      leg.weight[edge] = Math.max(leg.weight[edge], UNMEASURED * all);
    });
    known.set(from, leg);
    return leg;
  };
  /** @param {number} from */
  const legs = (from) => known.get(from) ?? begun(from);
  legs.all = () => [...known.values()];
  return legs;
}

/**
 * @typedef {object} Leg
 * @property {number} from
 * @property {number} until the stay is over, or the scenario
 * @property {Int32Array} end
 * @property {Float64Array} priceKm by edge, summed over the leg, of a viewer who has come with certainty
 * @property {Float64Array} weight of a kilometre, in the same way
 * @property {Float64Array} sent viewers, before any has left
 */

/**
 * @param {World} world
 * @param {ReturnType<typeof legsOf>} legs
 * @param {number} from
 * @param {number} city
 */
function cheapest(world, legs, from, city) {
  const { end } = legs(from);
  let best = { edge: 0, cost: Number.POSITIVE_INFINITY };
  for (let edge = 0; edge < end.length; edge++) {
    if (end[edge] === from) continue;
    const cost = costOf(world, legs, from, city, edge);
    if (cost < best.cost) best = { edge, cost };
  }
  return best;
}

/**
 * @param {World} world
 * @param {ReturnType<typeof legsOf>} legs
 * @param {number} from
 * @param {number} city
 * @param {number} edge
 * @returns {number} until the end of the stay
 */
function costOf(world, legs, from, city, edge) {
  const { end, until, priceKm, weight } = legs(from);
  const here = weight[edge] * world.kmByCity[city][edge] + priceKm[edge];
  return end[edge] < until ? here + cheapest(world, legs, end[edge], city).cost : here;
}
