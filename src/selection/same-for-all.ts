import type { Roster } from "./roster.ts";

/** Whether a service's edges are the same for whoever asks, whatever the world; distances differ all the same. */
export function isSameForAll({ service, preferences }: Pick<Roster, "service" | "preferences">): boolean {
  const { rank, edges, allow, deny, affinity, maxDistanceKm } = service;
  if (allow || deny || preferences || affinity !== "none" || maxDistanceKm < Number.POSITIVE_INFINITY)
    return false;
  return rank === "failover" || edges.length === 1;
}
