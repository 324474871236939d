import type { Client } from "../model/client.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import { namedWithin } from "./band.ts";
import { CHOICE_WORDS, type PlaceChoice } from "./choice-table.ts";
import { drawWith } from "./contest.ts";
import type { Field } from "./field.ts";
import type { Kept } from "./kept.ts";
import { KEPT_EDGES } from "./nearest-table.ts";
import { doesGoByPlace } from "./place-verdicts.ts";
import { priceKm, SAME_PLACE_KM } from "./price.ts";
import type { Roster } from "./roster.ts";
import type { Sight } from "./sights.ts";
import { networkKey } from "./spread.ts";
import { STANDING, standingOf } from "./standing.ts";

/**
 * What `select` chooses for DNS at a place, where that is all that it depends on: found again for each network at
 * each new price, and so without anything that is not needed for an answer that was given before.
 */
export class PlaceChooser implements PlaceChoice {
  condition = 0;
  readonly words = new Uint32Array(CHOICE_WORDS);
  count = 0;
  answers = 0;
  /** Kilometres to the first edge, and as in `Decision`. */
  distanceKm = Number.NaN;
  nearestKm = Number.NaN;
  /**
   * Where one edge is answered: below which price, together with `ServiceState.fallenKm`, it is chosen here all
   * through this era, whatever the others cost then, kilometres; otherwise less than any.
   */
  limitKm = NEVER;
  /** Whether lots were drawn, so that the choice is for the network alone, and not for others at its place. */
  isByLot = false;
  readonly #edges = new Uint16Array(this.words.buffer);
  /**
   * The two lowest sums of distance and price of edges in service, without what each viewer adds: the second is the
   * lowest of another edge, or, where an edge is chosen whose own is not the lowest, no higher than its own, which
   * leaves it nothing to spare.
   */
  #lowestKm = 0;
  #secondKm = 0;

  /**
   * The place is one where a record tells the city (`isExact`).
   * @param client whose network draws, where lots are drawn, by so many bits of his address at most as the record of
   * the place holds for
   * @returns false: it has to be decided in full, because nobody is eligible, or it depends on more than the place;
   * nothing else is changed then
   */
  choose(
    field: Field,
    { roster, world }: Pick<Sight, "roster" | "world">,
    latitude: number,
    longitude: number,
    client: Client,
    recordPrefixLength: number,
  ): boolean {
    const { service } = roster;
    if (!doesGoByPlace(roster, world)) return false;
    const { kept } = field;
    const nearestKm = this.#collect(field, roster, world, latitude, longitude);
    if (kept.count === 0) return false;
    this.isByLot = !areApart(kept, service);
    if (this.isByLot) drawLots(field, client, Math.min(recordPrefixLength, client.prefixLength));
    this.#take(kept, service);
    const { condition, fallenKm } = roster.stateIn(world);
    this.condition = condition;
    this.distanceKm = kept.km[0] as number;
    const spareKm = fallenKm - this.distanceKm - SAME_PLACE_KM - ROUNDING_KM;
    this.limitKm = service.dns.answers === 1 && !this.isByLot ? this.#secondKm + spareKm : NEVER;
    this.nearestKm = nearestKm;
    return true;
  }

  /** As in `select`, with what is nothing here left out. @returns how far the nearest edge in service is */
  #collect(
    { candidates, kept }: Field,
    roster: Roster,
    world: World,
    latitude: number,
    longitude: number,
  ): number {
    const { service } = roster;
    let nearestKm = Number.POSITIVE_INFINITY;
    candidates.around(roster, latitude, longitude);
    kept.begin(service.dns.answers, SAME_PLACE_KM);
    this.#lowestKm = this.#secondKm = Number.POSITIVE_INFINITY;
    for (let i = 0; i < candidates.count; i++) {
      const km = candidates.kmAt(i);
      if (kept.isBeyond(km) && (km >= this.#secondKm || i + 1 >= KEPT_EDGES)) {
        // No sum is lower than the distance, and whoever comes later is further away.
        this.#secondKm = Math.min(this.#secondKm, km);
        break;
      }
      const edge = candidates.edgeAt(i);
      const standing = standingOf(edge, km, service, world, undefined);
      const isEligible = standing === STANDING.ELIGIBLE;
      if (!isEligible && standing !== STANDING.FULL && standing !== STANDING.WARMING) continue;
      nearestKm = Math.min(nearestKm, km);
      this.#rank(km + (world.priceKm[edge] as number));
      if (isEligible) kept.add(edge, km, km + priceKm({ world, service, viewer: ALONE }, edge), 0);
    }
    return nearestKm;
  }

  #rank(scoreKm: number): void {
    if (scoreKm < this.#lowestKm) {
      this.#secondKm = this.#lowestKm;
      this.#lowestKm = scoreKm;
    } else if (scoreKm < this.#secondKm) this.#secondKm = scoreKm;
  }

  #take(kept: Kept, { dns }: Service): void {
    this.count = Math.min(dns.answers, kept.count);
    this.answers = namedWithin(dns.answersWithin, kept.scores, this.count);
    this.words.fill(0);
    for (let rank = 0; rank < this.count; rank++) this.#edges[rank] = kept.edges[rank] as number;
  }
}

const ALONE = {};
const NEVER = Number.NEGATIVE_INFINITY;
/** Distances and limits have 32 bits. */
const ROUNDING_KM = 0.05;

/** As in `select` for an edge's place that is exact: among those at one place, by their weights. */
function drawLots(field: Field, { address }: Client, prefixLength: number): void {
  const key = networkKey(address, prefixLength);
  field.kept.spread(SAME_PLACE_KM, (edge) => drawWith(key, field, edge, 1));
}

/** Whether no lot is drawn between those who are named, or with whoever comes behind them. */
function areApart({ count, scores }: Kept, { dns }: Service): boolean {
  const last = Math.min(count - 1, dns.answers);
  for (let rank = 1; rank <= last; rank++)
    if (!((scores[rank] as number) - (scores[rank - 1] as number) > SAME_PLACE_KM)) return false;
  return true;
}
