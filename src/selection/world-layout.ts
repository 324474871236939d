import type { World } from "../model/world.ts";

/**
 * The same world with all its properties in one order, absent ones too: worlds come laid out in several ways, by
 * where they were made and what is in them, and code that was compiled for some would be compiled again for the next.
 */
export function laidOut(world: World): World {
  const { generation, up, downAddresses, keptUp, state, unsteady, loadRatio, priceKm, perViewer, limit } =
    world;
  const { staleStreams, corrections, returning, sent, heat } = world;
  return {
    generation,
    up,
    downAddresses,
    keptUp,
    state,
    unsteady,
    loadRatio,
    priceKm,
    perViewer,
    limit,
    staleStreams,
    corrections,
    returning,
    sent,
    heat,
  };
}
