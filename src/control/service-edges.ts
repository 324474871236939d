/** How many edges of each service take viewers, are full, down or taken out; and of which services most are down. */
import type { Inventory } from "../model/inventory.ts";
import type { SimpleFamily } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import { type Standing, STANDING, standingOf } from "../selection/standing.ts";

type EdgeCondition = "taking" | "full" | "down" | "out";
type Counts = { [condition in EdgeCondition]: number };

/**
 * One line for each service of whose edges more than half are down, and not all: losses that nobody disbelieves any
 * more, and that the rest has to carry. Of edges that operators have taken out, nothing is expected.
 */
export function lossTexts(inventory: Inventory, world: World): string[] {
  return countedIn(inventory, world).flatMap(({ service, counts }) => {
    const rest = counts.taking + counts.full;
    if (counts.down <= rest || rest === 0) return [];
    const edges = `${counts.down} of ${counts.down + rest} edges are down`;
    return [`service ${service.id}: ${edges}; viewers go to the rest`];
  });
}

/** For every service and condition, so that an alert can compare them. */
export function edgesMetric(inventory: Inventory, world: World): SimpleFamily {
  return {
    kind: "gauge",
    name: "service_edges",
    help: "Edges of the service: taking viewers, full, down, or taken out by operators",
    samples: countedIn(inventory, world).flatMap(({ service, counts }) =>
      Object.entries(counts).map(([condition, value]) => ({
        labels: { service: service.id, condition },
        value,
      })),
    ),
  };
}

/** None while a reload settles in. */
function countedIn(
  { services, generation }: Inventory,
  world: World,
): { readonly service: Service; readonly counts: Counts }[] {
  if (world.generation !== generation) return [];
  return services.map((service) => {
    const counts: Counts = { taking: 0, full: 0, down: 0, out: 0 };
    for (const edge of service.edges) counts[conditionOf(standingOf(edge, 0, service, world, undefined))]++;
    return { service, counts };
  });
}

function conditionOf(standing: Standing): EdgeCondition {
  switch (standing) {
    case STANDING.FULL:
      return "full";
    case STANDING.DOWN:
      return "down";
    case STANDING.DRAIN:
    case STANDING.OFF:
      return "out";
    default:
      return "taking";
  }
}
