/** Mirrors within this many times the nearest one's distance share the draw (`WeightDistributionRange`). */
const RANGE = 1.5;

/**
 * mirrorbits: each mirror that is up has a score from its distance, higher within 1.5 times the nearest's distance
 * and in the viewer's country; those that score above the common base are drawn in proportion, the best serves if
 * there is none. Load is not looked at. Kilometres as whole numbers, as there; no mirror has a score of its own.
 * @returns {import("../types.ts").Rule}
 */
export function create() {
  /** @type {import("../types.ts").Setting} */
  let setting;
  /** @type {Uint8Array} */
  let up;
  return {
    name: "mirrorbits",
    start(given) {
      setting = given;
      up = new Uint8Array(given.edges.length).fill(1);
    },
    health(edge, isUp) {
      up[edge] = isUp ? 1 : 0;
    },
    report() {},
    tick() {},
    choose({ location }) {
      const candidates = setting.edges.filter((edge) => up[edge.index] === 1);
      const scored = scoresOf(candidates, setting.distancesKm(location), location.country);
      return drawn(scored, setting.random);
    },
  };
}

/**
 * Score of each candidate above the base, which is the furthest one's distance.
 * @param {readonly import("../types.ts").SimulatedEdge[]} candidates
 * @param {Float64Array} distancesKm
 * @param {string | undefined} country
 */
function scoresOf(candidates, distancesKm, country) {
  const distances = candidates.map((edge) => distancesKm[edge.index]);
  const base = Math.trunc(Math.max(...distances));
  const nearestKm = Math.max(Math.min(...distances), Number.MIN_VALUE);
  return candidates.map((edge, i) => {
    const km = distances[i];
    const inCountry = edge.country === country;
    let score = base - Math.trunc(km) + 1;
    if (km <= nearestKm * RANGE) score += Math.trunc((base - km) / (inCountry ? 1 : 2));
    else if (inCountry) score += Math.trunc(base - km * 5);
    return { edge: edge.index, score, aboveBase: Math.max(1, score) - base };
  });
}

/**
 * @param {readonly {edge: number, score: number, aboveBase: number}[]} scored
 * @param {() => number} random
 */
function drawn(scored, random) {
  const inDraw = scored.filter(({ aboveBase }) => aboveBase > 0);
  let lot = random() * inDraw.reduce((sum, { aboveBase }) => sum + aboveBase, 0);
  for (const { edge, aboveBase } of inDraw) {
    lot -= aboveBase;
    if (lot < 0) return edge;
  }
  return (
    scored.reduce((best, one) => (best === undefined || one.score > best.score ? one : best), scored[0])
      ?.edge ?? -1
  );
}
