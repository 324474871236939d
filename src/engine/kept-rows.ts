import type { Client } from "../model/client.ts";
import type { Decision } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Alike } from "../selection/alike.ts";
import { choiceOf } from "../selection/choice-table.ts";
import { ChosenPlaces, DISTANCE, ERA, LIMIT, NEAREST, stands } from "../selection/chosen-places.ts";
import type { Field } from "../selection/field.ts";
import { canBeKept, isNetwork, NetworkTable } from "../selection/network-table.ts";
import { createNumbering } from "../selection/numbering.ts";
import { dependsOnLoad } from "../selection/rank.ts";
import { placeOf, STAMP, WORD } from "../selection/rows.ts";
import { noteSent, wasSentLately } from "../selection/sent-lately.ts";
import type { Sight, Sights } from "../selection/sights.ts";
import { type Scope, type Widening, WIDENING_TRIES } from "../selection/widening.ts";
import type { DecisionCounts } from "./decision-counts.ts";
import type { Foresight } from "./foresight.ts";

/** What decisions depend on. */
export interface Situation {
  readonly inventory: Inventory;
  readonly sights: Pick<Sights, "of">;
  readonly field: Field;
  readonly isPlaceless: (client: Client) => boolean;
  readonly counts: Pick<DecisionCounts, "alike">;
}

/** A decision that was made in full just now. */
export interface Made {
  readonly decision: Decision;
  readonly sight: Sight;
  /** Whether it goes by place, and the edges that are chosen there are told from the place alone. */
  readonly isForPlace: boolean;
}

export interface KeptRowsOptions {
  readonly widened: Widening["widened"];
  /** How many more viewers than usual come with an answer for the place. */
  readonly returningTo: Foresight["returningTo"];
  readonly monotonicMs: () => number;
}

/**
 * What was decided for networks, a row for each: by whom it is answered alike, how far that holds, and the place that
 * it was decided for. Rows are as `NetworkTable` has them: good until the next is kept.
 */
export class KeptRows {
  readonly #table = new NetworkTable();
  readonly #numbering = createNumbering();
  readonly #places = new ChosenPlaces(this.#numbering);
  readonly #options: KeptRowsOptions;

  constructor(options: KeptRowsOptions) {
    this.#options = options;
  }

  /** Whether there is hardly a number left for decisions that are unlike all others. */
  get isFull(): boolean {
    return this.#numbering.isFull;
  }

  /** @returns the client's row, of now or of old; less than 0: there is none */
  find(client: Client, stamp: number): number {
    return this.#table.find(client, stamp);
  }

  isOfNow(row: number, stamp: number): boolean {
    return this.#table.words[row + STAMP] === stamp;
  }

  /** By whom a row of now is answered alike; undefined: numbers have been given anew since. */
  alikeAt(row: number): Alike | undefined {
    return this.#numbering.at(alikeIn(this.#wordAt(row)));
  }

  /** How many leading bits of the client's address it holds for. */
  scopeAt(row: number): number {
    return scopeIn(this.#wordAt(row));
  }

  /** How often it may still be found to hold for a wider network. */
  triesAt(row: number): number {
    return triesIn(this.#wordAt(row));
  }

  /** Latitude and longitude that rows were decided for: of one, at `placeAt`. */
  get place(): Float32Array {
    return this.#table.place;
  }

  placeAt(row: number): number {
    return placeOf(row);
  }

  /** @returns the row, less than 0: it is not to be kept */
  keep(client: Client, stamp: number, made: Made, scope: Scope, now: Situation): number {
    const { decision, sight, isForPlace } = made;
    const { service, location, edges, nearestKm, scopePrefixLength } = decision;
    if (dependsOnLoad(service.rank, location)) return NOT_KEPT;
    const hasPlace = isForPlace && canBeKept(client, scopePrefixLength);
    // With scope 0 the edges are everybody's, but their distances are those of one record.
    const counting = scope.prefixLength || scopePrefixLength;
    const table = this.#table;
    const row = table.claim(client, stamp, counting, hasPlace ? scopePrefixLength : NO_PLACE);
    if (row === NOT_KEPT) return NOT_KEPT;
    const { words, numbers, place, placeWords } = table;
    const position = this.#numbering.positionOf(decision, () => now.counts.alike(decision, "dns"));
    if (isForPlace)
      this.#numbering.remember(choiceOf(decision, sight.roster.stateIn(sight.world).condition), position);
    words[row + WORD] = wordOf(position, scope.prefixLength, scope.triesLeft);
    numbers[row + DISTANCE] = edges[0]?.distanceKm ?? Number.NaN;
    numbers[row + NEAREST] = nearestKm;
    const at = placeOf(row);
    place[at] = location.latitude ?? Number.NaN;
    place[at + 1] = location.longitude ?? Number.NaN;
    placeWords[at + ERA] = 0;
    return row;
  }

  /** What is decided for an old row still; it is one of now then. */
  stillDecided(row: number, sight: Sight, client: Client, stamp: number): Alike | undefined {
    const { words, place, placeWords } = this.#table;
    const at = placeOf(row);
    if (placeWords[at + ERA] !== sight.roster.stateIn(sight.world).era) return undefined;
    const position = alikeIn(this.#wordAt(row));
    const alike = this.#numbering.at(position) as Alike;
    if (!stands(this.#table, at, alike.first, sight)) return undefined;
    if (this.#options.returningTo(sight.service, client, place[at], place[at + 1]) > 0) return undefined;
    words[row + STAMP] = stamp;
    words[row + WORD] = wordOf(position, this.#table.asideAt(row), WIDENING_TRIES);
    return alike;
  }

  /** Makes an old row one of now. @returns what is decided for it now; undefined: that has to be decided in full */
  renew(row: number, sight: Sight, client: Client, stamp: number, field: Field): Alike | undefined {
    const recordPrefixLength = this.#table.asideAt(row);
    if (recordPrefixLength === NO_PLACE) return undefined;
    const { words, place, placeWords } = this.#table;
    const at = placeOf(row);
    if (this.#options.returningTo(sight.service, client, place[at], place[at + 1]) > 0) return undefined;
    const places = this.#places;
    const chosen = places.rowAt(this.#table, at, sight, field, stamp, client, recordPrefixLength);
    if (chosen < 0) return undefined;
    const { rows } = places;
    const position = rows.words[chosen + WORD] as number;
    words[row + STAMP] = stamp;
    words[row + WORD] = wordOf(position, recordPrefixLength, WIDENING_TRIES);
    words[row + DISTANCE] = rows.words[chosen + DISTANCE] as number;
    words[row + NEAREST] = rows.words[chosen + NEAREST] as number;
    place[at + LIMIT] = rows.place[placeOf(chosen) + LIMIT] as number;
    placeWords[at + ERA] = rows.placeWords[placeOf(chosen) + ERA] as number;
    return this.#numbering.at(position);
  }

  /** One more try for a wider network, by any decision that is answered alike. */
  widen(row: number, decision: Decision, client: Client, sight: Sight): void {
    const word = this.#wordAt(row);
    const from = { prefixLength: scopeIn(word), triesLeft: triesIn(word) };
    const { prefixLength, triesLeft } = this.#options.widened(decision, client, sight, from);
    this.#table.words[row + WORD] = wordOf(alikeIn(word), prefixLength, triesLeft);
  }

  /** One more like these, at the row's distances. */
  count(row: number, { count }: Alike): void {
    count(this.#table.numbers, row + DISTANCE);
  }

  /** Whether the row says that it was sent somewhere lately. Hosts are told apart elsewhere. */
  wasSent(row: number, client: Client, { edges, service }: Decision, { world: { up } }: Sight): boolean {
    const [best] = edges;
    if (best === undefined || !isNetwork(client)) return false;
    const windowMs = service.dns.ttlSeconds * 1000;
    const nowMs = this.#options.monotonicMs();
    return wasSentLately(this.#table.words, row, best.edge.index, up, windowMs, nowMs);
  }

  /** From now on it was sent to the first edge of the decision. */
  noteSent(row: number, { edges, ttlSeconds }: Decision): void {
    const [best] = edges;
    if (best === undefined) return;
    const untilMs = this.#options.monotonicMs() + ttlSeconds * 1000;
    noteSent(this.#table.words, row, best.edge.index, untilMs);
  }

  /** Gives numbers anew: rows of old are known for their places alone. */
  beginNumbers(): void {
    this.#numbering.begin();
  }

  clear(): void {
    this.#table.clear();
    this.#places.clear();
  }

  #wordAt(row: number): number {
    return this.#table.words[row + WORD] as number;
  }
}

export const NOT_KEPT = -1;
/**
 * What stands aside in a row: how many bits the record holds for that tells the place, or that nothing is decided for
 * places.
 */
const NO_PLACE = 255;

/** The word of a row: by whom it is answered alike, and its `Scope`. */
function wordOf(alike: number, prefixLength: number, triesLeft: number): number {
  return (triesLeft << 24) | (prefixLength << 16) | alike;
}

function alikeIn(word: number): number {
  return word & 0xffff;
}

function scopeIn(word: number): number {
  return (word >>> 16) & 0xff;
}

function triesIn(word: number): number {
  return word >>> 24;
}
