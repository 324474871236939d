import { formatPrefix, maskBytes, widthOf } from "../base/address.ts";
import type { Client } from "../model/client.ts";
import type { Place } from "../model/inventory.ts";
import type { Located, Location, LocationLayer, Widen } from "../model/location.ts";
import { createFieldReader } from "./fields.ts";
import { BROKEN, EMPTY, type Leaf, type Mmdb, offsetOf, rootOf, walk } from "./mmdb.ts";
import { type PlaceTable, placeTable } from "./places.ts";
import { asnOf, locationOf, UNKNOWN } from "./record.ts";
import type { Regions } from "./regions.ts";
import type { DatabaseKind, DatabaseRole } from "./validate.ts";
import { VerdictMemo, widen } from "./widen.ts";

/** A database that was found sound. Plain data over shared memory. */
export interface Database {
  /** Differs with every reading of a file, so that another thread can tell an old one from a new one. */
  readonly id: number;
  readonly path: string;
  readonly role: DatabaseRole;
  readonly kind: DatabaseKind;
  readonly db: Mmdb;
  /** Absent until it has been surveyed. */
  readonly regions?: Regions;
}

/** All that a look-up depends on. Posting it to a thread copies no database, only the places. */
export interface GeoSnapshot {
  /** In the order in which they are asked. */
  readonly city: readonly Database[];
  readonly asn: readonly Database[];
  readonly places: readonly Place[];
}

/** Where an answer came from, for an operator who asks. */
export interface GeoExplanation {
  readonly location: Location;
  readonly asn?: number;
  /** The widest network that the answer holds for, as `ADDRESS/LENGTH`. */
  readonly prefix: string;
  /** The operator's network that matched. */
  readonly place?: string;
  /** The file that told the location, and the network of its record. */
  readonly database?: { readonly path: string; readonly prefix: string };
  /** The file that told the autonomous system, and the network of its record. */
  readonly asnDatabase?: { readonly path: string; readonly prefix: string };
}

export const LAYERS: readonly LocationLayer[] = ["places", "city", "country", "none"];

/** Look-ups by layer, in the order of `LAYERS`, and after them the look-ups that failed. */
export type LookupCounts = Float64Array;
export const FAILED_LOOKUPS = LAYERS.length;

export function newLookupCounts(): LookupCounts {
  return new Float64Array(new SharedArrayBuffer((LAYERS.length + 1) * Float64Array.BYTES_PER_ELEMENT));
}

/** Locates clients by a snapshot; each serving thread has one of its own. */
export class Locator {
  readonly #counts: LookupCounts;
  readonly #leaf: Leaf = { offset: EMPTY, depth: 0 };
  #city: readonly Records<Location>[] = [];
  #asn: readonly Records<number>[] = [];
  #places: PlaceTable = placeTable([]);
  #configuredPlaces: readonly Place[] | undefined;

  constructor(snapshot: GeoSnapshot, counts: LookupCounts = newLookupCounts()) {
    this.#counts = counts;
    this.replace(snapshot);
  }

  /** From the next look-up on. What was decoded of a database that stays is kept. */
  replace(snapshot: GeoSnapshot): void {
    this.#city = snapshot.city.map((database) => kept(this.#city, database, locationOf, UNKNOWN));
    this.#asn = snapshot.asn.map((database) => kept(this.#asn, database, asnNumber, NO_ASN));
    if (snapshot.places !== this.#configuredPlaces) this.#places = placeTable(snapshot.places);
    this.#configuredPlaces = snapshot.places;
  }

  /** Synchronous and never throws; allocates the small result and nothing else, once a record is known. */
  readonly locate = (client: Client): Located => {
    try {
      const located = this.#resolve(client);
      this.#count(LAYERS.indexOf(located.location.layer));
      return located;
    } catch {
      this.#count(FAILED_LOOKUPS);
      return { location: UNKNOWN, prefixLength: widthOf(client.address.family) };
    }
  };

  /** Only the first database with a tree for the client's family is asked: its regions know every place in them. */
  readonly widen: Widen = (client, verdicts, steps) => {
    const { family } = client.address;
    const { place, depth: floor } = this.#places.find(client.address, client.prefixLength);
    const records = this.#city.find(({ database }) => database.db.starts[family] !== undefined);
    const regions = records?.database.regions;
    if (place !== undefined || records === undefined || regions === undefined) return undefined;
    const { db } = records.database;
    const leaf = this.#leaf;
    walk(db, client.address, leaf);
    if (leaf.depth <= floor) return undefined;
    const locationAt = (record: number): Location | undefined => this.#exactly(records, offsetOf(db, record));
    const ground = { db, regions, root: rootOf(db, family), memo: records.memo, locationAt };
    return widen(ground, client, leaf.depth, floor, verdicts, steps);
  };

  /** Where a record tells the place, and not only the country or how far off it may be. */
  #exactly(records: Records<Location>, offset: number): Location | undefined {
    if (offset === EMPTY || offset === BROKEN) return undefined;
    // Looked at once for many viewers to come: not worth the memory.
    const location = records.byOffset.get(offset) ?? records.parse(records.read(offset));
    return location.layer === "city" && location.accuracyRadiusKm === undefined ? location : undefined;
  }

  /** The same look-up, told with its sources and not counted. */
  explain(client: Client): GeoExplanation {
    const sources: Sources = {};
    const { location, asn, prefixLength } = this.#resolve(client, sources);
    return {
      location,
      ...(asn !== undefined && { asn }),
      prefix: networkOf(client, prefixLength),
      ...(sources.place !== undefined && { place: formatPrefix(sources.place.prefix) }),
      ...(sources.location !== undefined && { database: namedRecord(client, sources.location) }),
      ...(sources.asn !== undefined && { asnDatabase: namedRecord(client, sources.asn) }),
    };
  }

  #resolve(client: Client, sources?: Sources): Located {
    const { place, location, depth } = this.#places.find(client.address, client.prefixLength);
    if (sources !== undefined && place !== undefined) sources.place = place;
    const located =
      location === undefined ? this.#ask(client, depth, sources) : { location, prefixLength: depth };
    return this.#asn.length === 0 ? located : this.#withAsn(client, located, sources);
  }

  /** The first database that knows coordinates wins; one that knows the country stands in. */
  #ask(client: Client, placeDepth: number, sources: Sources | undefined): Located {
    const leaf = this.#leaf;
    let best = UNKNOWN;
    let prefixLength = placeDepth;
    for (const records of this.#city) {
      walk(records.database.db, client.address, leaf);
      if (leaf.depth > prefixLength) prefixLength = leaf.depth;
      const location = this.#read(records, leaf.offset);
      if (!isBetter(location, best)) continue;
      best = location;
      if (sources !== undefined) sources.location = { database: records.database, depth: leaf.depth };
      if (best.layer === "city") break;
    }
    return { location: best, prefixLength };
  }

  #withAsn(client: Client, located: Located, sources: Sources | undefined): Located {
    const leaf = this.#leaf;
    let { prefixLength } = located;
    for (const records of this.#asn) {
      walk(records.database.db, client.address, leaf);
      if (leaf.depth > prefixLength) prefixLength = leaf.depth;
      const asn = this.#read(records, leaf.offset);
      if (asn === NO_ASN) continue;
      if (sources !== undefined) sources.asn = { database: records.database, depth: leaf.depth };
      return { location: located.location, prefixLength, asn };
    }
    return { location: located.location, prefixLength };
  }

  #read<T>(records: Records<T>, offset: number): T {
    if (offset === EMPTY) return records.unknown;
    const known = records.byOffset.get(offset);
    return known === undefined ? this.#decode(records, offset) : known;
  }

  /** What cannot be decoded is unknown, and counted when it is first met. */
  #decode<T>(records: Records<T>, offset: number): T {
    let value = records.unknown;
    try {
      if (offset === BROKEN) throw new Error("the tree leads nowhere");
      value = records.parse(records.read(offset));
    } catch {
      this.#count(FAILED_LOOKUPS);
    }
    if (records.byOffset.size >= MOST_RECORDS) records.byOffset.clear();
    if (offset !== BROKEN) records.byOffset.set(offset, value);
    return value;
  }

  #count(index: number): void {
    this.#counts[index] = (this.#counts[index] as number) + 1;
  }
}

/** 20 MB of places, as of viewers from all over the world. */
const MOST_RECORDS = 1 << 16;

/** The records of a database, decoded when met, `MOST_RECORDS` of them at most. */
interface Records<T> {
  readonly database: Database;
  readonly byOffset: Map<number, T>;
  readonly read: (offset: number) => unknown;
  readonly parse: (record: unknown) => T;
  readonly unknown: T;
  readonly memo: VerdictMemo;
}

interface Sources {
  place?: Place;
  location?: RecordSource;
  asn?: RecordSource;
}

interface RecordSource {
  readonly database: Database;
  readonly depth: number;
}

/** AS 0 names nobody (RFC 7607). */
const NO_ASN = 0;

function asnNumber(record: unknown): number {
  return asnOf(record) ?? NO_ASN;
}

function kept<T>(
  before: readonly Records<T>[],
  database: Database,
  parse: (record: unknown) => T,
  unknown: T,
): Records<T> {
  const same = before.find((records) => records.database.id === database.id);
  if (same !== undefined) return { ...same, database };
  const read = createFieldReader(database.db);
  return { database, byOffset: new Map(), read, parse, unknown, memo: new VerdictMemo() };
}

function isBetter(location: Location, best: Location): boolean {
  switch (location.layer) {
    case "places":
    case "city":
      return best.layer !== location.layer;
    case "country":
      return best.layer === "none" || (best.latitude === undefined && location.latitude !== undefined);
    case "none":
      return false;
  }
}

function networkOf(client: Client, length: number): string {
  const { family, bytes } = client.address;
  return formatPrefix({ family, bytes: maskBytes(bytes, length), length });
}

function namedRecord(client: Client, source: RecordSource): { path: string; prefix: string } {
  return { path: source.database.path, prefix: networkOf(client, source.depth) };
}
