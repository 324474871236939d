/**
 * A thread that answers DNS: all that a decision needs, of its own, and either batched UDP sockets, which
 * hold the thread all the time, or TCP (and where there are no batches, UDP too) in its event loop.
 *
 * ```
 * orders ─► geo snapshot ─► locator ─┐
 *     └──── inventory, world ────────┴─► redirector ─► dns door
 * ```
 *
 * An order is taken between two packets, whole.
 */
import { deserialize } from "node:v8";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { type PackedArrivals, packArrivals } from "./arrivals.ts";
import { answerInBatches, type ThreadSockets } from "./dns/batch-door.ts";
import type { Transport } from "./dns/counters.ts";
import { startDnsDoor } from "./dns/door.ts";
import { type GeoSnapshot, Locator, type LookupCounts } from "./geo/locator.ts";
import type { Endpoint, Inventory } from "./model/inventory.ts";
import type { Log } from "./model/log.ts";
import type { World } from "./model/world.ts";
import { createRedirector, type Redirector } from "./redirector.ts";

/** What the thread is started with. */
export interface DnsThreadData {
  readonly task: DnsTask;
  readonly serving: Serving;
  readonly lookups: LookupCounts;
  /** As for `createDnsCounters`. */
  readonly cells: Float64Array;
  readonly cookieSecret: Uint8Array;
}

export type DnsTask =
  | { readonly kind: "batches"; readonly sockets: ThreadSockets }
  | {
      readonly kind: "sockets";
      readonly endpoints: readonly Endpoint[];
      readonly transports: readonly Transport[];
    };

/** One consistent state; a part that is left out is as before. */
export interface Serving {
  readonly configured: Configured;
  readonly world: World;
  readonly geo: GeoSnapshot;
}

export interface Configured {
  /** An `Inventory` as `v8.serialize` writes it: packed once for all threads. */
  readonly packedInventory: Uint8Array;
  /** Where decisions by this inventory are counted. */
  readonly decisionCells: Float64Array;
}

export type DnsOrder =
  | { readonly kind: "serve"; readonly change: Partial<Serving> }
  | { readonly kind: "stop" };

export type DnsNews =
  | { readonly kind: "ready"; readonly endpoints: readonly Endpoint[] }
  /** It could not begin; it ends. */
  | { readonly kind: "failed"; readonly message: string; readonly code?: string }
  /** Where decisions were made for since the last world, by the pools of that inventory. */
  | { readonly kind: "arrivals"; readonly generation: number; readonly packed: PackedArrivals }
  | { readonly kind: "log"; readonly level: keyof Log; readonly fields: object; readonly message: string };

/** What changes by orders, whatever the task. */
interface Engine {
  readonly redirector: Redirector;
  /** The first one. */
  readonly inventory: Inventory;
  /** Calls `names` with a new inventory, before its first decision. */
  take(change: Partial<Serving>, names: (inventory: Inventory) => void): void;
}

const data = workerData as DnsThreadData;
const port = parentPort ?? fail();
const log: Log = { info: tell("info"), warn: tell("warn"), error: tell("error") };
const engine = createEngine(data);

if (data.task.kind === "batches") runBatches(data.task.sockets);
else await runSockets(data.task.endpoints, data.task.transports);

function createEngine({ serving, lookups }: DnsThreadData): Engine {
  const locator = new Locator(serving.geo, lookups);
  let { world } = serving;
  let { decisionCells } = serving.configured;
  let inventory = inventoryOf(serving.configured);
  const redirector = createRedirector(locator.locate, () => decisionCells);
  redirector.take(inventory, world);
  return {
    redirector,
    inventory,
    take(change, names) {
      const packed = packArrivals(redirector.takeArrivals());
      if (packed.length > 0) send({ kind: "arrivals", generation: inventory.generation, packed });
      if (change.configured !== undefined) {
        inventory = inventoryOf(change.configured);
        decisionCells = change.configured.decisionCells;
        names(inventory);
      }
      world = change.world ?? world;
      if (change.geo !== undefined) locator.replace(change.geo);
      redirector.take(inventory, world);
    },
  };
}

function inventoryOf({ packedInventory }: Configured): Inventory {
  return deserialize(packedInventory) as Inventory;
}

function runBatches(sockets: ThreadSockets): void {
  const { zones, services, dns } = engine.inventory;
  answerInBatches({
    sockets,
    zones,
    services,
    dns,
    decide: engine.redirector.decide,
    keep: engine.redirector.keep,
    log,
    cookieSecrets: [data.cookieSecret],
    cells: data.cells,
    onReady: () => send({ kind: "ready", endpoints: [] }),
    onWake(door) {
      for (let order = nextOrder(); order !== undefined; order = nextOrder()) {
        if (order.kind === "stop") return "stop";
        engine.take(order.change, ({ zones, services, dns }) => door.take(zones, services, dns));
      }
      return "go-on";
    },
  });
  port.close();
}

function nextOrder(): DnsOrder | undefined {
  return receiveMessageOnPort(port)?.message as DnsOrder | undefined;
}

async function runSockets(endpoints: readonly Endpoint[], transports: readonly Transport[]): Promise<void> {
  const { zones, services, dns } = engine.inventory;
  const { decide } = engine.redirector;
  try {
    const door = await startDnsDoor({
      endpoints,
      transports,
      zones,
      services,
      dns,
      decide,
      log,
      cookieSecrets: [data.cookieSecret],
      cells: data.cells,
    });
    port.on("message", (order: DnsOrder) => {
      if (order.kind === "stop") void door.stop().then(() => port.close());
      else engine.take(order.change, ({ zones, services, dns }) => door.take(zones, services, dns));
    });
    send({ kind: "ready", endpoints: door.endpoints });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    send({ kind: "failed", message, ...(code === undefined ? {} : { code }) });
    port.close();
  }
}

function tell(level: keyof Log): (fields: object, message: string) => void {
  return (fields, message) => send({ kind: "log", level, fields, message });
}

function send(news: DnsNews): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  port.postMessage(news);
}

function fail(): never {
  throw new Error("to be run as a thread");
}
