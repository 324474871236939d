import { type UnitVector, unitVector } from "../base/sphere.ts";
import { createFieldReader } from "./fields.ts";
import { BROKEN, EMPTY, type Mmdb, offsetOf, readRecord } from "./mmdb.ts";
import { locationOf } from "./record.ts";

/**
 * For the larger parts of a database's tree: a circle that holds all their places, so that what is decided alike
 * everywhere in it is known to be, without a look at every record. Plain data over shared memory.
 */
export interface Regions {
  /** One bit by node: whether it has a region; and by 32 of them, how many there are before. */
  readonly marks: Uint32Array;
  readonly ranks: Uint32Array;
  /** By region: centre, in steps of `LATITUDE_STEP` and `LONGITUDE_STEP`. */
  readonly latitudes: Int16Array;
  readonly longitudes: Int16Array;
  /** By region: kilometres, rounded up; `BOUNDLESS`: somewhere in it nobody knows where viewers are. */
  readonly radii: Uint16Array;
}

export const BOUNDLESS = 0xffff;
export const LATITUDE_STEP = 90 / 32_767;
export const LONGITUDE_STEP = 180 / 32_767;

/** The node's region; -1: it has none. */
export function regionOf({ marks, ranks }: Regions, node: number): number {
  const word = node >>> 5;
  const bits = marks[word] as number;
  const bit = 1 << (node & 31);
  return (bits & bit) === 0 ? -1 : (ranks[word] as number) + ones(bits & (bit - 1));
}

/** Looks at every record of a sound database: seconds for a large one. */
export function surveyRegions(db: Mmdb): Regions {
  const survey = new Survey(db);
  survey.run();
  return survey.regions();
}

/** Smaller parts are looked at record by record. */
const LEAST_LEAVES = 16;
const MOST_DEPTH = 129;
const EARTH_RADIUS_KM = 6371.0088;
/** More than what a step of latitude and of longitude may be off, and what 32 bits lose. */
const ROUNDING_KM = 2;

/** What a part of the tree holds: fields of a row. */
const X = 0;
const Y = 1;
const Z = 2;
/** Radians; Infinity: boundless. */
const RADIUS = 3;
const LEAVES = 4;
const FIELDS = 5;

/** Goes through the tree, children before their parent. */
class Survey {
  readonly #db: Mmdb;
  readonly #read: (offset: number) => unknown;
  readonly #points = new Points();
  readonly #leaf = new Float64Array(FIELDS);
  /** By depth: the node, how many of its children are done, and what they hold. */
  readonly #nodes = new Int32Array(MOST_DEPTH);
  readonly #done = new Uint8Array(MOST_DEPTH);
  readonly #held = new Float64Array(MOST_DEPTH * FIELDS);
  readonly #found = new Found();
  #depth = 0;

  constructor(db: Mmdb) {
    this.#db = db;
    this.#read = createFieldReader(db);
  }

  /** False: it is finished. */
  run(): void {
    const { nodeCount, recordBits } = this.#db.metadata;
    while (this.#depth >= 0) {
      const depth = this.#depth;
      const done = this.#done[depth] as number;
      if (done === 2) this.#leave(depth);
      else {
        const record = readRecord(this.#db.bytes, recordBits, this.#nodes[depth] as number, done);
        if (record < nodeCount && depth + 1 < MOST_DEPTH) this.#enter(depth + 1, record);
        else this.#add(depth, this.#leafAt(record), 0);
      }
    }
  }

  regions(): Regions {
    return this.#found.regions(this.#db.metadata.nodeCount);
  }

  #enter(depth: number, node: number): void {
    this.#depth = depth;
    this.#nodes[depth] = node;
    this.#done[depth] = 0;
  }

  #leave(depth: number): void {
    const at = depth * FIELDS;
    if ((this.#held[at + LEAVES] as number) >= LEAST_LEAVES)
      this.#found.add(this.#nodes[depth] as number, this.#held, at);
    this.#depth = depth - 1;
    if (depth > 0) this.#add(depth - 1, this.#held, at);
  }

  /** One more child of the node at that depth is done. */
  #add(depth: number, row: Float64Array, at: number): void {
    const to = depth * FIELDS;
    if (this.#done[depth] === 0) for (let i = 0; i < FIELDS; i++) this.#held[to + i] = row[at + i] as number;
    else join(this.#held, to, row, at);
    this.#done[depth] = (this.#done[depth] as number) + 1;
  }

  #leafAt(record: number): Float64Array {
    const offset = offsetOf(this.#db, record);
    const isRecord = offset !== EMPTY && offset !== BROKEN;
    if (isRecord && !this.#points.find(offset)) this.#points.add(offset, pointOf(this.#read(offset)));
    const { row, at } = this.#points;
    const isKnown = isRecord && !Number.isNaN(row[at]);
    for (let i = X; i <= Z; i++) this.#leaf[i] = isKnown ? (row[at + i] as number) : 0;
    this.#leaf[RADIUS] = isKnown ? 0 : Number.POSITIVE_INFINITY;
    this.#leaf[LEAVES] = 1;
    return this.#leaf;
  }
}

/** Undefined but for what is known to the city: a country's centre stands for places far from it. */
function pointOf(record: unknown): UnitVector | undefined {
  const { layer, latitude, longitude, accuracyRadiusKm } = locationOf(record);
  if (layer !== "city" || latitude === undefined || longitude === undefined) return undefined;
  return accuracyRadiusKm === undefined ? unitVector({ latitude, longitude }) : undefined;
}

/** The places of records by their offset: a table in typed arrays, since there are hundreds of thousands. */
class Points {
  /** Where what was found or added stands: x, y, z; NaN where the place is not known. */
  row: Float32Array = new Float32Array(3 << 10);
  at = 0;
  #offsets = new Int32Array(1 << 11);
  #numbers = new Int32Array(1 << 11);
  #count = 0;

  find(offset: number): boolean {
    const slot = this.#slotOf(offset);
    this.at = 3 * (this.#numbers[slot] as number);
    return this.#offsets[slot] === offset;
  }

  add(offset: number, point: UnitVector | undefined): void {
    if (2 * (this.#count + 1) > this.#offsets.length) this.#grow();
    const slot = this.#slotOf(offset);
    this.#offsets[slot] = offset;
    this.#numbers[slot] = this.#count;
    this.at = 3 * this.#count++;
    this.row.set(point ?? [Number.NaN, Number.NaN, Number.NaN], this.at);
  }

  #slotOf(offset: number): number {
    const mask = this.#offsets.length - 1;
    const hash = Math.imul(offset, 0x9e3779b1);
    let slot = (hash ^ (hash >>> 15)) & mask;
    while (this.#offsets[slot] !== 0 && this.#offsets[slot] !== offset) slot = (slot + 1) & mask;
    return slot;
  }

  #grow(): void {
    const [offsets, numbers, row] = [this.#offsets, this.#numbers, this.row];
    this.#offsets = new Int32Array(2 * offsets.length);
    this.#numbers = new Int32Array(2 * offsets.length);
    this.row = new Float32Array(2 * row.length);
    this.row.set(row);
    for (let i = 0; i < offsets.length; i++) {
      if (offsets[i] === 0) continue;
      const slot = this.#slotOf(offsets[i] as number);
      this.#offsets[slot] = offsets[i] as number;
      this.#numbers[slot] = numbers[i] as number;
    }
  }
}

/** The smaller circle that holds both, in place of the first. */
function join(to: Float64Array, t: number, from: Float64Array, f: number): void {
  const leaves = (to[t + LEAVES] as number) + (from[f + LEAVES] as number);
  const [a, b] = [to[t + RADIUS] as number, from[f + RADIUS] as number];
  const apart = angle(to, t, from, f);
  if (apart + a <= b) for (let i = X; i <= RADIUS; i++) to[t + i] = from[f + i] as number;
  else if (apart + b > a) {
    const radius = (apart + a + b) / 2;
    // Beyond a quarter of the circumference, circles are of no use.
    to[t + RADIUS] = radius < Math.PI / 2 ? radius : Number.POSITIVE_INFINITY;
    turn(to, t, from, f, (radius - a) / apart, apart);
  }
  to[t + LEAVES] = leaves;
}

function angle(to: Float64Array, t: number, from: Float64Array, f: number): number {
  const dx = (to[t] as number) - (from[f] as number);
  const dy = (to[t + Y] as number) - (from[f + Y] as number);
  const dz = (to[t + Z] as number) - (from[f + Z] as number);
  return 2 * Math.asin(Math.min(1, Math.sqrt(dx * dx + dy * dy + dz * dz) / 2));
}

/** Moves a centre by a share of the way to another, along the great circle. */
function turn(
  to: Float64Array,
  t: number,
  from: Float64Array,
  f: number,
  share: number,
  apart: number,
): void {
  const sine = Math.sin(apart);
  if (sine < 1e-12 || !Number.isFinite(to[t + RADIUS])) return;
  const [mine, other] = [Math.sin((1 - share) * apart) / sine, Math.sin(share * apart) / sine];
  for (let i = X; i <= Z; i++) to[t + i] = mine * (to[t + i] as number) + other * (from[f + i] as number);
}

/** Regions as they are found, in room that grows. */
class Found {
  #count = 0;
  #nodes = new Int32Array(1 << 12);
  #circles = new Int16Array(3 << 12);

  add(node: number, row: Float64Array, at: number): void {
    if (this.#count === this.#nodes.length) this.#grow();
    const i = this.#count++;
    const [x, y, z] = [row[at] as number, row[at + Y] as number, row[at + Z] as number];
    const radiusKm = Math.ceil((row[at + RADIUS] as number) * EARTH_RADIUS_KM) + ROUNDING_KM;
    this.#nodes[i] = node;
    this.#circles[3 * i] = Math.round(
      (Math.asin(Math.max(-1, Math.min(1, z))) * 180) / Math.PI / LATITUDE_STEP,
    );
    this.#circles[3 * i + 1] = Math.round((Math.atan2(y, x) * 180) / Math.PI / LONGITUDE_STEP);
    this.#circles[3 * i + 2] = Math.min(radiusKm, BOUNDLESS);
  }

  regions(nodeCount: number): Regions {
    const words = (nodeCount >>> 5) + 1;
    const regions = {
      marks: new Uint32Array(shared(4 * words)),
      ranks: new Uint32Array(shared(4 * words)),
      latitudes: new Int16Array(shared(2 * this.#count)),
      longitudes: new Int16Array(shared(2 * this.#count)),
      radii: new Uint16Array(shared(2 * this.#count)),
    };
    const { marks, ranks } = regions;
    for (let i = 0; i < this.#count; i++) {
      const node = this.#nodes[i] as number;
      marks[node >>> 5] = (marks[node >>> 5] as number) | (1 << (node & 31));
    }
    for (let word = 1; word < words; word++)
      ranks[word] = (ranks[word - 1] as number) + ones(marks[word - 1] as number);
    for (let i = 0; i < this.#count; i++) {
      const region = regionOf(regions, this.#nodes[i] as number);
      regions.latitudes[region] = this.#circles[3 * i] as number;
      regions.longitudes[region] = this.#circles[3 * i + 1] as number;
      regions.radii[region] = this.#circles[3 * i + 2] as number;
    }
    return regions;
  }

  #grow(): void {
    const [nodes, circles] = [this.#nodes, this.#circles];
    this.#nodes = new Int32Array(2 * nodes.length);
    this.#circles = new Int16Array(2 * circles.length);
    this.#nodes.set(nodes);
    this.#circles.set(circles);
  }
}

/** How many bits are set. */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

function shared(octets: number): SharedArrayBuffer {
  return new SharedArrayBuffer(octets);
}
