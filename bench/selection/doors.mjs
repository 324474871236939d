import { CITIES } from "./cities.mjs";

/** @typedef {import("./types.ts").Question} Question */

/**
 * How viewers reach the rule: each HTTP viewer asks it himself; DNS viewers ask their resolver, whose cache asks
 * once per TTL, for a /24 where it sends the client subnet, for all of its viewers otherwise.
 * @param {import("./types.ts").Scenario} scenario
 * @param {import("./demand.mjs").Demand} demand
 * @param {import("./types.ts").Rule} rule
 */
export function createDoors({ dns, streams }, demand, rule) {
  const names = Array.from({ length: streams.count }, (_, stream) => `s${stream + 1}`);
  const paths = names.map((name) => `/${name}/index.m3u8`);
  /** @type {Map<number, {edge: number, untilMs: number}>} */
  const cache = new Map();
  let [answers, answered] = [0, 0];

  /** @param {number} viewer @returns {Question} */
  const httpQuestion = (viewer) => {
    const network = demand.network[viewer];
    const stream = demand.stream[viewer];
    return {
      ...questionOf("http", demand.networks[network].city, networkClient(network, 1 + (viewer % 254))),
      stream: names[stream],
      path: paths[stream],
    };
  };

  /** @param {number} viewer @param {number} nowMs */
  const byDns = (viewer, nowMs) => {
    const network = demand.network[viewer];
    const { city, resolverCity, sendsSubnet } = demand.networks[network];
    const key = sendsSubnet ? network : -1 - resolverCity;
    const cached = cache.get(key);
    answered++;
    if (cached !== undefined && cached.untilMs > nowMs) return cached.edge;
    const question = sendsSubnet
      ? questionOf("dns", city, networkClient(network))
      : questionOf("dns", resolverCity, resolverClient(resolverCity));
    const edge = rule.choose(question, nowMs);
    answers++;
    cache.set(key, { edge, untilMs: nowMs + (rule.ttlMs?.() ?? dns.ttlMs) });
    return edge;
  };

  return {
    /** @param {number} viewer @param {number} nowMs @returns {number} the edge's index, or -1 */
    edgeFor: (viewer, nowMs) =>
      demand.byDns[viewer] === 1 ? byDns(viewer, nowMs) : rule.choose(httpQuestion(viewer), nowMs),
    /** @param {number} viewer @returns {Question} */
    steeringQuestion: (viewer) => ({ ...httpQuestion(viewer), door: "steering" }),
    /** Over the whole run; null without DNS. */
    viewersPerAnswer: () => (answers > 0 ? answered / answers : null),
  };
}

/**
 * @param {"dns" | "http"} door
 * @param {number} city
 * @param {import("../../src/model/client.ts").Client} client
 * @returns {Question}
 */
function questionOf(door, city, client) {
  const { location } = CITIES[city];
  return { door, client, location, located: { location, prefixLength: Math.min(24, client.prefixLength) } };
}

/**
 * Networks are numbered from 16.0.0.0/24 on, resolvers in 10.0.0.0/8.
 * @param {number} network
 * @param {number} [host] left out: the whole network, as a client subnet
 * @returns {import("../../src/model/client.ts").Client}
 */
function networkClient(network, host) {
  return {
    address: {
      family: 4,
      bytes: Uint8Array.of(16 + (network >> 16), (network >> 8) & 255, network & 255, host ?? 0),
    },
    prefixLength: host === undefined ? 24 : 32,
    from: host === undefined ? "client-subnet" : "source",
  };
}

/** @param {number} city @returns {import("../../src/model/client.ts").Client} */
function resolverClient(city) {
  return {
    address: { family: 4, bytes: Uint8Array.of(10, city >> 8, city & 255, 53) },
    prefixLength: 32,
    from: "source",
  };
}
