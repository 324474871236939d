import { randomFrom, randomSubnet } from "../lib/random.mjs";
import { EXISTING_NAMES } from "./questions.mjs";

export const CACHED_SUBNETS = 1500;

/**
 * How many entries a caching resolver holds for one name after viewers of 1,500 random /24s have asked:
 * it asks again for whoever lies in none of the networks that it was told an answer for. An answer for
 * less than a /24 is held for the /24 that was asked about (RFC 7871 7.3.1).
 * @param {import("./client.mjs").Client} client
 * @returns {Promise<number>}
 */
export async function cacheEntries(client) {
  const [name = ""] = EXISTING_NAMES;
  const random = randomFrom(11);
  /** @type {Set<string>} */
  const held = new Set();
  for (let i = 0; i < CACHED_SUBNETS; i++) {
    const subnet = randomSubnet(random);
    if (isHeld(held, subnet)) continue;
    const answer = await client.ask({ name, subnet });
    held.add(key(subnet, Math.min(24, answer?.scope ?? 0)));
  }
  return held.size;
}

/** @param {ReadonlySet<string>} held @param {readonly [number, number, number]} subnet */
function isHeld(held, subnet) {
  for (let length = 0; length <= 24; length++) if (held.has(key(subnet, length))) return true;
  return false;
}

/** @param {readonly [number, number, number]} subnet @param {number} length 0 to 24 */
function key([a, b, c], length) {
  const bits = (a << 16) | (b << 8) | c;
  return `${bits >> (24 - length)}/${length}`;
}
