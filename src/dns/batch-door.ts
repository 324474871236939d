/**
 * UDP in batches, by threads that do nothing else.
 *
 * ```
 * the thread that opens                 each thread that answers
 * openBatchSockets ── ThreadSockets ──► answerInBatches: poll ─► batch ─► responder
 * wake ───────────── eventfd ─────────────────► onWake
 * ```
 *
 * The sockets belong to the process and outlive a thread that dies: what waits in them is answered by the
 * one that takes its place.
 */
import { takeShortTurns } from "../base/turns.ts";
import { type InheritedSockets, NOTHING_INHERITED } from "../base/inherited-sockets.ts";
import { type Libc, loadLibc } from "../base/libc.ts";
import { finished, type Steps } from "../base/steps.ts";
import { openThreadSockets, type SocketsOfThreads, type ThreadSockets } from "../base/thread-sockets.ts";
import type { ChallengeValues } from "../model/acme.ts";
import type { Keep, Recall } from "../model/decision.ts";
import type { Endpoint } from "../model/inventory.ts";
import { type AnswererOptions, createAnswerer, type Served } from "./answerer.ts";
import { type BatchOptions, PacketBatch } from "./batch.ts";
import { runBatchLoop, type Wish } from "./batch-loop.ts";
import { keepReplies } from "./kept-replies.ts";
import { prepareReplies } from "./prepared-replies.ts";
import { openSocketGroup, type SharedSocket, UDP_USE } from "./socket.ts";

export type BatchThreadSockets = ThreadSockets<SharedSocket>;

/**
 * Binds each endpoint as often as there are threads.
 * @param fewest threads; where more sockets are inherited, there are more: none may be left unread
 * @throws an Error of one line if one of them cannot be listened on; then none is
 */
export function openBatchSockets(
  libc: Libc,
  endpoints: readonly Endpoint[],
  fewest: number,
  inherited: InheritedSockets = NOTHING_INHERITED,
): SocketsOfThreads<SharedSocket> {
  return openThreadSockets(libc, {
    use: UDP_USE,
    endpoints,
    fewest,
    inherited,
    open: (endpoint, count, fds) => openSocketGroup(libc, endpoint, count, fds),
  });
}

export interface BatchDoorOptions extends AnswererOptions {
  readonly sockets: BatchThreadSockets;
  readonly keep: Keep;
  readonly recall: Recall;
  /** Called once, before the first packet is answered; `respond` answers packets that come from no socket. */
  readonly onReady: (door: BatchDoor, respond: BatchOptions["respond"]) => void;
  /** As `BatchOptions.onBatch`. */
  readonly onBatch: () => void;
  /** As `BatchLoopOptions.onWake`. */
  readonly onWake: (door: BatchDoor) => Wish;
}

export interface BatchDoor {
  /** As `Answerer`. */
  readonly take: (served: Served) => void;
  readonly prepareInSteps: (served: Served) => Steps<() => void>;
  readonly challenge: (values: ChallengeValues) => void;
}

/**
 * Answers until `onWake` says stop, and then what had come in until then. Does not return before; nothing
 * else runs in this thread meanwhile.
 */
export function answerInBatches(options: BatchDoorOptions): void {
  const loaded = loadLibc();
  if (loaded.kind === "unavailable") throw new Error(`no batched sockets: ${loaded.reason}`);
  const { libc } = loaded;
  takeShortTurns(libc);
  const { keep, recall, sockets, onBatch } = options;
  const { responder, counters, rateLimiter, queryLog, prepareInSteps, challenge } = createAnswerer(options);
  const common = { responder, counters, rateLimiter, ...(queryLog === undefined ? {} : { queryLog }) };
  const prepared = prepareReplies({
    ...common,
    respond: (packet, length, source, out, known) =>
      responder.respond(packet.octets, length, source, "udp", out.octets, known),
    recall,
  });
  const kept = keepReplies({ ...common, respond: prepared.respond, keep, repeatable: prepared.repeatable });
  const forget = (): void => {
    kept.forget();
    prepared.forget();
  };
  const door: BatchDoor = {
    take: (served) => finished(door.prepareInSteps(served))(),
    *prepareInSteps(served) {
      const take = yield* prepareInSteps(served);
      return () => {
        take();
        forget();
      };
    },
    challenge(values) {
      challenge(values);
      forget();
    },
  };
  const batch = new PacketBatch(libc, { respond: kept.respond, counters, onBatch });
  options.onReady(door, kept.respond);
  runBatchLoop({ libc, batch, ...sockets, onWake: () => options.onWake(door) });
}
