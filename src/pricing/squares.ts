/** Names a square of so many degrees in a pool. */
export function squareKey(pool: number, latitude: number, longitude: number, degrees = 1): number {
  const row = Math.floor((latitude + 90) / degrees);
  const column = Math.floor((longitude + 180) / degrees);
  return (pool * 181 + row) * 361 + column;
}

/**
 * Who asks in a square degree of a pool: resolvers on behalf of whoever they serve, or those who name a client's subnet (RFC 7871), of
 * whom each stands for a few viewers.
 */
export function askersKey(square: number, nameSubnets: boolean): number {
  return 2 * square + (nameSubnets ? 1 : 0);
}

/** The middle of a square degree, and its pool. */
export function placeOf(square: number): { pool: number; latitude: number; longitude: number } {
  const rows = Math.floor(square / 361);
  return {
    pool: Math.floor(rows / 181),
    latitude: (rows % 181) - 90 + 0.5,
    longitude: (square % 361) - 180 + 0.5,
  };
}

/** Where askers are. */
export function squareOf(askers: number): number {
  return Math.floor(askers / 2);
}
