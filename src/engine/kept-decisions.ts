import type { DecisionCounts } from "./decision-counts.ts";
import type { Client } from "../model/client.ts";
import type { Decision, Memory, Question, Recall } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Widen } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import { askAgainMs } from "../pricing/recent.ts";
import type { Alike } from "../selection/alike.ts";
import { choiceOf } from "../selection/choice-table.ts";
import type { Field } from "../selection/field.ts";
import { createLineages } from "../selection/lineages.ts";
import { createLooks } from "../selection/looks.ts";
import { canBeKept, isNetwork, NetworkTable } from "../selection/network-table.ts";
import { createNumbering } from "../selection/numbering.ts";
import { PlaceChooser } from "../selection/place-chooser.ts";
import { doesGoByPlace, goesByPlace, isExact } from "../selection/place-verdicts.ts";
import { dependsOnLoad } from "../selection/rank.ts";
import type { ServiceState } from "../selection/roster.ts";
import { FIRST_NUMBER, placeOf, Rows, STAMP, WORD } from "../selection/rows.ts";
import { isSameForAll } from "../selection/same-for-all.ts";
import { type Sight, type Sights, sightNames } from "../selection/sights.ts";
import { noteSent, wasSentLately } from "../selection/sent-lately.ts";

/**
 * For DNS, which sees networks: what was decided is known for all of a network, while nothing changes that it depends on. After that, in
 * another world, by another configuration, or while an edge fills up, the network's place is still known. Where a decision goes by place alone it is
 * chosen anew among the edges, and if one with the same edges was made before, it is answered alike.
 *
 * ```
 * client's network ─► known? ─┬─ yes ──────────────────────────────────► the number of the decisions that are answered alike, the scope
 *                             ├─ of old ─► chosen for its place ─► known ─►┘
 *                             └─ no ──► made ─► widened ─► kept
 * ```
 */
export interface KeptDecisions {
  /** @param sight of the service, for the question */
  decide(service: Service, question: Question, sight: Sight): Decision;
  /** What was decided last, if it is kept. */
  readonly recall: Recall;
  /** To be told where the decision was counted as that of a viewer who was sent nowhere lately. */
  sent(decision: Decision): void;
  /** With the widest scope that can be found in a moment longer than a query has. */
  explained(decision: Decision, sight: Sight, client: Client): Decision;
  /** From now on. What is kept of another inventory is known for its places alone. */
  take(situation: Situation): void;
  /** To be called when networks may be elsewhere. */
  forget(): void;
  /** Nothing was decided yet: time may stand before what it was. */
  begin(): void;
}

/** What decisions depend on. */
export interface Situation {
  readonly inventory: Inventory;
  readonly sights: Pick<Sights, "of">;
  readonly field: Field;
  readonly isPlaceless: (client: Client) => boolean;
  readonly counts: Pick<DecisionCounts, "alike">;
}

export interface KeptDecisionsOptions {
  readonly choose: (sight: Sight, question: Question, most: number) => Decision;
  readonly widen: Widen;
  /** How many more viewers than usual come with an answer for the place. */
  readonly returningTo: (service: Service, client: Client, latitude: number, longitude: number) => number;
  readonly monotonicMs: () => number;
  /**
   * Told of each that is found and counted, but of whom the row says that he was sent somewhere lately; and where it was decided for: latitude and
   * longitude at `place[at]`.
   * @returns as `sent` is to be told
   */
  readonly onAgain: (
    decision: Decision,
    client: Client,
    sight: Sight,
    place: Float32Array,
    at: number,
  ) => boolean;
}

export function createKeptDecisions(options: KeptDecisionsOptions): KeptDecisions {
  const { choose, widen, returningTo, monotonicMs, onAgain } = options;
  const table = new NetworkTable();
  const chooser = new PlaceChooser();
  /** By latitude and longitude: what was chosen there last. */
  const places = new Rows();
  const lineages = createLineages(() => {
    table.clear();
    places.clear();
  });
  const numbering = createNumbering();
  const memories = new Map<Service, Memory>();
  const memoriesOverIpv4 = new Map<Service, Memory>();
  let situation: Situation | undefined;
  const looks = createLooks(monotonicMs);
  let last: Last | undefined;

  /**
   * Networks around the client's that are decided alike may share an answer: it is looked for as far as there is time.
   * @returns how long the prefix may be; 0 in `triesLeft` once that is the end of it
   */
  const widened = (
    decision: Decision,
    client: Client,
    { roster, world }: Sight,
    from: Scope,
    most: number,
  ): Scope => {
    if (isSameForAll(roster)) return { prefixLength: 0, triesLeft: 0 };
    const left = from.triesLeft === 0 ? 0 : Math.min(most, looks.left());
    if (left <= 0) return from;
    if (client.prefixLength === 0 || !goesByPlace(decision, roster, world)) return { ...from, triesLeft: 0 };
    const looksPerStep = LOOKS_BESIDE_EDGES + roster.listed.length;
    const steps = Math.ceil(left / looksPerStep);
    const found = widen(client, roster.verdicts.in(world), steps);
    const { prefixLength = from.prefixLength, isFinal = true } = found ?? {};
    looks.take(LOOKS_BESIDE_EDGES + (found?.steps ?? 0) * looksPerStep);
    return {
      prefixLength: Math.min(prefixLength, from.prefixLength),
      triesLeft: isFinal ? 0 : from.triesLeft - 1,
    };
  };

  /** One more try for what is kept, by any decision that is answered alike. */
  const tryAgain = (row: number, decision: Decision, client: Client, sight: Sight): void => {
    const word = table.words[row + WORD] as number;
    const from = { prefixLength: scopeIn(word), triesLeft: triesIn(word) };
    const { prefixLength, triesLeft } = widened(decision, client, sight, from, LOOKS_PER_DECISION);
    table.words[row + WORD] = wordOf(alikeIn(word), prefixLength, triesLeft);
  };

  const keep = (client: Client, stamp: number, made: Made, scope: Scope): number => {
    const { decision, sight, isForPlace } = made;
    const { service, location, edges, nearestKm, scopePrefixLength } = decision;
    if (dependsOnLoad(service.rank, location)) return NOT_KEPT;
    const { counts } = situation as Situation;
    const hasPlace = isForPlace && canBeKept(client, scopePrefixLength);
    // With scope 0 the edges are everybody's, but their distances are those of one record.
    const counting = scope.prefixLength || scopePrefixLength;
    const row = table.claim(client, stamp, counting, hasPlace ? scopePrefixLength : NO_PLACE);
    if (row === NOT_KEPT) return NOT_KEPT;
    const { words, numbers } = table;
    const position = numbering.positionOf(decision, () => counts.alike(decision, "dns"));
    if (isForPlace)
      numbering.remember(choiceOf(decision, sight.roster.stateIn(sight.world).condition), position);
    words[row + WORD] = wordOf(position, scope.prefixLength, scope.triesLeft);
    numbers[row + DISTANCE] = edges[0]?.distanceKm ?? Number.NaN;
    numbers[row + NEAREST] = nearestKm;
    table.place[placeOf(row)] = location.latitude ?? Number.NaN;
    table.place[placeOf(row) + 1] = location.longitude ?? Number.NaN;
    table.placeWords[placeOf(row) + ERA] = 0;
    return row;
  };

  /** Whether the row says so. Hosts are told apart elsewhere. */
  const wasSent = (
    row: number,
    client: Client,
    { edges, service }: Decision,
    { world: { up } }: Sight,
  ): boolean => {
    const [best] = edges;
    if (best === undefined || !isNetwork(client)) return false;
    return wasSentLately(table.words, row, best.edge.index, up, askAgainMs(service), monotonicMs());
  };

  const noteAt = (row: number, { edges, service }: Decision): void => {
    const [best] = edges;
    if (best !== undefined) noteSent(table.words, row, best.edge.index, monotonicMs() + askAgainMs(service));
  };

  /** What is decided for an old row still; it is one of now then. */
  const stillDecided = (row: number, sight: Sight, client: Client, stamp: number): Alike | undefined => {
    const at = placeOf(row);
    if (table.placeWords[at + ERA] !== sight.roster.stateIn(sight.world).era) return undefined;
    const { words, place } = table;
    const position = alikeIn(words[row + WORD] as number);
    const alike = numbering.at(position) as Alike;
    if (!stands(table, at, alike.first, sight)) return undefined;
    if (returningTo(sight.service, client, place[at] as number, place[at + 1] as number) > 0)
      return undefined;
    words[row + STAMP] = stamp;
    words[row + WORD] = wordOf(position, table.asideAt(row), WIDENING_TRIES);
    return alike;
  };

  /** Makes an old row one of now. @returns what is decided for it now; undefined: that has to be decided in full */
  const renew = (row: number, sight: Sight, client: Client, stamp: number): Alike | undefined => {
    const recordPrefixLength = table.asideAt(row);
    if (recordPrefixLength === NO_PLACE) return undefined;
    const { words, place } = table;
    const at = placeOf(row);
    if (returningTo(sight.service, client, place[at] as number, place[at + 1] as number) > 0)
      return undefined;
    const chosen = chosenAt(at, sight, stamp);
    if (chosen < 0) return undefined;
    const position = places.words[chosen + WORD] as number;
    words[row + STAMP] = stamp;
    words[row + WORD] = wordOf(position, recordPrefixLength, WIDENING_TRIES);
    words[row + DISTANCE] = places.words[chosen + DISTANCE] as number;
    words[row + NEAREST] = places.words[chosen + NEAREST] as number;
    place[at + LIMIT] = places.place[placeOf(chosen) + LIMIT] as number;
    table.placeWords[at + ERA] = places.placeWords[placeOf(chosen) + ERA] as number;
    return numbering.at(position);
  };

  /** The row of what is chosen now at `table.place[at]`; -1: that has to be decided in full. */
  const chosenAt = (at: number, sight: Sight, stamp: number): number => {
    const { roster, world } = sight;
    const { place, placeWords } = table;
    const [head, rest] = [placeWords[at] as number, placeWords[at + 1] as number];
    const known = places.find(head, rest, stamp);
    if (known >= 0) {
      const alike = numbering.at(places.words[known + WORD] as number);
      const isOfNow =
        places.words[known + STAMP] === stamp ||
        (alike !== undefined && stands(places, placeOf(known), alike.first, sight));
      if (isOfNow) places.words[known + STAMP] = stamp;
      if (isOfNow && alike?.isAtRest(world) === true) return known;
    }
    const { field } = situation as Situation;
    if (!chooser.choose(field, roster, world, place[at] as number, place[at + 1] as number)) return NOT_KEPT;
    const position = numbering.positionFor(chooser);
    if (position < 0) return NOT_KEPT;
    const row = known < 0 ? places.claim(head, rest, stamp) : known;
    places.words[row + STAMP] = stamp;
    places.words[row + WORD] = position;
    places.numbers[row + DISTANCE] = chooser.distanceKm;
    places.numbers[row + NEAREST] = chooser.nearestKm;
    places.place[placeOf(row) + LIMIT] = chooser.limitKm;
    places.placeWords[placeOf(row) + ERA] = roster.stateIn(world).era;
    return row;
  };

  const make = (sight: Sight, question: Question): Made => {
    const decision = choose(sight, question, sight.service.dns.answers);
    const isForPlace =
      isExact(decision.location) &&
      decision.outcome.kind === "edges" &&
      doesGoByPlace(sight.roster, sight.world);
    return { decision, sight, isForPlace };
  };

  const memoryOf = (service: Service, needsIpv4: boolean): Memory => {
    const { inventory } = situation as Situation;
    let seenIn = situation as Situation;
    let sight = seenIn.sights.of(service, "dns", needsIpv4);
    let lineage = lineages.of(sight.name);
    const look = (now: Situation): void => {
      seenIn = now;
      sight = now.sights.of(service, "dns", needsIpv4);
      lineage = lineages.of(sight.name);
    };
    let foundAt = 0;
    let found: Alike | undefined;
    let epoch = 0;
    let sinceMs = 0;
    /** Whether it is worth while to look for wider scopes: they are good for no other epoch. */
    const isSettled = (): boolean => monotonicMs() - sinceMs >= SETTLED_MS;
    const stampIn = (state: ServiceState): number => {
      if (state.epoch !== epoch) sinceMs = monotonicMs();
      epoch = state.epoch;
      return lineage.stampIn(epoch);
    };
    const memory: Memory = {
      get scopePrefixLength() {
        return scopeIn(table.words[foundAt + WORD] as number);
      },
      find(client) {
        const now = situation as Situation;
        if (now.inventory !== inventory || now.isPlaceless(client)) return 0;
        if (now !== seenIn) look(now);
        const stamp = stampIn(sight.roster.stateIn(sight.world));
        const row = table.find(client, stamp);
        if (row < 0) return 0;
        const isOfNow = table.words[row + STAMP] === stamp;
        const known = isOfNow
          ? numbering.at(alikeIn(table.words[row + WORD] as number))
          : stillDecided(row, sight, client, stamp);
        found = known?.isAtRest(sight.world) === true ? known : renew(row, sight, client, stamp);
        if (found === undefined) return 0;
        foundAt = row;
        if (triesIn(table.words[row + WORD] as number) > 0 && isSettled() && looks.left() > 0)
          tryAgain(row, found.decision, client, sight);
        return found.number;
      },
      count(client) {
        const { decision, count } = found as Alike;
        count(table.numbers, foundAt + DISTANCE);
        if (wasSent(foundAt, client, decision, sight)) return;
        if (onAgain(decision, client, sight, table.place, placeOf(foundAt))) noteAt(foundAt, decision);
      },
      repeat(client, number, scopePrefixLength) {
        if (memory.find(client) !== number || memory.scopePrefixLength !== scopePrefixLength) return false;
        memory.count(client);
        return true;
      },
    };
    return memory;
  };

  const forget = (): void => {
    table.clear();
    places.clear();
    last = undefined;
  };

  return {
    decide(service, question, sight) {
      const { client, needsIpv4 = false } = question;
      const { roster, world } = sight;
      const asked = { service, needsIpv4 };
      const stamp = lineages.of(sight.name).stampIn(roster.stateIn(world).epoch);
      const made = make(sight, question);
      const { decision: chosen } = made;
      const row = table.find(client, stamp);
      const isOfNow = row >= 0 && table.words[row + STAMP] === stamp;
      const known = isOfNow ? numbering.at(alikeIn(table.words[row + WORD] as number)) : undefined;
      if (known?.isAtRest(world) === true) {
        tryAgain(row, chosen, client, sight);
        const decision = withScope(chosen, scopeIn(table.words[row + WORD] as number));
        last = { decision, row, asked };
        return decision;
      }
      const scope = widened(chosen, client, sight, scopeOf(chosen), LOOKS_PER_DECISION);
      const decision = withScope(chosen, scope.prefixLength);
      last = { decision, row: keep(client, stamp, made, scope), asked };
      if (numbering.isFull) {
        numbering.begin();
        forget();
      }
      return decision;
    },
    recall(decision) {
      if (last === undefined || last.decision !== decision || last.row === NOT_KEPT) return undefined;
      const alike = numbering.at(alikeIn(table.words[last.row + WORD] as number)) as Alike;
      const { service, needsIpv4 } = last.asked;
      const its = needsIpv4 ? memoriesOverIpv4 : memories;
      const memory = its.get(service) ?? memoryOf(service, needsIpv4);
      its.set(service, memory);
      return { memory, number: alike.number };
    },
    sent(decision) {
      if (last?.decision === decision && last.row !== NOT_KEPT) noteAt(last.row, decision);
    },
    explained(decision, sight, client) {
      const giveBack = looks.lend(LOOKS_TO_EXPLAIN);
      const { prefixLength } = widened(decision, client, sight, scopeOf(decision), LOOKS_TO_EXPLAIN);
      giveBack();
      return withScope(decision, prefixLength);
    },
    take(next) {
      const isNew = situation?.inventory !== next.inventory;
      situation = next;
      if (!isNew) return;
      memories.clear();
      memoriesOverIpv4.clear();
      numbering.begin();
      lineages.keepOnly(new Set(next.inventory.services.flatMap(sightNames)));
      last = undefined;
    },
    forget,
    begin() {
      forget();
      looks.begin();
    },
  };
}

/** How far a decision holds, and how often that may still be found to be further. */
interface Scope {
  readonly prefixLength: number;
  readonly triesLeft: number;
}

function scopeOf({ location, scopePrefixLength }: Decision): Scope {
  return { prefixLength: scopePrefixLength, triesLeft: isExact(location) ? WIDENING_TRIES : 0 };
}

function withScope(decision: Decision, prefixLength: number): Decision {
  return prefixLength === decision.scopePrefixLength
    ? decision
    : { ...decision, scopePrefixLength: prefixLength };
}

interface Last {
  readonly decision: Decision;
  readonly row: number;
  readonly asked: { readonly service: Service; readonly needsIpv4: boolean };
}

interface Made {
  readonly decision: Decision;
  readonly sight: Sight;
  /** Whether it goes by place, and the edges that are chosen there are told from the place alone. */
  readonly isForPlace: boolean;
}

const NOT_KEPT = -1;
/** What stands aside in a row: how many bits the record holds for that tells the place, or that nothing is decided for places. */
const NO_PLACE = 255;

/** Numbers of a row. */
const DISTANCE = FIRST_NUMBER;
const NEAREST = FIRST_NUMBER + 1;

/**
 * Of its place, behind latitude and longitude: as `PlaceChooser.limitKm`, and the era for which that is; 0: for none. The position in the row is good then
 * too: with other positions there is another era.
 */
const LIMIT = 2;
const ERA = 3;
type Placed = Pick<Rows, "place" | "placeWords">;

/**
 * Whether what was chosen for a place is chosen still, though prices have moved since.
 * @param at where the place begins in `rows`
 * @param edge that is named
 */
function stands(rows: Placed, at: number, edge: number, { roster, world }: Sight): boolean {
  const { era, fallenKm } = roster.stateIn(world);
  const priceKm = world.priceKm[edge] as number;
  return rows.placeWords[at + ERA] === era && priceKm + fallenKm < (rows.place[at + LIMIT] as number);
}

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

const WIDENING_TRIES = 4;
/** Prices that move do so every two seconds. */
const SETTLED_MS = 3000;
/** What a step of widening costs is counted in looks at edges: it measures the distance to each, and does other things. */
const LOOKS_BESIDE_EDGES = 16;
/** About 100 microseconds, however many edges there are. */
const LOOKS_PER_DECISION = 3600;
const LOOKS_TO_EXPLAIN = 1_000_000;
