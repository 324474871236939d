/** Of those whose place nobody knows, behind the rows of latitudes. */
const NOWHERE_ROW = 181;
const ROWS = NOWHERE_ROW + 1;
const COLUMNS = 361;
const POOL_SQUARES = ROWS * COLUMNS;

/** Names a square of so many degrees in a pool; NaN: the one of whoever cannot be located. */
export function squareKey(pool: number, latitude: number, longitude: number, degrees = 1): number {
  if (Number.isNaN(latitude)) return (pool * ROWS + NOWHERE_ROW) * COLUMNS;
  const row = Math.floor((latitude + 90) / degrees);
  const column = Math.floor((longitude + 180) / degrees);
  return (pool * ROWS + row) * COLUMNS + column;
}

/** Another pool's number for each; undefined: none has taken its place. */
export type PoolOf = (pool: number) => number | undefined;

/** The same square, of any size, in the pool that has taken its own one's place. */
export function movedSquare(square: number, poolOf: PoolOf): number | undefined {
  const pool = poolOf(Math.floor(square / POOL_SQUARES));
  return pool === undefined ? undefined : pool * POOL_SQUARES + (square % POOL_SQUARES);
}

/** The same askers there. */
export function movedAskers(askers: number, poolOf: PoolOf): number | undefined {
  const square = movedSquare(squareOf(askers), poolOf);
  return square === undefined ? undefined : askersKey(square, askers % 2 === 1);
}

/**
 * Who asks in a square degree of a pool: resolvers on behalf of whoever they serve, or those who name a client's
 * subnet (RFC 7871), of whom each stands for a few viewers.
 */
export function askersKey(square: number, nameSubnets: boolean): number {
  return 2 * square + (nameSubnets ? 1 : 0);
}

/** The middle of a square degree, NaN for those who cannot be located, and its pool. */
export function placeOf(square: number): { pool: number; latitude: number; longitude: number } {
  const rows = Math.floor(square / COLUMNS);
  const [pool, row] = [Math.floor(rows / ROWS), rows % ROWS];
  if (row === NOWHERE_ROW) return { pool, latitude: Number.NaN, longitude: Number.NaN };
  return { pool, latitude: row - 90 + 0.5, longitude: (square % COLUMNS) - 180 + 0.5 };
}

/** Where askers are. */
export function squareOf(askers: number): number {
  return Math.floor(askers / 2);
}

/** Of parts of the world that grow together, in degrees. */
const AREA_DEGREES = 30;

/** The part of the world that a place is in. */
export function areaOf(pool: number, latitude: number, longitude: number): number {
  return squareKey(pool, latitude, longitude, AREA_DEGREES);
}
