import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import type { Pathway } from "./manifest.ts";

/**
 * The pathway that an edge is to a service's players. Those that the playlists name go by the edge's id. Any other is
 * a clone of the first of them and goes by its hostname: a player keeps the first definition of an id that it was
 * given for as long as it plays, so an id must not outlive what it stands for.
 */
export function pathwayOf({ steering }: Pick<Service, "steering">, edge: Edge): Pathway | undefined {
  const [baseId] = steering.pathways ?? [];
  if (baseId === undefined || steering.pathways?.includes(edge.id)) return { id: edge.id };
  if (edge.url === undefined) return undefined;
  const host = new URL(edge.url).hostname;
  return { id: host, clone: { baseId, host } };
}
