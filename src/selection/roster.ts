import type { PlaceVerdicts } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import type { Pool } from "./nearest.ts";
import type { Preferences } from "./preferred.ts";

/** The edges of one service. */
export interface Roster extends StateWatch {
  readonly service: Service;
  /** Indices in the order that `failover` keeps. */
  readonly listed: Uint16Array;
  readonly pool: Pool;
  /** That any edge has addresses in, bits as in `World.up`. */
  readonly families: number;
  readonly verdicts: VerdictsByWorld;
  /** Absent: no edge is preferred for anybody. */
  readonly preferences?: Preferences;
}

/** What a world has for one service, apart from the viewer. */
export interface ServiceState {
  /**
   * Tells states of all services apart. It stays over worlds in which all that a choice reads of them is the same
   * (health, operators' states, prices, what players' reports add), and no eligible edge is so near its limit that
   * every viewer makes it dearer, nor was so in the world before.
   */
  readonly epoch: number;
  /** The same, but prices aside, and what viewers and players' reports add to distances. */
  readonly condition: number;
  /**
   * Tells apart, too, what players' reports add to distances: while it stays, nothing has moved but prices, and what
   * each viewer adds to them;
   */
  readonly era: number;
  /** and no edge has become cheaper by more than what this has grown by, kilometres. */
  readonly fallenKm: number;
  /** Edges left out beside eligible ones by reason, distances and streams aside; as of when the world was made. */
  readonly rejected: readonly number[];
  /** Nobody drains or is about to come up, who could be missed where he is the nearest. */
  readonly isNobodyMissed: boolean;
}

export interface StateWatch {
  readonly stateIn: (world: World) => ServiceState;
}

export interface VerdictsByWorld {
  /** Those of one world; they stand until those of another are asked for. */
  in(world: World): PlaceVerdicts;
}
