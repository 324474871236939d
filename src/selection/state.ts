import type { World } from "../model/world.ts";
import { barrierKm, usedShare } from "./live.ts";
import { isMissed, rejectedBy, STANDING, STANDINGS, standingOf } from "./standing.ts";
import type { Roster } from "./field.ts";
import { upFor } from "./up.ts";

/** What a world has for one service, apart from the viewer. */
export interface ServiceState {
  /**
   * Tells states of all services apart. It stays over worlds in which all that a choice reads of them is the same
   * (health, operators' states, prices, what players' reports add), and no eligible edge is so near its limit that every viewer makes it dearer.
   */
  readonly epoch: number;
  /** Edges left out beside eligible ones by reason, distances and streams aside; as of when the world was made. */
  readonly rejected: readonly number[];
  /** Nobody drains or is about to come up, who could be missed where he is the nearest. */
  readonly isNobodyMissed: boolean;
}

export interface StateWatch {
  readonly stateIn: (world: World) => ServiceState;
}

/** What is kept by epoch may outlive an inventory. */
let epochs = 0;

export function watchState(roster: Pick<Roster, "service" | "listed">): StateWatch {
  const { service, listed } = roster;
  const before = new Float64Array(listed.length).fill(Number.NaN);
  const standings = new Uint32Array(STANDINGS);
  let seen: World | undefined;
  let corrections: World["corrections"];
  let state: ServiceState = { epoch: 0, rejected: [], isNobodyMissed: true };

  const look = (world: World): ServiceState => {
    standings.fill(0);
    let isSame = state.epoch !== 0 && (service.experience === undefined || world.corrections === corrections);
    corrections = world.corrections;
    let isNobodyMissed = true;
    for (let i = 0; i < listed.length; i++) {
      const edge = listed[i] as number;
      const standing = standingOf(edge, 0, service, world, undefined);
      standings[standing] = (standings[standing] as number) + 1;
      if (isMissed(standing, edge, service, world)) isNobodyMissed = false;
      const isRising =
        standing === STANDING.ELIGIBLE && barrierKm(usedShare(world, edge, service.margin)) > 0;
      const flags = standing * 8 + (world.unsteady[edge] as number) * 4 + upFor(service, world, edge);
      const shown = (world.priceKm[edge] as number) * 64 + flags;
      if (isRising || shown !== before[i]) isSame = false;
      before[i] = shown;
    }
    if (isSame) return state;
    return { epoch: ++epochs, rejected: rejectedBy(standings, STANDING.ELIGIBLE), isNobodyMissed };
  };

  return {
    stateIn(world) {
      if (world !== seen) state = look(world);
      seen = world;
      return state;
    },
  };
}
