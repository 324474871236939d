/**
 * A thread that answers DNS: batched UDP sockets or TCP connections, which hold the thread all the time, or, where
 * the C library cannot be called, both in its event loop. An order is taken between two packets; a new configuration
 * in steps, and from one packet to the next it is in use as a whole.
 */
import { receiveMessageOnPort } from "node:worker_threads";
import type { LineRing } from "../base/line-ring.ts";
import type { Steps } from "../base/steps.ts";
import type { AnswererOptions } from "../dns/answerer.ts";
import type { BatchOptions } from "../dns/batch.ts";
import { answerInBatches, type BatchDoor, type BatchThreadSockets } from "../dns/batch-door.ts";
import { secretsByDay } from "../dns/cookie.ts";
import type { Transport } from "../dns/counters.ts";
import { type DnsDoor, startDnsDoor } from "../dns/door.ts";
import type { RateTable } from "../dns/rate-limit.ts";
import { rehearseDns } from "./dns-rehearsal.ts";
import type { ChallengeValues } from "../model/acme.ts";
import type { Endpoint } from "../model/inventory.ts";
import { answerStreams, type StreamWish } from "../dns/stream-door.ts";
import type { StreamSockets } from "../dns/streams.ts";
import { servingThread, type ThreadOrder } from "./serving-thread.ts";

/** What all threads have in common. */
export interface DnsCommon {
  readonly cookieSecret: Uint8Array;
  readonly rateTable: RateTable;
}

/** The ring is of this thread alone. */
export type DnsTask = DnsCommon & { readonly logRing: LineRing } & (
    | { readonly kind: "batches"; readonly sockets: BatchThreadSockets }
    | { readonly kind: "streams"; readonly sockets: StreamSockets }
    | {
        readonly kind: "sockets";
        readonly endpoints: readonly Endpoint[];
        readonly transports: readonly Transport[];
      }
  );

const { data, port, log, engine, send } = servingThread<DnsTask>();
const { task, cells } = data;
/** The order that is being carried out. */
let underWay: Steps<void> | undefined;

if (task.kind === "batches") runBatches(task.sockets);
else if (task.kind === "streams") runStreams(task.sockets);
else await runSockets(task.endpoints, task.transports);

/** What is the same whatever the sockets are. */
function answering(): AnswererOptions {
  const { cookieSecret, rateTable, logRing } = task;
  const { decide } = engine.redirector;
  const challenges = data.own as ChallengeValues;
  return {
    served: engine.inventory,
    challenges,
    decide,
    log,
    cookieSecrets: secretsByDay(cookieSecret),
    cells,
    rateTable,
    logRing,
  };
}

function runBatches(sockets: BatchThreadSockets): void {
  answerInBatches({
    ...answering(),
    sockets,
    keep: engine.redirector.keep,
    recall: engine.redirector.recall,
    onReady(door, respond) {
      if (data.isFirst) rehearse(door, respond);
      send({ kind: "ready", endpoints: [] });
    },
    onBatch: engine.holdClock,
    onWake(door) {
      const wish = carryOutInSteps(door);
      return typeof wish === "string" ? wish : "stop";
    },
  });
  port.close();
}

function rehearse(door: BatchDoor, respond: BatchOptions["respond"]): void {
  try {
    rehearseDns({ engine, door, respond, serving: data.serving, counted: [cells, data.lookups] });
  } catch (error) {
    log.error({ error }, "made-up queries could not be answered; going on");
  }
}

function runStreams(sockets: StreamSockets): void {
  answerStreams({
    ...answering(),
    sockets,
    onReady: () => send({ kind: "ready", endpoints: [] }),
    onWake: carryOutInSteps,
  });
  port.close();
}

/** One step of one order at a time: queries do not wait until a new configuration is unpacked. */
function carryOutInSteps(door: Pick<BatchDoor, "prepareInSteps" | "challenge">): StreamWish {
  if (underWay === undefined) {
    const order = nextOrder();
    if (order === undefined) return "go-on";
    if (order.kind === "stop") return order;
    if (order.kind === "own") door.challenge(order.own as ChallengeValues);
    else underWay = engine.takeInSteps(order.change, door.prepareInSteps);
  }
  if (underWay?.next().done === true) underWay = undefined;
  return "again";
}

function obey(order: Exclude<ThreadOrder, { readonly kind: "stop" }>, door: DnsDoor): void {
  if (order.kind === "own") door.challenge(order.own as ChallengeValues);
  else engine.take(order.change, door.take);
}

function nextOrder(): ThreadOrder | undefined {
  return receiveMessageOnPort(port)?.message as ThreadOrder | undefined;
}

async function runSockets(endpoints: readonly Endpoint[], transports: readonly Transport[]): Promise<void> {
  try {
    const door = await startDnsDoor({ ...answering(), endpoints, transports });
    port.on("message", (order: ThreadOrder) => {
      if (order.kind === "stop") void door.stop().then(() => port.close());
      else obey(order, door);
    });
    send({ kind: "ready", endpoints: door.endpoints });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    send({ kind: "failed", message, ...(code === undefined ? {} : { code }) });
    port.close();
  }
}
