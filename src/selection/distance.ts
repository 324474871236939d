import { distanceKm, type Point, type UnitVector, unitVector } from "../base/sphere.ts";
import type { Edge } from "../model/edge.ts";
import type { Location } from "../model/location.ts";

/** Distance of each edge by its index; NaN everywhere when the viewer cannot be located. */
export type DistancesKm = (location: Location, edge: Edge) => number;

/** Prepares the edges of one inventory. */
export function edgeDistances(edges: readonly Edge[]): DistancesKm {
  const places = edges.map((edge) => unitVector(edge.location));
  let last: Location | undefined;
  let viewer: UnitVector | undefined;
  return (location, edge) => {
    if (location !== last) {
      viewer = isPoint(location) ? unitVector(location) : undefined;
      last = location;
    }
    return viewer === undefined ? Number.NaN : distanceKm(viewer, places[edge.index] as UnitVector);
  };
}

function isPoint(location: Location): location is Location & Point {
  return location.latitude !== undefined && location.longitude !== undefined;
}
