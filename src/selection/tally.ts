import type { World } from "../model/world.ts";
import type { Roster } from "./field.ts";
import { rejectedBy, STANDING, STANDINGS, standingOf } from "./standing.ts";

/**
 * How many edges of a service are left out, for choices that look at a few of them only. Counted once for each
 * world: an edge that fills up later is counted from the next world on, about a second later.
 */
export interface RejectionTally {
  /** By reason, where an edge is eligible; the same for all viewers but for distances and streams. */
  rejectedIn(world: World, roster: Pick<Roster, "service" | "listed">): readonly number[];
}

export function createTally(): RejectionTally {
  let counted: World | undefined;
  let rejected: readonly number[] = [];
  return {
    rejectedIn(world, { service, listed }) {
      if (world === counted) return rejected;
      const standings = new Uint32Array(STANDINGS);
      for (const edge of listed) {
        const standing = standingOf(edge, 0, service, world, undefined);
        standings[standing] = (standings[standing] as number) + 1;
      }
      counted = world;
      return (rejected = rejectedBy(standings, STANDING.ELIGIBLE));
    },
  };
}
