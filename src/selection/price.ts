import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import { barrierKm, usedShare } from "./live.ts";
import type { Viewer } from "./viewer.ts";

/** Edges this close to each other are one place. */
export const SAME_PLACE_KM = 1;

/** What an edge's price depends on. */
interface Priced {
  readonly service: Service;
  readonly viewer: Pick<Viewer, "brings">;
  readonly world: World;
}

/** What the edge's load adds to its distance now. */
export function priceKm({ world, service, viewer }: Priced, edge: number): number {
  const used = usedShare(world, edge, service.margin, viewer.brings);
  return (world.priceKm[edge] as number) + barrierKm(used);
}
