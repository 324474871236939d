import { distanceKm, type UnitVector, unitVector } from "../base/sphere.ts";
import type { Region } from "./demand.ts";
import type { Transport } from "./solve.ts";

/**
 * Services with the same edges and reach, whose viewers compete for the same room in the same way, and whose answers
 * are kept equally long.
 */
export interface Pool {
  /** Indices of edges. */
  readonly edges: readonly number[];
  /** How far a viewer may be sent. */
  readonly maxDistanceKm: number;
  /** How long an answer is kept, and brings viewers, where nothing has lowered it. */
  readonly ttlSeconds: number;
  /** Whether its viewers go where distance and price are least; otherwise they go wherever they go. */
  readonly isPriced: boolean;
}

/** Where an edge stands. */
export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

/** Lays regions and edges out for the solver; rows are kept, for most regions are there the next time too. */
export interface Transports {
  of(
    regions: readonly Region[],
    room: Float64Array,
    edges: readonly Place[],
    pools: readonly Pool[],
  ): Transport;
  /** The edges are others now. */
  forget(): void;
}

interface Row {
  readonly distanceKm: Float32Array;
  readonly order: Uint16Array;
}

const ROWS_MAX = 20_000;
/** A region's mean point wanders: a tenth of a degree is no reason for another row. */
const ROWS_PER_DEGREE = 10;

export function createTransports(): Transports {
  const rows = new Map<number, Row>();
  let points: UnitVector[] = [];
  let laid: Laid = NOTHING;

  const layOut = (
    regions: readonly Region[],
    keys: Float64Array,
    pools: readonly Pool[],
    width: number,
  ): Laid => {
    const distanceKm = new Float32Array(regions.length * width);
    const order = new Uint16Array(regions.length * width);
    regions.forEach((region, i) => {
      const key = keys[i] as number;
      let row = rows.get(key);
      if (row === undefined) rows.set(key, (row = rowOf(region, points, pools[region.pool])));
      distanceKm.set(row.distanceKm, i * width);
      order.set(row.order, i * width);
    });
    return { keys, distanceKm, order };
  };

  return {
    forget() {
      rows.clear();
      laid = NOTHING;
      points = [];
    },
    of(regions, room, edges, pools) {
      if (points.length === 0) points = edges.map(unitVector);
      if (rows.size > ROWS_MAX) rows.clear();
      const keys = Float64Array.from(regions, rowKey);
      if (!isSame(keys, laid.keys)) laid = layOut(regions, keys, pools, edges.length);
      const demand = Float64Array.from(regions, (region) => region.viewers);
      return { demand, capacity: room, distanceKm: laid.distanceKm, order: laid.order };
    },
  };
}

/** Rows one below the other; the same regions need them again for another horizon. */
interface Laid extends Row {
  readonly keys: Float64Array;
}

const NOTHING: Laid = {
  keys: new Float64Array(0),
  distanceKm: new Float32Array(0),
  order: new Uint16Array(0),
};

function isSame(a: Float64Array, b: Float64Array): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function rowKey({ pool, latitude, longitude }: Region): number {
  const north = Math.round((latitude + 90) * ROWS_PER_DEGREE);
  const east = Math.round((longitude + 180) * ROWS_PER_DEGREE);
  return (pool * (180 * ROWS_PER_DEGREE + 1) + north) * (360 * ROWS_PER_DEGREE + 1) + east;
}

function rowOf(region: Region, points: readonly UnitVector[], pool: Pool | undefined): Row {
  const here = unitVector(region);
  const away = new Float32Array(points.length).fill(Number.POSITIVE_INFINITY);
  for (const edge of pool?.edges ?? []) {
    const km = distanceKm(here, points[edge] as UnitVector);
    if (km <= (pool?.maxDistanceKm ?? 0)) away[edge] = km;
  }
  const order = Uint16Array.from(away.keys()).sort((a, b) => compare(away[a] as number, away[b] as number));
  return { distanceKm: away, order };
}

/** Infinity − Infinity is not a number. */
function compare(a: number, b: number): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
