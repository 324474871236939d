import type { Service } from "../model/service.ts";
import type { Choice } from "../model/decision.ts";
import type { World } from "../model/world.ts";

/** Bits as in `World.up`, of the edge as the service sees it: some go on with the last good state. */
export function upFor({ index }: Pick<Service, "index">, { up, keptUp }: World, edge: number): number {
  const found = up[edge] as number;
  return keptUp === undefined ? found : found | (keptUp.get(index)?.[edge] ?? 0);
}

/** Bits of the edge's addresses that are down while their family is up. */
export function downAddressesOf({ downAddresses }: World, edge: number): number {
  return downAddresses === undefined ? 0 : (downAddresses.get(edge) ?? 0);
}

/** The same as a choice has them. */
export function withDownAddresses(world: World, edge: number): Pick<Choice, "downAddresses"> {
  const downAddresses = downAddressesOf(world, edge);
  return downAddresses === 0 ? {} : { downAddresses };
}
