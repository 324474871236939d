import type { Decision } from "../model/decision.ts";
import type { Location, PlaceVerdicts } from "../model/location.ts";
import type { World } from "../model/world.ts";
import { bandKm } from "./band.ts";
import type { Candidates } from "./candidates.ts";
import { barrierKm, usedShare } from "./live.ts";
import { priceKm, SAME_PLACE_KM } from "./price.ts";
import type { PlaceVerdictsIn, Roster } from "./roster.ts";
import { STANDING, standingOf } from "./standing.ts";

/**
 * Which edges a DNS answer would name for a place, or anywhere within a circle: there, no score differs by more than the
 * radius from that at the centre, so that an order with larger gaps than twice the radius is the order everywhere.
 * For services that are ranked by distance and price, and for eligible edges only.
 */
export function placeVerdicts(
  { service, listed, stateIn }: Pick<Roster, "service" | "listed" | "stateIn">,
  candidates: Candidates,
): PlaceVerdictsIn {
  const wanted = service.dns.answers;
  /** Of the best, and of the one behind the last that is wanted. */
  const scores = new Float64Array(wanted + 1);
  const edges = new Uint16Array(wanted + 1);
  const numbers = new Map<string, number>();
  let numbered = 0;
  let epoch = 0;
  let now: World | undefined;

  const numberOf = (names: string): number => {
    const known = numbers.get(names) ?? ++numbered;
    if (numbers.size > MOST_NUMBERS) numbers.clear();
    numbers.set(names, known);
    return known;
  };

  const findBest = (now: World): number => {
    let count = 0;
    for (let i = 0; i < candidates.count; i++) {
      const edge = candidates.edgeAt(i);
      const km = candidates.kmAt(i);
      if (standingOf(edge, km, service, now, undefined) !== STANDING.ELIGIBLE) continue;
      const score = km + priceKm({ world: now, service, viewer: {} }, edge);
      if (count > wanted && score >= (scores[wanted] as number)) continue;
      let at = count > wanted ? wanted : count++;
      for (; at > 0 && (scores[at - 1] as number) > score; at--) {
        scores[at] = scores[at - 1] as number;
        edges[at] = edges[at - 1] as number;
      }
      scores[at] = score;
      edges[at] = edge;
    }
    return count;
  };

  /** How many are within the band of the best; undefined where that differs within the circle. */
  const namedAnywhere = (most: number, radiusKm: number): number | undefined => {
    const { answersWithin } = service.dns;
    if (answersWithin === undefined) return most;
    const best = scores[0] as number;
    const limit = best + bandKm(answersWithin, best);
    const leastGapKm = (2 + answersWithin.share) * radiusKm + SAME_PLACE_KM + ROUNDING_KM;
    let named = Math.min(1, most);
    for (let rank = 1; rank < most; rank++) {
      const score = scores[rank] as number;
      if (!(Math.abs(score - limit) > leastGapKm)) return undefined;
      if (score < limit) named = rank + 1;
    }
    return named;
  };

  const verdicts: PlaceVerdicts = {
    get epoch() {
      return epoch;
    },
    of(latitude, longitude, radiusKm) {
      if (now === undefined) return 0;
      candidates.asListed({ listed }, { layer: "city", latitude, longitude });
      const count = findBest(now);
      const named = namedAnywhere(Math.min(wanted, count), radiusKm);
      if (named === undefined) return 0;
      const leastGapKm = 2 * radiusKm + SAME_PLACE_KM + ROUNDING_KM;
      for (let rank = 0; rank < count; rank++) {
        // Whoever is filling up is dearer in a moment.
        if (barrierKm(usedShare(now, edges[rank] as number, service.margin)) > 0) return 0;
        const gapKm = (scores[rank + 1] as number) - (scores[rank] as number);
        // Who is left out by the band is no rival of the last that is named.
        const hasRival = rank + 1 < count && (rank + 1 < named || named === wanted);
        if (rank < named && hasRival && !(gapKm > leastGapKm)) return 0;
      }
      return named === 0 ? 0 : numberOf(edges.subarray(0, named).join(" "));
    },
  };

  return (world) => {
    now = world;
    epoch = stateIn(world).epoch;
    return verdicts;
  };
}

/** Whether such verdicts can be had there: where a record tells the city, and not how far off it may be. */
export function isExact({ layer, accuracyRadiusKm = 0 }: Location): boolean {
  return layer === "city" && accuracyRadiusKm <= SAME_PLACE_KM;
}

/** Whether such verdicts say all that this decision for DNS depends on, while it is for a place where they can be had. */
export function goesByPlace(
  { outcome, service, edges }: Decision,
  roster: Pick<Roster, "service" | "stateIn" | "preferences">,
  world: World,
): boolean {
  return (
    outcome.kind === "edges" &&
    doesGoByPlace(roster, world) &&
    edges
      .slice(0, service.dns.answers)
      .every(({ edge }) => barrierKm(usedShare(world, edge.index, service.margin)) === 0)
  );
}

/**
 * Whether what a service's DNS answers name depends on place, prices and health alone, wherever anybody is eligible. Lots are drawn by network,
 * rules go by country or network, distances end at a limit: nothing of that may be in them, nor who holds viewers back, or is missed.
 */
export function doesGoByPlace(
  { service, stateIn, preferences }: Pick<Roster, "service" | "stateIn" | "preferences">,
  world: World,
): boolean {
  return (
    preferences === undefined &&
    service.rank === "nearest" &&
    service.affinity === "none" &&
    service.allow === undefined &&
    service.deny === undefined &&
    (service.experience === undefined || world.corrections === undefined) &&
    service.maxDistanceKm === Number.POSITIVE_INFINITY &&
    service.whenFull === "spill" &&
    stateIn(world).isNobodyMissed
  );
}

const MOST_NUMBERS = 10_000;
/** Distances have 32 bits. */
const ROUNDING_KM = 0.01;
