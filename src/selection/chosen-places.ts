import type { Client } from "../model/client.ts";
import type { Field } from "./field.ts";
import type { Numbering } from "./numbering.ts";
import { PlaceChooser } from "./place-chooser.ts";
import { FIRST_NUMBER, placeOf, Rows, STAMP, WORD } from "./rows.ts";
import type { Sight } from "./sights.ts";

/** By latitude and longitude: the position of what was chosen there last, in the word of a row. */
export class ChosenPlaces {
  readonly rows = new Rows();
  readonly #chooser = new PlaceChooser();
  readonly #numbering: Pick<Numbering, "at" | "positionFor">;

  constructor(numbering: Pick<Numbering, "at" | "positionFor">) {
    this.#numbering = numbering;
  }

  /**
   * The row of what is chosen now at `placed.place[at]` for the client, good until the next is asked for.
   * @param recordPrefixLength how many bits of his address the record holds for that tells the place
   * @returns less than 0: that has to be decided in full
   */
  rowAt(
    placed: Placed,
    at: number,
    sight: Sight,
    field: Field,
    stamp: number,
    client: Client,
    recordPrefixLength: number,
  ): number {
    const { roster, world } = sight;
    const { place, placeWords } = placed;
    const places = this.rows;
    const chooser = this.#chooser;
    const [head, rest] = [placeWords[at] as number, placeWords[at + 1] as number];
    const known = places.find(head, rest, stamp);
    if (known >= 0 && places.words[known + BY_LOT] === 0) {
      const alike = this.#numbering.at(places.words[known + WORD] as number);
      const isOfNow =
        places.words[known + STAMP] === stamp ||
        (alike !== undefined && stands(places, placeOf(known), alike.first, sight));
      if (isOfNow) places.words[known + STAMP] = stamp;
      if (isOfNow && alike?.isAtRest(world) === true) return known;
    }
    const [latitude, longitude] = [place[at] as number, place[at + 1] as number];
    if (!chooser.choose(field, sight, latitude, longitude, client, recordPrefixLength)) return NONE;
    const position = this.#numbering.positionFor(chooser);
    if (position < 0) return NONE;
    const row = known < 0 ? places.claim(head, rest, stamp) : known;
    places.words[row + STAMP] = stamp;
    places.words[row + WORD] = position;
    places.numbers[row + DISTANCE] = chooser.distanceKm;
    places.numbers[row + NEAREST] = chooser.nearestKm;
    places.words[row + BY_LOT] = chooser.isByLot ? 1 : 0;
    places.place[placeOf(row) + LIMIT] = chooser.limitKm;
    places.placeWords[placeOf(row) + ERA] = roster.stateIn(world).era;
    return row;
  }

  clear(): void {
    this.rows.clear();
  }
}

const NONE = -1;

/** Numbers of a row. */
export const DISTANCE = FIRST_NUMBER;
export const NEAREST = FIRST_NUMBER + 1;

/** Of a row of a place, 1: what is in it was chosen for one of its networks alone. */
const BY_LOT = FIRST_NUMBER + 2;

/**
 * Of its place, behind latitude and longitude: as `PlaceChooser.limitKm`, and the era for which that is; 0: for none.
 * The position in the row is good then too: with other positions there is another era.
 */
export const LIMIT = 2;
export const ERA = 3;
export type Placed = Pick<Rows, "place" | "placeWords">;

/**
 * Whether what was chosen for a place is chosen still, though prices have moved since.
 * @param at where the place begins in `rows`
 * @param edge that is named
 */
export function stands(rows: Placed, at: number, edge: number, { roster, world }: Sight): boolean {
  const { era, fallenKm } = roster.stateIn(world);
  const priceKm = world.priceKm[edge] as number;
  return rows.placeWords[at + ERA] === era && priceKm + fallenKm < (rows.place[at + LIMIT] as number);
}
