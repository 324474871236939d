import type { Inventory } from "./model/inventory.ts";
import type { World } from "./model/world.ts";

/** What becomes known while doors open, for those that answer already and those that are about to. */
export interface EarlyWorlds {
  /** By which they open, whatever is reloaded meanwhile. */
  readonly inventory: Inventory;
  /** @param world of that inventory */
  take(world: World): void;
  /** Gives the newest world at once, and all that come. */
  readonly follow: (take: (world: World) => void) => void;
}

export function createEarlyWorlds(inventory: Inventory, first: World): EarlyWorlds {
  const followers: ((world: World) => void)[] = [];
  let newest = first;
  return {
    inventory,
    take(world) {
      newest = world;
      for (const take of followers) take(world);
    },
    follow(take) {
      followers.push(take);
      take(newest);
    },
  };
}
