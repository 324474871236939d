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
  const cache = createCache();
  for (const subnet of subnets()) {
    if (cache.holds(subnet)) continue;
    cache.add(subnet, (await client.ask({ name, subnet }))?.scope ?? 0);
    // Viewers do not come all at once, and a server may take its time to look further.
    await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
  }
  return cache.entries();
}

const ASK_EVERY_MS = 10;

/** The same, by whoever tells scopes at once. @param {(subnet: readonly [number, number, number]) => number} scopeOf */
export function entriesFor(scopeOf) {
  const cache = createCache();
  for (const subnet of subnets()) if (!cache.holds(subnet)) cache.add(subnet, scopeOf(subnet));
  return cache.entries();
}

function subnets() {
  const random = randomFrom(11);
  return Array.from({ length: CACHED_SUBNETS }, () => randomSubnet(random));
}

function createCache() {
  /** @type {Set<string>} */
  const held = new Set();
  return {
    /** @param {readonly [number, number, number]} subnet */
    holds: (subnet) => isHeld(held, subnet),
    /** @param {readonly [number, number, number]} subnet @param {number} scope */
    add: (subnet, scope) => held.add(key(subnet, Math.min(24, scope))),
    entries: () => held.size,
  };
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
