import { PLACES } from "./places.mjs";

/**
 * Where the edges of the comparisons stand, and what DNS answers for each: eight cities, two addresses.
 * @typedef {object} Site
 * @property {string} id
 * @property {number} latitude
 * @property {number} longitude
 * @property {readonly [string, string]} addresses
 * @property {string} url
 */

/** The eight, unless a bench says otherwise. @type {readonly Site[]} */
export const SITES = [
  site("ams", PLACES.ams, 1),
  site("nyc", PLACES.nyc, 2),
  site("lax", PLACES.lax, 3),
  site("gru", PLACES.sao, 4),
  site("jnb", PLACES.jnb, 5),
  site("sin", PLACES.sin, 6),
  site("nrt", PLACES.tyo, 7),
  site("syd", PLACES.syd, 8),
];

/**
 * @param {string} id
 * @param {{ latitude: number, longitude: number }} place
 * @param {number} index
 * @param {number} [step] between addresses
 * @returns {Site}
 */
function site(id, { latitude, longitude }, index, step = 10) {
  const addresses = /** @type {const} */ ([`192.0.2.${index * step}`, `192.0.2.${index * step + 1}`]);
  return { id, latitude, longitude, addresses, url: `http://${id}.edge.example.net` };
}

/**
 * By great circle; the first of equals.
 * @param {{ latitude?: number | undefined, longitude?: number | undefined }} place
 * @param {readonly Site[]} [sites]
 * @returns {Site | undefined} none without a place
 */
export function nearestSite({ latitude, longitude }, sites = SITES) {
  if (latitude === undefined || longitude === undefined) return undefined;
  const here = { latitude, longitude };
  return sites.reduce((best, site) => (angle(here, site) < angle(here, best) ? site : best));
}

/**
 * The same world for each bench: in the largest cities, none nearer to another than 400 km.
 * @param {readonly { latitude: number, longitude: number }[]} cities largest first
 * @param {number} count
 * @returns {readonly Site[]}
 */
export function sitesIn(cities, count) {
  /** @type {{ latitude: number, longitude: number }[]} */
  const chosen = [];
  for (const city of cities)
    if (chosen.length < count && chosen.every((other) => angle(city, other) > APART)) chosen.push(city);
  return chosen.map((city, i) => site(`c${i + 1}`, city, i + 1, 2));
}

/** In radians: 400 km. */
const APART = 400 / 6371;

/**
 * Haversine, in radians.
 * @param {{ latitude: number, longitude: number }} a
 * @param {{ latitude: number, longitude: number }} b
 */
function angle(a, b) {
  const [phiA, phiB] = [radians(a.latitude), radians(b.latitude)];
  const north = Math.sin((phiA - phiB) / 2);
  const east = Math.sin(radians(a.longitude - b.longitude) / 2);
  return 2 * Math.asin(Math.sqrt(north * north + Math.cos(phiA) * Math.cos(phiB) * east * east));
}

/** @param {number} degrees */
function radians(degrees) {
  return (degrees * Math.PI) / 180;
}
