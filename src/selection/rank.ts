import type { Location } from "../model/location.ts";
import type { Rank } from "../model/service.ts";
import type { Contest } from "./contest.ts";
import { drawOf } from "./contest.ts";
import { correctionKm } from "./corrections.ts";
import { liveRatio } from "./live.ts";
import { priceKm, SAME_PLACE_KM } from "./price.ts";

/** The one order of a service. */
export interface Ranking {
  /** Whether a score is a distance and something added: then candidates come nearest first, and the search can stop. */
  readonly byDistance: boolean;
  /** The lower, the better. `position`: among the candidates. */
  readonly score: (contest: Contest, edge: number, km: number, position: number) => number;
  /** Where score and distance are equal: the lower, the better. */
  readonly lot: (contest: Contest, edge: number) => number;
}

/** Load of an edge that says nothing, or has no limit: neither empty nor full. */
const UNKNOWN_LOAD = 0.5;

const byDistanceAndPrice: Ranking = {
  byDistance: true,
  score: (contest, edge, km) => km + priceKm(contest, edge) + correctionKm(contest.corrected, edge),
  lot: noLot,
};

/** For a viewer who cannot be located: each edge for its weight's share of the room that is left. */
const byRoomAndWeight: Ranking = {
  byDistance: false,
  score: (contest, edge) => drawOf(contest, edge, roomAt(contest, edge)),
  lot: noLot,
};

const byWeight: Ranking = {
  byDistance: false,
  score: (contest, edge) => drawOf(contest, edge, 1),
  lot: noLot,
};

const byLoad: Ranking = {
  byDistance: false,
  score: loadAt,
  lot: (contest, edge) => drawOf(contest, edge, 1),
};

const byListedOrder: Ranking = {
  byDistance: false,
  score: (_contest, _edge, _km, position) => position,
  lot: noLot,
};

export function rankingOf(rank: Rank, isLocated: boolean): Ranking {
  switch (rank) {
    case "nearest":
      return isLocated ? byDistanceAndPrice : byRoomAndWeight;
    case "least-loaded":
      return byLoad;
    case "weighted":
      return byWeight;
    case "failover":
      return byListedOrder;
  }
}

/** Whether the order depends on the viewer's network more finely than on the place. */
export function drawsByNetwork(rank: Rank, { layer, latitude }: Location): boolean {
  // A country is too large for one lot.
  return rank === "weighted" || (rank === "nearest" && (latitude === undefined || layer === "country"));
}

/** Whether the order changes with every report: prices, and who is full, change less often. */
export function dependsOnLoad(rank: Rank, { latitude, accuracyRadiusKm = 0 }: Location): boolean {
  const isVague = latitude === undefined || accuracyRadiusKm > SAME_PLACE_KM;
  return rank === "least-loaded" || (rank === "nearest" && isVague);
}

function loadAt({ world }: Contest, edge: number): number {
  const load = liveRatio(world, edge);
  return Number.isNaN(load) ? UNKNOWN_LOAD : load;
}

/** Never quite none, so that edges that are all full still share by weight. */
export function roomAt(contest: Contest, edge: number): number {
  return Math.max(0.01, 1 - loadAt(contest, edge));
}

function noLot(): number {
  return 0;
}
