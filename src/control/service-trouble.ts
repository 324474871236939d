/** Services of which no edge takes new viewers now: what an operator should look at, though viewers are answered. */
import type { Inventory } from "../model/inventory.ts";
import type { SimpleFamily } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import { type Standing, STANDING, standingOf } from "../selection/standing.ts";

/**
 * full: of those that are up, each; down: each that an operator has not taken out; out: operators have taken out each.
 * A service without edges is in no trouble that could end.
 */
type Trouble = "full" | "down" | "out";

/** By service, in the order of the inventory; those without trouble are left out. None while a reload settles in. */
export function troubles({ services, generation }: Inventory, world: World): TroubledService[] {
  if (world.generation !== generation) return [];
  return services.flatMap((service) => {
    const trouble = troubleOf(service, world);
    return trouble === undefined ? [] : [{ service, trouble }];
  });
}

interface TroubledService {
  readonly service: Service;
  readonly trouble: Trouble;
}

function troubleOf(service: Service, world: World): Trouble | undefined {
  const standings = new Set<Standing>();
  for (const edge of service.edges) {
    const standing = standingOf(edge, 0, service, world, undefined);
    if (standing === STANDING.ELIGIBLE || standing === STANDING.WARMING) return undefined;
    standings.add(standing);
  }
  if (standings.has(STANDING.FULL)) return "full";
  if (standings.has(STANDING.DOWN)) return "down";
  return standings.size === 0 ? undefined : "out";
}

/** One line for each. */
export function troubleText({ service, trouble }: TroubledService): string {
  const { id, whenFull, whenDown, fallback } = service;
  switch (trouble) {
    case "full":
      return `service ${id}: every edge that is up is full; viewers ${WHEN_FULL[whenFull]} (whenFull: ${whenFull})`;
    case "down":
      return `service ${id}: every edge is down; viewers ${WHEN_DOWN[whenDown]} (whenDown: ${whenDown})`;
    case "out":
      return `service ${id}: every edge is drained or off; viewers ${fallback === undefined ? REFUSED : FALLEN_BACK}`;
  }
}

const REFUSED = "are refused";
const FALLEN_BACK = "get the fallback";
const WHEN_FULL: { readonly [what in Service["whenFull"]]: string } = {
  spill: "go to the least full",
  refuse: REFUSED,
};
const WHEN_DOWN: { readonly [what in Service["whenDown"]]: string } = {
  "fail-open": "are answered as if all were up",
  fallback: FALLEN_BACK,
  refuse: REFUSED,
};

const TROUBLES: readonly Trouble[] = ["full", "down", "out"];

/** For every service and trouble, so that an alert sees it end. */
export function troubleMetric(inventory: Inventory, world: World): SimpleFamily {
  const inTrouble = new Map(troubles(inventory, world).map(({ service, trouble }) => [service.id, trouble]));
  return {
    kind: "gauge",
    name: "service_without_room",
    help: "1 while no edge of the service takes new viewers: full, down, or taken out by operators",
    samples: inventory.services.flatMap(({ id }) =>
      TROUBLES.map((reason) => ({
        labels: { service: id, reason },
        value: inTrouble.get(id) === reason ? 1 : 0,
      })),
    ),
  };
}
