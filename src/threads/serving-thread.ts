/**
 * What every thread that answers has of its own: all that a decision needs, replaced by orders.
 *
 * ```
 * orders ─► geo snapshot ─► locator ─┐
 *     └──── inventory, world ────────┴─► redirector ─► the thread's door
 * ```
 */
import { parentPort, workerData } from "node:worker_threads";
import { finished, type Steps } from "../base/steps.ts";
import { type GeoSnapshot, Locator, type LookupCounts } from "../geo/locator.ts";
import type { Endpoint, Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { World } from "../model/world.ts";
import { type PackedInventory, unpackInSteps } from "./packed-inventory.ts";
import type { PackedArrivals } from "../pricing/ledger.ts";
import { sampled, type Watched } from "../engine/decision-samples.ts";
import type { DecisionSample } from "../ops/api.ts";
import { createRedirector, type Redirector } from "../engine/redirector.ts";

/** What a thread is started with. */
export interface ThreadData<Task> {
  readonly task: Task;
  /** As the last order of that kind, or what it would say. */
  readonly own: unknown;
  readonly serving: Serving;
  readonly lookups: LookupCounts;
  /** Whether anyone wants to know of decisions. */
  readonly watched: Watched;
  /** Where its door counts, in shared memory. */
  readonly cells: Float64Array;
  /** Whether it takes nobody's place: viewers do not wait for it yet. */
  readonly isFirst: boolean;
}

/** One consistent state; a part that is left out is as before. */
export interface Serving {
  readonly configured: Configured;
  readonly world: World;
  readonly geo: GeoSnapshot;
}

export interface Configured {
  /** Packed once for all threads. */
  readonly packedInventory: PackedInventory;
  /** Where decisions by this inventory are counted. */
  readonly decisionCells: Float64Array;
}

export type ThreadOrder =
  | { readonly kind: "serve"; readonly change: Partial<Serving> }
  /** For the kind of door alone: instead of what it was told so before. */
  | { readonly kind: "own"; readonly own: unknown }
  /** Who is connected may take so long to be answered, milliseconds. */
  | { readonly kind: "stop"; readonly graceMs: number };

export type ThreadNews =
  | { readonly kind: "ready"; readonly endpoints: readonly Endpoint[] }
  /** It could not begin; it ends. */
  | { readonly kind: "failed"; readonly message: string; readonly code?: string }
  /** Where decisions were made for since the last world, by the pools of that inventory. */
  | { readonly kind: "arrivals"; readonly generation: number; readonly packed: PackedArrivals }
  /** One of many. */
  | { readonly kind: "decision"; readonly sample: DecisionSample }
  | { readonly kind: "log"; readonly level: keyof Log; readonly fields: object; readonly message: string }
  /** Of the kind of door alone. */
  | { readonly kind: "own"; readonly news: unknown };

export interface Engine {
  /**
   * From now on the engine's clock stands still between calls: what it is needed for goes by seconds.
   * @param atMs monotonic; left out: now
   */
  readonly holdClock: (atMs?: number) => void;
  readonly redirector: Redirector;
  /** The first one. */
  readonly inventory: Inventory;
  /** Calls `renew` with a new inventory, before its first decision. */
  take(change: Partial<Serving>, renew: (inventory: Inventory) => void): void;
  /**
   * The same in steps of well below a millisecond, for all but very large configurations; in between everything is as
   * before.
   * @param prepare is given a new inventory, and returns what is to be called before its first decision
   */
  takeInSteps(change: Partial<Serving>, prepare: (inventory: Inventory) => Steps<() => void>): Steps<void>;
}

/** The thread that this runs in. */
export interface ServingThread<Task> {
  readonly data: ThreadData<Task>;
  readonly port: NonNullable<typeof parentPort>;
  readonly log: Log;
  readonly engine: Engine;
  readonly send: Send;
}

/**
 * Everything is copied: were an array's memory given away, V8 would look at each use of any array of the thread
 * whether it still has its own, and all code that does not would be compiled anew.
 */
type Send = (news: ThreadNews) => void;

/** @throws if it is not run as a thread */
export function servingThread<Task>(): ServingThread<Task> {
  const data = workerData as ThreadData<Task>;
  const port = parentPort;
  if (port === null) throw new Error("to be run as a thread");
  const send: Send = (news) => {
    port.postMessage(news);
  };
  const tell =
    (level: keyof Log) =>
    (fields: object, message: string): void =>
      send({ kind: "log", level, fields, message });
  const log: Log = { info: tell("info"), warn: tell("warn"), error: tell("error") };
  return { data, port, log, engine: createEngine(data, send), send };
}

/** Of a thread that begins so; apart from `servingThread`, so that it can be had without one. */
export function createEngine({ serving, lookups, watched }: ThreadData<unknown>, send: Send): Engine {
  const locator = new Locator(serving.geo, lookups);
  let { world } = serving;
  let { decisionCells } = serving.configured;
  let inventory = finished(unpackInSteps(serving.configured.packedInventory));
  let heldMs: number | undefined;
  const monotonicMs = (): number => heldMs ?? performance.now();
  const redirector = createRedirector(locator.locate, {
    newCells: () => decisionCells,
    monotonicMs,
    widen: locator.widen,
  });
  redirector.take(inventory, world);
  const tell = (sample: DecisionSample): void => send({ kind: "decision", sample });
  const decide = sampled(redirector.decide, { watched, tell });

  const tellArrivals = (): void => {
    const packed = redirector.takePackedArrivals();
    if (packed.length === 0) return;
    send({ kind: "arrivals", generation: inventory.generation, packed });
  };

  function* takeInSteps(
    change: Partial<Serving>,
    prepare: (inventory: Inventory) => Steps<() => void>,
  ): Steps<void> {
    const { configured } = change;
    let renew: (() => void) | undefined;
    let next = inventory;
    if (configured !== undefined) {
      next = yield* unpackInSteps(configured.packedInventory);
      yield* redirector.prepareInSteps(next);
      renew = yield* prepare(next);
      yield;
    }
    tellArrivals();
    inventory = next;
    decisionCells = configured?.decisionCells ?? decisionCells;
    renew?.();
    world = change.world ?? world;
    if (change.geo !== undefined) {
      locator.replace(change.geo);
      redirector.forget();
    }
    redirector.take(inventory, world);
  }

  return {
    holdClock(atMs = performance.now()) {
      heldMs = atMs;
    },
    redirector: { ...redirector, decide },
    inventory,
    take: (change, renew) =>
      finished(
        takeInSteps(change, function* (next) {
          yield;
          return () => renew(next);
        }),
      ),
    takeInSteps,
  };
}
