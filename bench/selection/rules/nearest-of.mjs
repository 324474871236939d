/**
 * The nearest edge that is eligible, or -1.
 * @param {Float64Array} distancesKm
 * @param {(edge: number) => boolean} isEligible
 */
export function nearestOf(distancesKm, isEligible) {
  let nearest = -1;
  for (let edge = 0; edge < distancesKm.length; edge++)
    if (isEligible(edge) && (nearest < 0 || distancesKm[edge] < distancesKm[nearest])) nearest = edge;
  return nearest;
}
