import type { Choice } from "../model/decision.ts";
import type { Rank } from "../model/service.ts";
import { spreadEquals } from "./spread.ts";

/** Orders edges, best first. `draw` is the viewer's fixed lot for each edge: the lower, the better. */
export type Ranking = (choices: Choice[], draw: (choice: Choice, weight: number) => number) => Choice[];

/** Edges this close to each other are one place. */
export const SAME_PLACE_KM = 1;

/** Load of an edge that says nothing, or has no limit: neither empty nor full. */
const UNKNOWN_LOAD = 0.5;

const byDistanceAndPrice: Ranking = (choices, draw) => {
  const sorted = choices.sort((a, b) => scoreKm(a) - scoreKm(b));
  return spreadEquals(sorted, scoreKm, SAME_PLACE_KM, (choice) => draw(choice, choice.edge.weight));
};

/** For a viewer who cannot be located: each edge for its weight's share of the room that is left. */
const byRoomAndWeight: Ranking = (choices, draw) =>
  sortedBy(choices, (choice) => draw(choice, choice.edge.weight * roomOf(choice)));

const byWeight: Ranking = (choices, draw) => sortedBy(choices, (choice) => draw(choice, choice.edge.weight));

const byLoad: Ranking = (choices, draw) => {
  const lots = new Map(choices.map((choice) => [choice, draw(choice, choice.edge.weight)]));
  return choices.sort(
    (a, b) =>
      loadOf(a) - loadOf(b) || orZero(a.distanceKm - b.distanceKm) || (lots.get(a) ?? 0) - (lots.get(b) ?? 0),
  );
};

/** The service's edges come in the listed order already. */
const byListedOrder: Ranking = (choices) => choices;

/** The one order of a service's rule. */
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
export function drawsByNetwork(rank: Rank, isLocated: boolean): boolean {
  return rank === "weighted" || (rank === "nearest" && !isLocated);
}

function scoreKm(choice: Choice): number {
  return choice.distanceKm + choice.priceKm;
}

function loadOf(choice: Choice): number {
  return Number.isNaN(choice.loadRatio) ? UNKNOWN_LOAD : choice.loadRatio;
}

/** Never quite none, so that edges that are all full still share by weight. */
function roomOf(choice: Choice): number {
  return Math.max(0.01, 1 - loadOf(choice));
}

function orZero(difference: number): number {
  return Number.isNaN(difference) ? 0 : difference;
}

function sortedBy(choices: Choice[], key: (choice: Choice) => number): Choice[] {
  const keys = new Map(choices.map((choice) => [choice, key(choice)]));
  // Subtraction would give NaN between two infinities (weight 0).
  return choices.sort((a, b) => {
    const [ka, kb] = [keys.get(a) as number, keys.get(b) as number];
    return ka < kb ? -1 : ka > kb ? 1 : 0;
  });
}
