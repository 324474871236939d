import type { Client } from "../model/client.ts";
import type { Decision, Memory } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Service } from "../model/service.ts";
import type { Alike } from "../selection/alike.ts";
import type { Lineage, Lineages } from "../selection/lineages.ts";
import type { ServiceState } from "../selection/roster.ts";
import type { Sight } from "../selection/sights.ts";
import type { Widening } from "../selection/widening.ts";
import type { Foresight } from "./foresight.ts";
import type { KeptRows, Situation } from "./kept-rows.ts";

/** What the memories of all services share. */
export interface Remembered {
  readonly rows: KeptRows;
  readonly lineages: Lineages;
  readonly now: () => Situation;
  readonly isTimeLeft: Widening["isTimeLeft"];
  readonly monotonicMs: () => number;
  /**
   * Told of each that is found and counted, but of whom the row says that he was sent somewhere lately; and where it
   * was decided for: latitude and longitude at `place[at]`.
   * @returns whether he was sent nowhere lately
   */
  readonly onAgain: Foresight["foreseeAt"];
}

/** What one service decided for networks by one inventory; for those who need IPv4 there is another. */
export class ServiceMemory implements Memory {
  readonly #remembered: Remembered;
  readonly #rows: KeptRows;
  readonly #service: Service;
  readonly #needsIpv4: boolean;
  readonly #inventory: Inventory;
  #seen: Seen;
  #foundAt = 0;
  #found: Alike | undefined;
  #epoch = 0;
  /** Since when that is the epoch. */
  #sinceMs = 0;

  constructor(remembered: Remembered, service: Service, needsIpv4: boolean) {
    const now = remembered.now();
    this.#remembered = remembered;
    this.#rows = remembered.rows;
    this.#service = service;
    this.#needsIpv4 = needsIpv4;
    this.#inventory = now.inventory;
    this.#seen = this.#look(now);
  }

  get scopePrefixLength(): number {
    return this.#rows.scopeAt(this.#foundAt);
  }

  get decision(): Decision {
    return withScope((this.#found as Alike).decision, this.scopePrefixLength);
  }

  find(client: Client): number {
    const { now, isTimeLeft } = this.#remembered;
    const situation = now();
    if (situation.inventory !== this.#inventory || situation.isPlaceless(client)) return 0;
    if (situation !== this.#seen.situation) this.#seen = this.#look(situation);
    const { sight } = this.#seen;
    const { world } = sight;
    const rows = this.#rows;
    const stamp = this.#stampIn(sight.roster.stateIn(world));
    const row = rows.find(client, stamp);
    if (row < 0) return 0;
    const known = rows.isOfNow(row, stamp) ? rows.alikeAt(row) : rows.stillDecided(row, sight, client, stamp);
    const found =
      known?.isAtRest(world) === true ? known : rows.renew(row, sight, client, stamp, situation.field);
    this.#found = found;
    if (found === undefined) return 0;
    this.#foundAt = row;
    if (rows.triesAt(row) > 0 && this.#isSettled() && isTimeLeft())
      rows.widen(row, found.decision, client, sight);
    return found.number;
  }

  count(client: Client): void {
    const found = this.#found as Alike;
    const [rows, row] = [this.#rows, this.#foundAt];
    const { decision } = found;
    const { sight, isForAll } = this.#seen;
    rows.count(row, found);
    // While A and AAAA are decided apart, each has a row of its own for the network that asks both.
    if (isForAll && rows.wasSent(row, client, decision, sight)) return;
    if (this.#remembered.onAgain(decision, client, sight, rows.place, rows.placeAt(row)))
      rows.noteSent(row, decision);
  }

  repeat(client: Client, number: number, scopePrefixLength: number): boolean {
    if (this.find(client) !== number || this.scopePrefixLength !== scopePrefixLength) return false;
    this.count(client);
    return true;
  }

  #look(situation: Situation): Seen {
    const { sights } = situation;
    const sight = sights.of(this.#service, "dns", this.#needsIpv4);
    const isForAll = sights.of(this.#service, "dns", !this.#needsIpv4) === sight;
    return { situation, sight, lineage: this.#remembered.lineages.of(sight.name), isForAll };
  }

  #stampIn({ epoch }: ServiceState): number {
    if (epoch !== this.#epoch) this.#sinceMs = this.#remembered.monotonicMs();
    this.#epoch = epoch;
    return this.#seen.lineage.stampIn(epoch);
  }

  /** Whether it is worth while to look for wider scopes: they are good for no other epoch. */
  #isSettled(): boolean {
    return this.#remembered.monotonicMs() - this.#sinceMs >= SETTLED_MS;
  }
}

export function withScope(decision: Decision, prefixLength: number): Decision {
  return prefixLength === decision.scopePrefixLength
    ? decision
    : { ...decision, scopePrefixLength: prefixLength };
}

/** What the service looks like in a situation. */
interface Seen {
  readonly situation: Situation;
  readonly sight: Sight;
  readonly lineage: Lineage;
  /** Whether who needs IPv4, and who does not, see the same. */
  readonly isForAll: boolean;
}

/** Prices that move do so every two seconds. */
const SETTLED_MS = 3000;
