import { contains } from "../base/address.ts";
import { type FindServed, serviceTableInSteps } from "../base/service-table.ts";
import type { Steps } from "../base/steps.ts";
import type { Prefix } from "../model/address.ts";
import type { Client } from "../model/client.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Service } from "../model/service.ts";
import type { World } from "../model/world.ts";
import type { Ledger } from "../pricing/ledger.ts";
import { type Pools, poolsInSteps } from "../pricing/pools.ts";
import { type AtDoor, createAtDoor } from "../selection/at-door.ts";
import { createField, type Field } from "../selection/field.ts";
import { Sights } from "../selection/sights.ts";
import type { DecisionCounts } from "./decision-counts.ts";

/** What is made of an inventory alone. */
export interface Ground {
  readonly inventory: Inventory;
  readonly field: Field;
  readonly serviceAt: FindServed<Service>;
  readonly atDoor: AtDoor;
  readonly isPlaceless: (client: Client) => boolean;
  readonly pools: Pools;
}

/** What decisions are made from, and where they are noted, until the next world. */
export interface InService extends Ground {
  readonly world: World;
  readonly sights: Sights;
  readonly counts: DecisionCounts;
  readonly ledger: Ledger;
}

/**
 * Written out: what is spread is laid out anew each time, and code that was compiled for the last layout is compiled
 * again.
 */
export function inServiceOf(
  { inventory, field, serviceAt, atDoor, isPlaceless, pools }: Ground,
  world: World,
  counts: DecisionCounts,
  ledger: Ledger,
): InService {
  const sights = new Sights(field, atDoor, world);
  return { inventory, field, serviceAt, atDoor, isPlaceless, pools, world, sights, counts, ledger };
}

/** @param before what is in use; left out: nothing is */
export function* groundInSteps(inventory: Inventory, before?: Pick<Ground, "field">): Steps<Ground> {
  const field = createField(inventory.edges, before?.field);
  yield;
  const serviceAt = yield* serviceTableInSteps(inventory.services);
  yield;
  const pools = yield* poolsInSteps(inventory.services);
  yield;
  const isPlaceless = placelessFinder(inventory.dns.placeless ?? []);
  return { inventory, field, serviceAt, atDoor: createAtDoor(inventory.edges), isPlaceless, pools };
}

/** Whether it comes from a resolver that says nothing of where its viewers are, and is nowhere near them itself. */
function placelessFinder(placeless: readonly Prefix[]): InService["isPlaceless"] {
  if (placeless.length === 0) return () => false;
  return (client) =>
    (client.from === "source" || client.from === "asked") &&
    client.prefixLength === client.address.bytes.length * 8 &&
    placeless.some((prefix) => contains(prefix, client.address));
}
