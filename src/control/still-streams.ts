/** Streams that stand still at every edge of their service: then the source is at fault rather than an edge. */
import type { Inventory } from "../model/inventory.ts";
import type { SimpleFamily } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import { STATE_ACTIVE } from "../model/world.ts";
import { upFor } from "../selection/up.ts";

/** One line for each service that has any. Streams have names that are not for everyone who may ask for alarms. */
export function stillTexts(inventory: Inventory, world: World): string[] {
  return countedIn(inventory, world).flatMap(({ service, still }) => {
    if (still === 0) return [];
    const streams = still === 1 ? "1 stream stands" : `${still} streams stand`;
    return [
      `service ${service.id}: ${streams} still at every edge: look at the source; edgeward edges names them`,
    ];
  });
}

/** For every service whose streams are checked, so that an alert sees it end. */
export function stillMetric(inventory: Inventory, world: World): SimpleFamily {
  return {
    kind: "gauge",
    name: "service_stale_streams",
    help: "Active streams that are stale at every edge of the service that is up",
    samples: countedIn(inventory, world).map(({ service, still }) => ({
      labels: { service: service.id },
      value: still,
    })),
  };
}

/** None while a reload settles in. */
function countedIn(
  { services, generation }: Inventory,
  world: World,
): { readonly service: Service; readonly still: number }[] {
  if (world.generation !== generation) return [];
  return services.flatMap((service) =>
    service.streams === undefined ? [] : [{ service, still: stillEverywhere(service, world) }],
  );
}

function stillEverywhere(service: Service, world: World): number {
  const [first, ...others] = service.edges
    .filter((edge) => world.state[edge] === STATE_ACTIVE && upFor(service, world, edge) !== 0)
    .map((edge) => world.staleStreams.get(edge));
  const everywhere = [...(first ?? [])].filter((stream) => others.every((at) => at?.has(stream) === true));
  return everywhere.length;
}
