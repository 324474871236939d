import { nearestSite } from "../lib/sites.mjs";
import { questions } from "./questions.mjs";

const SAMPLE = 500;

/**
 * Whether the answers are right: two addresses of a site, of the nearest one where the peer goes by coordinates, or
 * NXDOMAIN.
 * @param {import("./client.mjs").Client} client
 * @param {(subnet: readonly [number, number, number]) => { latitude?: number | undefined, longitude?: number | undefined }} locate
 * @param {readonly import("../lib/sites.mjs").Site[]} sites
 * @returns {Promise<{ wrong: number, nearestPercent: number }>} `nearestPercent` of the located subnets
 */
export async function truthOf(client, locate, sites) {
  const count = { wrong: 0, located: 0, nearest: 0 };
  for (const question of questions("mixture", SAMPLE, 7)) {
    const answer = await client.ask(question);
    if (!isPlausible(answer, question.exists, sites)) count.wrong++;
    if (!question.exists || question.subnet === undefined) continue;
    const nearest = nearestSite(locate(question.subnet), sites);
    if (nearest === undefined) continue;
    count.located++;
    if (isFrom(nearest, answer?.addresses ?? [])) count.nearest++;
  }
  return { wrong: count.wrong, nearestPercent: (100 * count.nearest) / count.located };
}

/**
 * @param {import("./client.mjs").Answer | undefined} answer
 * @param {boolean} exists
 * @param {readonly import("../lib/sites.mjs").Site[]} sites
 */
function isPlausible(answer, exists, sites) {
  if (answer === undefined) return false;
  if (!exists) return answer.rcode === 3 && answer.addresses.length === 0;
  return answer.rcode === 0 && sites.some((site) => isFrom(site, answer.addresses));
}

/** @param {import("../lib/sites.mjs").Site} site @param {readonly string[]} addresses */
function isFrom(site, addresses) {
  return addresses.length === 2 && site.addresses.every((address) => addresses.includes(address));
}
