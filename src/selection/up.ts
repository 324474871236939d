import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";

/** Bits as in `World.up`, of the edge as the service sees it: some go on with the last good state. */
export function upFor({ index }: Pick<Service, "index">, { up, keptUp }: World, edge: number): number {
  const found = up[edge] as number;
  return keptUp === undefined ? found : found | (keptUp.get(index)?.[edge] ?? 0);
}
