import type { Client } from "../model/client.ts";
import type { Location, PlaceVerdicts, Widened } from "../model/location.ts";
import { type Mmdb, readRecord } from "./mmdb.ts";
import { BOUNDLESS, LATITUDE_STEP, LONGITUDE_STEP, regionOf, type Regions } from "./regions.ts";

/** The verdicts on regions that were asked for, of bounded number. */
export class VerdictMemo {
  readonly #keys = new Float64Array(2 * SLOTS);
  readonly #verdicts = new Int32Array(SLOTS);

  /** 0: not known. */
  find(epoch: number, region: number): number {
    const slot = slotOf(epoch, region);
    const isKnown = this.#keys[2 * slot] === epoch && this.#keys[2 * slot + 1] === region;
    return isKnown ? (this.#verdicts[slot] as number) : 0;
  }

  store(epoch: number, region: number, verdict: number): void {
    const slot = slotOf(epoch, region);
    this.#keys[2 * slot] = epoch;
    this.#keys[2 * slot + 1] = region;
    this.#verdicts[slot] = verdict;
  }
}

const SLOTS = 1 << 16;

function slotOf(epoch: number, region: number): number {
  const hash = Math.imul(region ^ Math.imul(epoch, 0x9e3779b1), 0x85ebca6b);
  return (hash ^ (hash >>> 15)) & (SLOTS - 1);
}

/** Not the same everywhere. */
const MIXED = -1;
/** There was no time to find out. */
const OPEN = 0;

export interface Ground {
  readonly db: Mmdb;
  readonly regions: Regions;
  /** Where the tree of the client's family begins. */
  readonly root: number;
  readonly memo: VerdictMemo;
  /** Undefined where the record tells no place, or is not known yet. */
  readonly locationAt: (record: number) => Location | undefined;
}

/**
 * The widest network around the client in which every record gets the verdict of his own: from his record upwards,
 * each neighbour is looked at, by its circle first and then by parts, until one differs.
 * @param from how many bits of the address his record holds for @param floor no wider than this
 * @param steps parts that are looked at, at most
 */
export function widen(
  ground: Ground,
  { address }: Client,
  from: number,
  floor: number,
  verdicts: PlaceVerdicts,
  steps: number,
): Widened {
  const { db } = ground;
  const { recordBits } = db.metadata;
  path[0] = ground.root;
  const bitAt = (depth: number): number => ((address.bytes[depth >> 3] as number) >> (7 - (depth & 7))) & 1;
  for (let depth = 0; depth < from; depth++)
    path[depth + 1] = readRecord(db.bytes, recordBits, path[depth] as number, bitAt(depth));

  const search = { ground, verdicts, stepsLeft: steps };
  const result = (prefixLength: number, isFinal: boolean): Widened => ({
    prefixLength,
    steps: steps - Math.max(0, search.stepsLeft),
    isFinal,
  });
  const own = verdictOf(search, path[from] as number);
  if (own <= 0) return result(from, own !== OPEN);
  let prefixLength = from;
  while (prefixLength > floor) {
    const parent = path[prefixLength - 1] as number;
    const sibling = verdictOf(search, readRecord(db.bytes, recordBits, parent, 1 - bitAt(prefixLength - 1)));
    if (sibling !== own) return result(prefixLength, sibling !== OPEN);
    prefixLength--;
  }
  return result(prefixLength, true);
}

/** By depth: the records from the root to the client's; room that is used again. */
const path = new Uint32Array(129);

interface Search {
  readonly ground: Ground;
  readonly verdicts: PlaceVerdicts;
  stepsLeft: number;
}

function verdictOf(search: Search, record: number): number {
  const { ground, verdicts } = search;
  const { db, regions, memo } = ground;
  if (record >= db.metadata.nodeCount) {
    if (search.stepsLeft-- <= 0) return OPEN;
    const location = ground.locationAt(record);
    if (location?.latitude === undefined || location.longitude === undefined) return MIXED;
    return verdicts.of(location.latitude, location.longitude, 0) || MIXED;
  }
  const region = regionOf(regions, record);
  const known = region < 0 ? OPEN : memo.find(verdicts.epoch, region);
  if (known !== OPEN) return known;
  if (search.stepsLeft-- <= 0) return OPEN;
  const verdict = circleVerdict(search, region) || partsVerdict(search, record);
  if (region >= 0 && verdict !== OPEN) memo.store(verdicts.epoch, region, verdict);
  return verdict;
}

function circleVerdict({ ground, verdicts }: Search, region: number): number {
  if (region < 0) return OPEN;
  const { latitudes, longitudes, radii } = ground.regions;
  const radiusKm = radii[region] as number;
  if (radiusKm === BOUNDLESS) return MIXED;
  return verdicts.of(
    (latitudes[region] as number) * LATITUDE_STEP,
    (longitudes[region] as number) * LONGITUDE_STEP,
    radiusKm,
  );
}

function partsVerdict(search: Search, node: number): number {
  const { bytes, metadata } = search.ground.db;
  const first = verdictOf(search, readRecord(bytes, metadata.recordBits, node, 0));
  if (first <= 0) return first;
  const second = verdictOf(search, readRecord(bytes, metadata.recordBits, node, 1));
  return second === first || second === OPEN ? second : MIXED;
}
