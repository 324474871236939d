/** Names a square of so many degrees in a pool. */
export function squareKey(pool: number, latitude: number, longitude: number, degrees = 1): number {
  const row = Math.floor((latitude + 90) / degrees);
  const column = Math.floor((longitude + 180) / degrees);
  return (pool * 181 + row) * 361 + column;
}
