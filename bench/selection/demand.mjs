import { CITIES, resolverCities } from "./cities.mjs";
import { drawOf, lottery, poisson, randomOf } from "./random.mjs";

/**
 * Everyone who comes, in order of arrival: the same for every rule. Times are milliseconds from the start of the
 * warm-up, which is as long as the longest stay, so that the measured interval begins in the steady state of the
 * timelines' first values.
 * @typedef {object} Demand
 * @property {number} warmUpMs
 * @property {number} endMs
 * @property {number} count
 * @property {Float64Array} arrivesMs
 * @property {Float64Array} leavesMs
 * @property {Uint16Array} city index into CITIES
 * @property {Uint32Array} network
 * @property {Uint16Array} stream
 * @property {Uint8Array} byDns 1 where the viewer comes by a DNS answer
 * @property {Uint32Array} byLeaving viewers in order of departure
 * @property {Network[]} networks
 */

/**
 * A /24 of viewers in one city, behind the resolver of its provider.
 * @typedef {object} Network
 * @property {number} city
 * @property {boolean} sendsSubnet whether the resolver sends the client subnet
 * @property {number} resolverCity
 */

/**
 * @param {import("./types.ts").Scenario} scenario
 * @param {number} seed
 * @returns {Demand}
 */
export function demandOf(scenario, seed) {
  const { stays, demand, dns, streams } = scenario;
  const warmUpMs = stays.longestMs;
  const endMs = warmUpMs + scenario.durationMs;
  const perSecond = demand.viewers / ((stays.shortestMs + stays.longestMs) / 2000);

  const random = randomOf(seed, "arrivals");
  const { networks, inCity } = networksOf(scenario, seed);
  const groups = groupsOf(demand.regions);
  const streamLottery = lottery(
    Array.from({ length: streams.count }, (_, i) => (i + 1) ** -streams.exponent),
  );

  const arrivals = [];
  for (let secondMs = 0; secondMs < endMs; secondMs += 1000) {
    const begin = arrivals.length;
    const hotShare = valueAt(streams.hot, secondMs - warmUpMs);
    for (const group of groups) {
      const multiplier = group.timelines.reduce(
        (product, line) => product * valueAt(line, secondMs - warmUpMs),
        1,
      );
      for (let n = poisson(random, perSecond * group.share * multiplier); n > 0; n--) {
        const arrivesMs = secondMs + random() * 1000;
        const city = group.cities[group.draw(random)];
        arrivals.push({
          arrivesMs,
          leavesMs: arrivesMs + stays.shortestMs + random() * (stays.longestMs - stays.shortestMs),
          network: inCity[city].first + inCity[city].draw(random),
          stream: random() < hotShare ? 0 : streamLottery(random),
          byDns: random() < dns.share ? 1 : 0,
        });
      }
    }
    const inSecond = arrivals.splice(begin).sort((a, b) => a.arrivesMs - b.arrivesMs);
    for (const arrival of inSecond) arrivals.push(arrival);
  }

  const leavesMs = Float64Array.from(arrivals, (a) => a.leavesMs);
  return {
    warmUpMs,
    endMs,
    count: arrivals.length,
    arrivesMs: Float64Array.from(arrivals, (a) => a.arrivesMs),
    leavesMs,
    city: Uint16Array.from(arrivals, (a) => networks[a.network].city),
    network: Uint32Array.from(arrivals, (a) => a.network),
    stream: Uint16Array.from(arrivals, (a) => a.stream),
    byDns: Uint8Array.from(arrivals, (a) => a.byDns),
    byLeaving: Uint32Array.from(arrivals.keys()).sort((a, b) => leavesMs[a] - leavesMs[b]),
    networks,
  };
}

/**
 * @param {import("./types.ts").Timeline} timeline
 * @param {number} atMs
 */
function valueAt(timeline, atMs) {
  const next = timeline.findIndex(([pointMs]) => pointMs > atMs);
  if (next < 0) return timeline[timeline.length - 1][1];
  if (next === 0) return timeline[0][1];
  const [[fromMs, from], [toMs, to]] = [timeline[next - 1], timeline[next]];
  return from + ((to - from) * (atMs - fromMs)) / (toMs - fromMs);
}

/** Cities to which the same timelines apply. @param {readonly import("./types.ts").Region[]} regions */
function groupsOf(regions) {
  /** @type {Map<string, number[]>} which regions select them → cities */
  const byRegions = new Map();
  CITIES.forEach(({ location }, city) => {
    const key = regions.map((region) => (selects(region, location) ? "1" : "0")).join("");
    const alike = byRegions.get(key);
    if (alike) alike.push(city);
    else byRegions.set(key, [city]);
  });
  return [...byRegions].map(([key, cities]) => ({
    cities,
    share: cities.reduce((sum, city) => sum + CITIES[city].share, 0),
    draw: lottery(cities.map((city) => CITIES[city].share)),
    timelines: regions.filter((_, i) => key[i] === "1").map((region) => region.timeline),
  }));
}

/** @param {import("./types.ts").Region} region @param {import("../../src/model/location.ts").Location} location */
function selects({ continents, countries }, location) {
  const everywhere = continents.length === 0 && countries.length === 0;
  return (
    everywhere || continents.includes(location.continent ?? "") || countries.includes(location.country ?? "")
  );
}

/**
 * Networks by city in proportion to its people, at least one; a city's networks differ in size as 1, 1/2, 1/3 …
 * @param {import("./types.ts").Scenario} scenario
 * @param {number} seed
 */
function networksOf({ networks: wanted, dns }, seed) {
  const resolvers = resolverCities(dns.resolverRadiusKm);
  /** @type {Network[]} */
  const networks = [];
  const inCity = CITIES.map(({ share }, city) => {
    const first = networks.length;
    const count = Math.max(1, Math.round(share * wanted));
    for (let i = 0; i < count; i++)
      networks.push({
        city,
        sendsSubnet: drawOf(seed, networks.length) < dns.clientSubnet,
        resolverCity: resolvers[city],
      });
    return { first, draw: lottery(Array.from({ length: count }, (_, i) => 1 / (i + 1))) };
  });
  return { networks, inCity };
}
