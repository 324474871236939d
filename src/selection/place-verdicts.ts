import type { Decision } from "../model/decision.ts";
import type { Location, PlaceVerdicts } from "../model/location.ts";
import type { World } from "../model/world.ts";
import { bandKm } from "./band.ts";
import type { Candidates } from "./candidates.ts";
import { barrierKm, usedShare } from "./live.ts";
import { priceKm, SAME_PLACE_KM } from "./price.ts";
import type { Roster, VerdictsByWorld } from "./roster.ts";
import { STANDING, standingOf } from "./standing.ts";

/**
 * Which edges a DNS answer would name for a place, or anywhere within a circle: there, no score differs by more than
 * the radius from that at the centre, so that an order with larger gaps than twice the radius is the order
 * everywhere. For services that are ranked by distance and price, and for eligible edges only.
 */
export class VerdictsByPlace implements PlaceVerdicts, VerdictsByWorld {
  readonly #roster: VerdictRoster;
  readonly #candidates: Candidates;
  /** Of the best, and of the one behind the last that is wanted. */
  readonly #scores: Float64Array;
  readonly #edges: Uint16Array;
  readonly #numbers = new Map<string, number>();
  #numbered = 0;
  #now: World | undefined;
  epoch = 0;

  constructor(roster: VerdictRoster, candidates: Candidates) {
    this.#roster = roster;
    this.#candidates = candidates;
    const { answers } = roster.service.dns;
    this.#scores = new Float64Array(answers + 1);
    this.#edges = new Uint16Array(answers + 1);
  }

  in(world: World): PlaceVerdicts {
    this.#now = world;
    this.epoch = this.#roster.stateIn(world).epoch;
    return this;
  }

  of(latitude: number, longitude: number, radiusKm: number): number {
    const now = this.#now;
    if (now === undefined) return 0;
    const { service, listed } = this.#roster;
    const wanted = service.dns.answers;
    this.#candidates.asListed({ listed }, { layer: "city", latitude, longitude });
    const count = this.#findBest(now, wanted);
    const named = this.#namedAnywhere(Math.min(wanted, count), radiusKm);
    if (named === undefined) return 0;
    const leastGapKm = 2 * radiusKm + SAME_PLACE_KM + ROUNDING_KM;
    for (let rank = 0; rank < count; rank++) {
      // Whoever is filling up is dearer in a moment.
      if (barrierKm(usedShare(now, this.#edges[rank] as number, service.margin)) > 0) return 0;
      const gapKm = (this.#scores[rank + 1] as number) - (this.#scores[rank] as number);
      // Who is left out by the band is no rival of the last that is named.
      const hasRival = rank + 1 < count && (rank + 1 < named || named === wanted);
      if (rank < named && hasRival && !(gapKm > leastGapKm)) return 0;
    }
    return named === 0 ? 0 : this.#numberOf(this.#edges.subarray(0, named).join(" "));
  }

  #numberOf(names: string): number {
    const known = this.#numbers.get(names) ?? ++this.#numbered;
    if (this.#numbers.size > MOST_NUMBERS) this.#numbers.clear();
    this.#numbers.set(names, known);
    return known;
  }

  #findBest(world: World, wanted: number): number {
    const { service } = this.#roster;
    const candidates = this.#candidates;
    const scores = this.#scores;
    const edges = this.#edges;
    let count = 0;
    for (let i = 0; i < candidates.count; i++) {
      const edge = candidates.edgeAt(i);
      const km = candidates.kmAt(i);
      if (standingOf(edge, km, service, world, undefined) !== STANDING.ELIGIBLE) continue;
      const score = km + priceKm({ world, service, viewer: {} }, edge);
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
  }

  /** How many are within the band of the best; undefined where that differs within the circle. */
  #namedAnywhere(most: number, radiusKm: number): number | undefined {
    const { answersWithin } = this.#roster.service.dns;
    if (answersWithin === undefined) return most;
    const scores = this.#scores;
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
  }
}

type VerdictRoster = Pick<Roster, "service" | "listed" | "stateIn">;

/** Whether such verdicts can be had there: where a record tells the city, and not how far off it may be. */
export function isExact({ layer, accuracyRadiusKm = 0 }: Location): boolean {
  return layer === "city" && accuracyRadiusKm <= SAME_PLACE_KM;
}

/**
 * Whether such verdicts say all that this decision for DNS depends on, while it is for a place where they can be had.
 */
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
 * Whether what a service's DNS answers name depends on place, prices and health alone, wherever anybody is eligible.
 * Lots are drawn by network, rules go by country or network, distances end at a limit: nothing of that may be in
 * them, nor who holds viewers back, or is missed.
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
