/**
 * A thread that answers HTTP requests that end with their header, and hands the rest to the main thread with their
 * connections. An order is taken between two turns of the loop, whole.
 */
import { receiveMessageOnPort } from "node:worker_threads";
import { systemClock } from "../base/clock.ts";
import { takeShortTurns } from "../base/turns.ts";
import { loadLibc } from "../base/libc.ts";
import { createCounts } from "../http/counts.ts";
import { createLeanResponder, LEAN_FIELDS } from "../http/lean.ts";
import type { HttpLimits } from "../http/limits.ts";
import { compileBalancers } from "../http/proxied.ts";
import type { HandedOver } from "../http-loop/answering.ts";
import { createLoop } from "../http-loop/loop.ts";
import type { ListeningSocket } from "../http-loop/sockets.ts";
import type { Inventory } from "../model/inventory.ts";
import { servingThread, type ThreadOrder } from "./serving-thread.ts";

export interface HttpTask {
  readonly index: number;
  readonly sockets: readonly ListeningSocket[];
  readonly wakeFd: number;
  readonly limits: HttpLimits;
  /** As for `createConnections`. */
  readonly marks: Uint8Array;
  /** As of `CountedIn`. */
  readonly names: readonly string[];
}

export type HttpThreadNews =
  | { readonly kind: "handed-over"; readonly connection: HandedOver }
  /** What a number that is counted in stands for. */
  | { readonly kind: "name"; readonly index: number; readonly place: number; readonly name: string };

const PATIENCE_MS = 200;

const { data, port, log, engine, send } = servingThread<HttpTask>();
const { task, cells } = data;
const { index, sockets, wakeFd, limits, marks } = task;
const tell = (news: HttpThreadNews): void => send({ kind: "own", news });

const loaded = loadLibc();
if (loaded.kind === "unavailable") throw new Error(`no C library: ${loaded.reason}`);
takeShortTurns(loaded.libc);
const counts = createCounts({ cells, names: [...task.names] }, (place, name) =>
  tell({ kind: "name", index, place, name }),
);
const { decide } = engine.redirector;
const responder = createLeanResponder({ ...engine.inventory, decide, log, limits, counts });
let isBalancer = compileBalancers(engine.inventory);
const loop = createLoop({
  libc: loaded.libc,
  sockets,
  wakeFd,
  limits,
  marks,
  fields: LEAN_FIELDS,
  respond: responder.respond,
  isBalancer: (peer) => isBalancer(peer),
  handOver: (connection) => tell({ kind: "handed-over", connection }),
  onSilent: () => counts.rejected("timeout"),
  onRefused: () => counts.rejected("proxy-header"),
  log,
  clock: systemClock,
});
send({ kind: "ready", endpoints: [] });
while (isToGoOn()) loop.turn(PATIENCE_MS);
loop.finish();
port.close();

/** Takes what orders there are. */
function isToGoOn(): boolean {
  for (let order = nextOrder(); order !== undefined; order = nextOrder()) {
    if (order.kind === "stop") return false;
    if (order.kind === "serve") engine.take(order.change, takeNew);
  }
  return true;
}

function takeNew(inventory: Inventory): void {
  responder.take(inventory);
  isBalancer = compileBalancers(inventory);
}

function nextOrder(): ThreadOrder | undefined {
  return receiveMessageOnPort(port)?.message as ThreadOrder | undefined;
}
