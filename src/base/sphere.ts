/** Mean Earth radius (IUGG R1), kilometres. */
const EARTH_RADIUS_KM = 6371.0088;

export interface Point {
  readonly latitude: number;
  readonly longitude: number;
}

/** A point on the unit sphere: distances between two of these cost no trigonometry but one arc sine. */
export type UnitVector = readonly [x: number, y: number, z: number];

export function unitVector(point: Point): UnitVector {
  const latitude = (point.latitude * Math.PI) / 180;
  const longitude = (point.longitude * Math.PI) / 180;
  const flat = Math.cos(latitude);
  return [flat * Math.cos(longitude), flat * Math.sin(longitude), Math.sin(latitude)];
}

/** Great-circle distance in kilometres, exact at the poles, across the date line and for near points. */
export function distanceKm(a: UnitVector, b: UnitVector): number {
  const dx = a[0] - b[0];
  const dy = a[1] - b[1];
  const dz = a[2] - b[2];
  const halfChord = Math.sqrt(dx * dx + dy * dy + dz * dz) / 2;
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.min(1, halfChord));
}
