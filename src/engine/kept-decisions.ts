import type { Client } from "../model/client.ts";
import type { Decision, Memory, Question, Recall } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Widen } from "../model/location.ts";
import type { Service } from "../model/service.ts";
import type { Alike } from "../selection/alike.ts";
import { choiceOf } from "../selection/choice-table.ts";
import { ChosenPlaces, DISTANCE, ERA, LIMIT, NEAREST, stands } from "../selection/chosen-places.ts";
import type { Field } from "../selection/field.ts";
import { createLineages } from "../selection/lineages.ts";
import { canBeKept, isNetwork, NetworkTable } from "../selection/network-table.ts";
import { createNumbering } from "../selection/numbering.ts";
import { doesGoByPlace, isExact } from "../selection/place-verdicts.ts";
import { dependsOnLoad } from "../selection/rank.ts";
import type { ServiceState } from "../selection/roster.ts";
import { placeOf, STAMP, WORD } from "../selection/rows.ts";
import { noteSent, wasSentLately } from "../selection/sent-lately.ts";
import { type Sight, type Sights, sightNames } from "../selection/sights.ts";
import { createWidening, type Scope, scopeOf, WIDENING_TRIES } from "../selection/widening.ts";
import type { DecisionCounts } from "./decision-counts.ts";
import type { Foresight } from "./foresight.ts";

/**
 * For DNS, which sees networks: what was decided is known for all of a network, while nothing changes that it depends
 * on. After that, in another world, by another configuration, or while an edge fills up, the network's place is still
 * known. Where a decision goes by place alone it is chosen anew among the edges, and if one with the same edges was
 * made before, it is answered alike.
 *
 * ```
 * client's network ─► known? ─┬─ yes ──────────────────────────────────► number of those answered alike, scope
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
  readonly returningTo: Foresight["returningTo"];
  readonly monotonicMs: () => number;
  /**
   * Told of each that is found and counted, but of whom the row says that he was sent somewhere lately; and where it
   * was decided for: latitude and longitude at `place[at]`.
   * @returns as `sent` is to be told
   */
  readonly onAgain: Foresight["foreseeAt"];
}

export function createKeptDecisions(options: KeptDecisionsOptions): KeptDecisions {
  const { choose, widen, returningTo, monotonicMs, onAgain } = options;
  const table = new NetworkTable();
  const numbering = createNumbering();
  const places = new ChosenPlaces(numbering);
  const lineages = createLineages(() => {
    table.clear();
    places.clear();
  });
  const memories = new Map<Service, Memory>();
  const memoriesOverIpv4 = new Map<Service, Memory>();
  let situation: Situation | undefined;
  const { widened, widest, isTimeLeft, begin } = createWidening(widen, monotonicMs);
  let last: Last | undefined;

  /** One more try for what is kept, by any decision that is answered alike. */
  const tryAgain = (row: number, decision: Decision, client: Client, sight: Sight): void => {
    const word = table.words[row + WORD] as number;
    const from = { prefixLength: scopeIn(word), triesLeft: triesIn(word) };
    const { prefixLength, triesLeft } = widened(decision, client, sight, from);
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
    return wasSentLately(table.words, row, best.edge.index, up, service.dns.ttlSeconds * 1000, monotonicMs());
  };

  const noteAt = (row: number, { edges, ttlSeconds }: Decision): void => {
    const [best] = edges;
    if (best !== undefined) noteSent(table.words, row, best.edge.index, monotonicMs() + ttlSeconds * 1000);
  };

  /** What is decided for an old row still; it is one of now then. */
  const stillDecided = (row: number, sight: Sight, client: Client, stamp: number): Alike | undefined => {
    const at = placeOf(row);
    if (table.placeWords[at + ERA] !== sight.roster.stateIn(sight.world).era) return undefined;
    const { words, place } = table;
    const position = alikeIn(words[row + WORD] as number);
    const alike = numbering.at(position) as Alike;
    if (!stands(table, at, alike.first, sight)) return undefined;
    if (returningTo(sight.service, client, place[at], place[at + 1]) > 0) return undefined;
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
    if (returningTo(sight.service, client, place[at], place[at + 1]) > 0) return undefined;
    const { rows } = places;
    const chosen = places.rowAt(table, at, sight, (situation as Situation).field, stamp);
    if (chosen < 0) return undefined;
    const position = rows.words[chosen + WORD] as number;
    words[row + STAMP] = stamp;
    words[row + WORD] = wordOf(position, recordPrefixLength, WIDENING_TRIES);
    words[row + DISTANCE] = rows.words[chosen + DISTANCE] as number;
    words[row + NEAREST] = rows.words[chosen + NEAREST] as number;
    place[at + LIMIT] = rows.place[placeOf(chosen) + LIMIT] as number;
    table.placeWords[at + ERA] = rows.placeWords[placeOf(chosen) + ERA] as number;
    return numbering.at(position);
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
    const look = (now: Situation) => {
      const sight = now.sights.of(service, "dns", needsIpv4);
      const isForAll = now.sights.of(service, "dns", !needsIpv4) === sight;
      return { now, sight, lineage: lineages.of(sight.name), isForAll };
    };
    let seen = look(situation as Situation);
    let foundAt = 0;
    let found: Alike | undefined;
    let epoch = 0;
    let sinceMs = 0;
    /** Whether it is worth while to look for wider scopes: they are good for no other epoch. */
    const isSettled = (): boolean => monotonicMs() - sinceMs >= SETTLED_MS;
    const stampIn = (state: ServiceState): number => {
      if (state.epoch !== epoch) sinceMs = monotonicMs();
      epoch = state.epoch;
      return seen.lineage.stampIn(epoch);
    };
    const memory: Memory = {
      get scopePrefixLength() {
        return scopeIn(table.words[foundAt + WORD] as number);
      },
      find(client) {
        const now = situation as Situation;
        if (now.inventory !== inventory || now.isPlaceless(client)) return 0;
        if (now !== seen.now) seen = look(now);
        const { sight } = seen;
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
        if (triesIn(table.words[row + WORD] as number) > 0 && isSettled() && isTimeLeft())
          tryAgain(row, found.decision, client, sight);
        return found.number;
      },
      count(client) {
        const { decision, count } = found as Alike;
        count(table.numbers, foundAt + DISTANCE);
        const { sight, isForAll } = seen;
        // While A and AAAA are decided apart, each has a row of its own for the network that asks both.
        if (isForAll && wasSent(foundAt, client, decision, sight)) return;
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
      const scope = widened(chosen, client, sight, scopeOf(chosen));
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
      return withScope(decision, widest(decision, client, sight).prefixLength);
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
      begin();
    },
  };
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
/** Prices that move do so every two seconds. */
const SETTLED_MS = 3000;
