/**
 * Viewers all over the world who watch where the answers of a bench send them. Each network of the mixture has a
 * number of viewers of its own, 20 on average; each stays for half an hour, and they are more in the evening than in
 * the morning, in a day that passes within an hour: what takes hours elsewhere takes minutes here. A network's
 * resolver caches, and asks once in a time to live: players ask again while they play. Whoever comes goes where the
 * last answer says, and stays there. Edges report who is there every five seconds.
 *
 * All this goes on whoever is measured meanwhile, and the generator brings nobody: it asks a hundred times as much
 * for the same networks, as if their resolvers did not cache. Viewers as few as these cause some 3,700 queries per
 * second.
 */
import { randomFrom } from "../lib/random.mjs";
import { QUESTION_COUNT, questions } from "./questions.mjs";
import { startResolvers } from "./resolvers.mjs";

const STAY_SECONDS = 1800;
const VIEWERS_PER_NETWORK = 20;
/** The time to live of the bench's answers. */
const TTL_SECONDS = 20;
const DAY_SECONDS = 3600;
/** How much more than on average are there at the hour when most are, and less when fewest are. */
const SWING = 0.6;
const BUSIEST_HOUR = 20;
/** At longitude 0, at the start. */
const FIRST_HOUR = 16;
const TICK_MS = 1000;
/** Each edge reports in one of so many ticks. */
const TICKS_PER_REPORT = 5;
/**
 * What edges are built for, the largest first, in turns, as multiples of what would come to them at their busiest
 * hour if each network were sent to the nearest: a third of them for too little.
 */
const SIZES = [1.4, 1, 0.6];
/** No edge is built for less than this part of all viewers. */
const SMALLEST_SHARE = 0.002;
/** Nobody is fuller at the start. */
const FULL_SHARE = 0.98;
/** From here on who is sent to an edge makes it dearer at once. */
const FILLING_SHARE = 0.985;

/**
 * What was so in a second.
 * @typedef {object} Second
 * @property {number} priced edges with a price
 * @property {number} moved prices that were others a second before
 * @property {number} meanKm of the prices
 * @property {number} filling edges that are about to be full
 * @property {number} full edges with more viewers than they are built for
 */

/**
 * @typedef {object} Audience
 * @property {() => number} answered queries of its resolvers, so far
 * @property {() => readonly Second[]} seconds so far, from when all networks have been answered once
 * @property {() => Promise<void>} stop
 */

/**
 * @param {{ dns: number, ops: number }} ports
 * @param {readonly import("../lib/sites.mjs").Site[]} sites without prices yet
 * @returns {Audience}
 */
export function gather(ports, sites) {
  const random = randomFrom(20);
  const networks = networksOf(questions("mixture", QUESTION_COUNT));
  const viewersOf = networks.map(() => -Math.log(chance(random)) * VIEWERS_PER_NETWORK);
  const edgeOf = new Map(
    sites.flatMap(({ addresses }, i) => addresses.map((address) => [numberOf(address), i])),
  );
  /** Where each was sent before there were prices; -1: not yet. */
  const nearest = new Int16Array(networks.length).fill(-1);
  let unplaced = networks.length;
  let answered = 0;
  /** Who is under way to each edge, by the tick that they come in. */
  const underWay = Array.from({ length: TTL_SECONDS }, () => new Float64Array(sites.length));
  /** @type {{ viewers: Float64Array, capacity: readonly number[] } | undefined} */
  let there;
  /** @type {Map<string, number>} */
  let pricesBefore = new Map();
  /** @type {Second[]} */
  const seconds = [];
  /** Of this second; on a crowded machine more than one may have passed since the last step. */
  let tick = 0;
  const startMs = performance.now();

  /** As a multiple of the average. @param {number} edge */
  const busyness = (edge) => {
    const days = (performance.now() - startMs) / 1000 / DAY_SECONDS + (sites[edge]?.longitude ?? 0) / 360;
    return 1 + SWING * Math.cos(2 * Math.PI * (days + (FIRST_HOUR - BUSIEST_HOUR) / 24));
  };

  const resolvers = startResolvers(ports.dns, networks, TTL_SECONDS, (network, address) => {
    answered++;
    const edge = edgeOf.get(address);
    if (edge === undefined) throw new Error(`the address ${address} is no edge's`);
    if (nearest[network] === -1) {
      nearest[network] = edge;
      unplaced--;
    }
    const perTtl = ((viewersOf[network] ?? 0) * TTL_SECONDS) / STAY_SECONDS;
    for (let n = poisson(random, perTtl * busyness(nearest[network] ?? 0)); n > 0; n--)
      add(underWay[random() % TTL_SECONDS], edge, 1);
  });

  const begin = () => {
    const usual = new Float64Array(sites.length);
    nearest.forEach((edge, network) => add(usual, edge, viewersOf[network] ?? 0));
    const capacity = capacities(usual);
    there = {
      viewers: settled(
        usual.map((viewers, i) => viewers * busyness(i)),
        capacity,
      ),
      capacity,
    };
  };

  const live = (/** @type {Float64Array} */ viewers) => {
    const come = underWay[tick % TTL_SECONDS];
    for (let edge = 0; edge < viewers.length; edge++) {
      const before = viewers[edge] ?? 0;
      viewers[edge] = Math.max(0, before + (come?.[edge] ?? 0) - poisson(random, before / STAY_SECONDS));
    }
    come?.fill(0);
  };

  const look = async (/** @type {NonNullable<typeof there>} */ { viewers, capacity }) => {
    const priceKm = await pricesNow(ports.ops);
    const priced = [...priceKm.values()].filter((km) => km > 0);
    const share = (/** @type {number} */ i) => (viewers[i] ?? 0) / (capacity[i] ?? 1);
    seconds.push({
      priced: priced.length,
      moved: [...priceKm].filter(([edge, km]) => pricesBefore.get(edge) !== km).length,
      meanKm: priced.length === 0 ? 0 : sum(priced) / priced.length,
      filling: sites.filter((_, i) => share(i) > FILLING_SHARE).length,
      full: sites.filter((_, i) => share(i) > 1).length,
    });
    pricesBefore = priceKm;
  };

  const step = async () => {
    if (there === undefined && unplaced === 0) begin();
    for (const now = Math.floor((performance.now() - startMs) / TICK_MS); tick < now; tick++)
      if (there !== undefined) live(there.viewers);
    if (there === undefined) return;
    await report(ports.ops, sites, tick, there);
    await look(there);
  };

  let last = Promise.resolve();
  const timer = setInterval(() => {
    last = last.then(step);
  }, TICK_MS);
  return {
    answered: () => answered,
    seconds: () => seconds,
    stop() {
      resolvers.stop();
      clearInterval(timer);
      return last;
    },
  };
}

/** One question of each, for a name that exists. @param {readonly import("./questions.mjs").Question[]} asked */
function networksOf(asked) {
  const bySubnet = new Map(
    asked.filter(({ exists }) => exists).map((question) => [String(question.subnet), question]),
  );
  return [...bySubnet.values()];
}

/**
 * Those whose turn it is.
 * @param {number} opsPort
 * @param {readonly import("../lib/sites.mjs").Site[]} sites
 * @param {number} tick
 * @param {{ viewers: Float64Array, capacity: readonly number[] }} there
 */
async function report(opsPort, sites, tick, { viewers, capacity }) {
  await Promise.all(
    sites.map(async ({ id }, i) => {
      if ((i + tick) % TICKS_PER_REPORT !== 0) return;
      const body = JSON.stringify({ viewers: viewers[i], capacity: { viewers: capacity[i] } });
      const headers = { "content-type": "application/json" };
      const url = `http://127.0.0.1:${opsPort}/v1/edges/${id}/load`;
      const { status } = await fetch(url, { method: "PUT", body, headers });
      if (status >= 300) throw new Error(`the report of ${id} was refused: ${status}`);
    }),
  );
}

/** By edge. @param {number} opsPort */
async function pricesNow(opsPort) {
  const text = await (await fetch(`http://127.0.0.1:${opsPort}/metrics`)).text();
  const found = text.matchAll(/^edgeward_edge_price_km\{edge="([^"]*)"\} (\S+)$/gm);
  return new Map([...found].map(([, edge = "", km]) => [edge, Number(km)]));
}

/** Viewers, by edge. @param {Float64Array} usual how many there are on average, where each is sent to the nearest */
function capacities(usual) {
  const least = SMALLEST_SHARE * sum([...usual]);
  const largestFirst = [...usual.keys()].sort((a, b) => (usual[b] ?? 0) - (usual[a] ?? 0));
  return [...usual].map((viewers, edge) => {
    const size = SIZES[largestFirst.indexOf(edge) % SIZES.length] ?? 1;
    return Math.round(size * Math.max(least, viewers * (1 + SWING)));
  });
}

/**
 * As many as want to be there, up to what there is room for; the others are spread over the rest.
 * @param {Float64Array} wanted
 * @param {readonly number[]} capacity
 */
function settled(wanted, capacity) {
  const most = capacity.map((room) => FULL_SHARE * room);
  const over = [...wanted].map((viewers, i) => Math.max(0, viewers - (most[i] ?? 0)));
  const room = [...wanted].map((viewers, i) => Math.max(0, (most[i] ?? 0) - viewers));
  const spread = Math.min(1, sum(over) / sum(room));
  return wanted.map((viewers, i) => Math.round(viewers - (over[i] ?? 0) + (room[i] ?? 0) * spread));
}

const FEW = 30;

/** Knuth's way for few, a normal distribution for many. @param {() => number} random @param {number} mean */
function poisson(random, mean) {
  if (mean > FEW) {
    const normal = Math.sqrt(-2 * Math.log(chance(random))) * Math.cos(2 * Math.PI * chance(random));
    return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal));
  }
  const least = Math.exp(-mean);
  let count = 0;
  for (let product = chance(random); product > least; product *= chance(random)) count++;
  return count;
}

/** Above 0, and at most 1. @param {() => number} random */
function chance(random) {
  return (random() + 1) / 2 ** 32;
}

/** @param {Float64Array | undefined} values @param {number} at @param {number} more */
function add(values, at, more) {
  if (values !== undefined) values[at] = (values[at] ?? 0) + more;
}

/** @param {string} address IPv4 */
function numberOf(address) {
  return address.split(".").reduce((number, part) => number * 256 + Number(part), 0);
}

/** @param {readonly number[]} values */
function sum(values) {
  return values.reduce((total, value) => total + value, 0);
}
