/**
 * Before a thread answers its first query it has answered some thousands that are made up, by its own configuration
 * and by others. Code is compiled for what it has met: what came up only with the first reload would be run slowly,
 * and compiled anew, while viewers wait.
 */
import { finished } from "../base/steps.ts";
import { createDecisionTotals } from "../engine/decision-counts.ts";
import type { PacketRoom } from "../dns/batch-memory.ts";
import type { BatchOptions } from "../dns/batch.ts";
import type { BatchDoor } from "../dns/batch-door.ts";
import { MAX_DATAGRAM_OCTETS } from "../dns/listen.ts";
import { packInventory } from "./packed-inventory.ts";
import { queries } from "../rehearsal/queries.ts";
import { type Situation, situationIn, worldIn } from "../rehearsal/situations.ts";
import type { Engine, Serving } from "./serving-thread.ts";

export interface DnsRehearsalOptions {
  readonly engine: Engine;
  readonly door: Pick<BatchDoor, "prepareInSteps">;
  readonly respond: BatchOptions["respond"];
  /** What is served before and after. */
  readonly serving: Serving;
  /** Where the door and the engine count: as before, in the end. */
  readonly counted: readonly Float64Array[];
}

/**
 * Leaves everything as it was, but for what is compiled. Without edges or services there is nothing to rehearse.
 * @throws what an answer throws, everything being as it was
 */
export function rehearseDns({ engine, door, respond, serving, counted }: DnsRehearsalOptions): void {
  const before = counted.map((cells) => cells.slice());
  const { configured, world } = serving;
  const own = { inventory: engine.inventory, world };
  const hostnames = own.inventory.services.flatMap((service) => service.hostnames).slice(0, MOST_HOSTNAMES);
  if (own.inventory.edges.length === 0 || hostnames.length === 0) return;
  const take = (change: Partial<Serving>): void => {
    engine.redirector.takePackedArrivals(); // Whom it sent where is told to nobody.
    finished(engine.takeInSteps(change, door.prepareInSteps));
  };
  const [packet, out] = [newRoom(), newRoom()];
  let clockMs = performance.now();
  const untilMs = clockMs + LONGEST_MS;
  const ask = (asked: readonly Uint8Array[]): void => {
    for (const [i, query] of asked.entries()) {
      if (i % QUERIES_AT_ONCE === 0) engine.holdClock((clockMs += BATCH_MS));
      packet.octets.set(query);
      respond(packet, query.length, SOURCE, out);
    }
  };
  try {
    for (let act = 0; act < ACTS && performance.now() < untilMs; act++) {
      const situation = situationIn(own, act);
      const asked = [...queries(hostnames, QUERIES)];
      take(changeTo(situation));
      ask(asked);
      for (let next = 1; next <= WORLDS_PER_ACT; next++) {
        take({ world: worldIn(situation.inventory, world, act + next) });
        ask(asked);
      }
    }
  } finally {
    take({ configured, world });
    engine.holdClock();
    engine.redirector.begin();
    counted.forEach((cells, i) => cells.set(before[i] as Float64Array));
  }
}

const ACTS = 18;
/** Beside the first one: what was decided in one world is decided again in the next, as after a reload. */
const WORLDS_PER_ACT = 3;
const QUERIES = 500;
const MOST_HOSTNAMES = 200;
/**
 * Whoever starts anew is waited for; but what a slow machine, or a busy one, leaves out here is compiled while viewers
 * wait, by the first reloads.
 */
const LONGEST_MS = 3000;
/** As in a batch. */
const QUERIES_AT_ONCE = 32;
/** Time flies, and never back: what is done only once nothing has changed for seconds is rehearsed too. */
const BATCH_MS = 300;

function changeTo({ inventory, world }: Situation): Partial<Serving> {
  const decisionCells = createDecisionTotals().newCells(inventory);
  return { configured: { packedInventory: packInventory(inventory), decisionCells }, world };
}

/** Of a network for documentation (RFC 5737). */
const SOURCE = Uint8Array.of(192, 0, 2, 1);

function newRoom(): PacketRoom {
  const memory = new ArrayBuffer(MAX_DATAGRAM_OCTETS);
  return { octets: new Uint8Array(memory), words: new Int32Array(memory) };
}
