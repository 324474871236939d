import type { Continent, Location } from "../model/location.ts";
import { COUNTRIES } from "./countries.ts";

/** The one location of everyone who cannot be located. */
export const UNKNOWN: Location = Object.freeze({ layer: "none" });

/**
 * Reads a decoded record of a city or country database, whatever its dialect: MaxMind's nested maps
 * (GeoIP2, GeoLite2, DB-IP's own files) or flat ones (`country_code`, `latitude`, `longitude`, `city`).
 * A record without coordinates gets its country's centre. `UNKNOWN` where not even a continent is told.
 */
export function locationOf(record: unknown): Location {
  const country = countryCode(record);
  const continent = continentCode(record) ?? continentOf(country);
  const region = {
    ...(country !== undefined && { country }),
    ...(continent !== undefined && { continent }),
  };
  const point = coordinates(record);
  if (point !== undefined) return { layer: "city", ...point, ...region, ...cityOf(record) };
  if (country === undefined && continent === undefined) return UNKNOWN;
  return { layer: "country", ...centreOf(country), ...region };
}

/** The number in a record of an ASN database; 1..4,294,967,295. */
export function asnOf(record: unknown): number | undefined {
  const asn = numberAt(record, "autonomous_system_number") ?? numberAt(record, "asn");
  return asn !== undefined && Number.isInteger(asn) && asn > 0 && asn <= 0xffffffff ? asn : undefined;
}

export function continentOf(country: string | undefined): Continent | undefined {
  return country === undefined ? undefined : rowOf(country)?.[0];
}

function coordinates(record: unknown): { latitude: number; longitude: number } | undefined {
  const holder = at(record, "location") ?? record;
  const latitude = numberAt(holder, "latitude");
  const longitude = numberAt(holder, "longitude");
  if (latitude === undefined || longitude === undefined) return undefined;
  // Files say 0, 0 where they do not know: nobody watches from the Gulf of Guinea.
  if (latitude === 0 && longitude === 0) return undefined;
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return undefined;
  return { latitude: tenMetres(latitude), longitude: tenMetres(longitude) };
}

/** Files with 32-bit floats carry digits that mean nothing. */
function tenMetres(degrees: number): number {
  return Math.round(degrees * 1e4) / 1e4;
}

function cityOf(record: unknown): { city?: string; accuracyRadiusKm?: number } {
  const city = textAt(record, "city") ?? textAt(at(at(record, "city"), "names"), "en");
  const radius = numberAt(at(record, "location"), "accuracy_radius");
  return {
    ...(city !== undefined && { city }),
    ...(radius !== undefined && radius > 0 && { accuracyRadiusKm: radius }),
  };
}

function centreOf(
  country: string | undefined,
): { latitude: number; longitude: number; accuracyRadiusKm: number } | undefined {
  const row = country === undefined ? undefined : rowOf(country);
  if (row === undefined || row.length === 1) return undefined;
  const [, latitude, longitude, accuracyRadiusKm] = row;
  return { latitude, longitude, accuracyRadiusKm };
}

/** Codes outside ISO 3166-1, as EU, AP or ZZ in some files, are no country. */
function countryCode(record: unknown): string | undefined {
  const code =
    textAt(at(record, "country"), "iso_code") ??
    textAt(record, "country_code") ??
    textAt(record, "country") ??
    textAt(at(record, "registered_country"), "iso_code");
  const upper = code?.toUpperCase();
  return upper !== undefined && rowOf(upper) !== undefined ? upper : undefined;
}

const CONTINENT_CODES: readonly Continent[] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];

function continentCode(record: unknown): Continent | undefined {
  const code = textAt(at(record, "continent"), "code") ?? textAt(record, "continent_code");
  return CONTINENT_CODES.find((known) => known === code);
}

function rowOf(country: string): (typeof COUNTRIES)[string] | undefined {
  return Object.hasOwn(COUNTRIES, country) ? COUNTRIES[country] : undefined;
}

function at(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

function textAt(value: unknown, key: string): string | undefined {
  const text = at(value, key);
  return typeof text === "string" && text !== "" ? text : undefined;
}

function numberAt(value: unknown, key: string): number | undefined {
  const number = at(value, key);
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}
