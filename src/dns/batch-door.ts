/**
 * UDP in batches, by threads that do nothing else.
 *
 * ```
 * the thread that opens                 each thread that answers
 * openBatchSockets ── ThreadSockets ──► answerInBatches: poll ─► batch ─► responder
 *        └── wake ── eventfd ─────────────────► onWake
 * ```
 *
 * The sockets belong to the process and outlive a thread that dies: what waits in them is answered by the
 * one that takes its place.
 */
import { type Libc, loadLibc } from "../base/libc.ts";
import type { Decide, Keep } from "../model/decision.ts";
import type { DnsSettings } from "../model/dns-settings.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { Zone } from "../model/zone.ts";
import { PacketBatch } from "./batch.ts";
import { openWake, runBatchLoop, wake } from "./batch-loop.ts";
import { createDnsCounters } from "./counters.ts";
import { faultReporter } from "./fault.ts";
import { keepReplies } from "./kept-replies.ts";
import { compileNamespace, type NamedService } from "./namespace.ts";
import { createResponder } from "./responder.ts";
import { closeSockets, openSocketGroup, type SharedSocket } from "./socket.ts";

/** What one thread answers on. Plain data. */
export interface ThreadSockets {
  /** One for each endpoint. */
  readonly sockets: readonly SharedSocket[];
  readonly wakeFd: number;
}

export interface BatchSockets {
  /** Where they really are bound, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly threads: readonly ThreadSockets[];
  /** Has a thread's `onWake` called soon. */
  wake(thread: ThreadSockets): void;
  /** To be called when no thread uses them any more. */
  close(): void;
}

/**
 * Binds each endpoint as often as there are threads.
 * @throws an Error of one line if one of them cannot be listened on; then none is
 */
export function openBatchSockets(
  libc: Libc,
  endpoints: readonly Endpoint[],
  threadCount: number,
): BatchSockets {
  const closing: (() => void)[] = [];
  const close = (): void => closing.splice(0).forEach((closeOne) => closeOne());
  try {
    const groups = endpoints.map((endpoint) => {
      const group = openSocketGroup(libc, endpoint, threadCount);
      closing.push(() => closeSockets(libc, group.sockets));
      return group;
    });
    const threads = Array.from({ length: threadCount }, (_, i): ThreadSockets => {
      const wakeFd = openWake(libc);
      closing.push(() => libc.close(wakeFd));
      return { sockets: groups.map(({ sockets }) => sockets[i] as SharedSocket), wakeFd };
    });
    return {
      endpoints: groups.map(({ endpoint }) => endpoint),
      threads,
      wake: ({ wakeFd }) => wake(libc, wakeFd),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

export interface BatchDoorOptions {
  readonly sockets: ThreadSockets;
  readonly zones: readonly Zone[];
  readonly services: readonly NamedService[];
  /** Left out: nothing is told of this server. */
  readonly dns?: DnsSettings;
  readonly decide: Decide;
  readonly keep: Keep;
  readonly log: Log;
  readonly cookieSecrets: readonly [Uint8Array, ...Uint8Array[]];
  /** Where to count, as `createDnsCounters`. */
  readonly cells: Float64Array;
  /** Called once, before the first packet is answered. */
  readonly onReady: () => void;
  /** Called between two batches after a wake-up; `take` replaces all names at once. */
  readonly onWake: (door: BatchDoor) => "go-on" | "stop";
}

export interface BatchDoor {
  take(zones: readonly Zone[], services: readonly NamedService[], dns?: DnsSettings): void;
}

/**
 * Answers until `onWake` says stop, and then what had come in until then. Does not return before; nothing
 * else runs in this thread meanwhile.
 */
export function answerInBatches(options: BatchDoorOptions): void {
  const loaded = loadLibc();
  if (loaded.kind === "unavailable") throw new Error(`no batched sockets: ${loaded.reason}`);
  const { libc } = loaded;
  const { zones, services, decide, keep, log, cookieSecrets, sockets } = options;
  const counters = createDnsCounters(options.cells);
  const responder = createResponder({
    namespace: compileNamespace(zones, services, options.dns),
    decide,
    counters,
    cookieSecrets,
    onFault: faultReporter(log),
  });
  const { respond, forget } = keepReplies({ responder, counters, keep });
  const door: BatchDoor = {
    take(...names) {
      responder.take(compileNamespace(...names));
      forget();
    },
  };
  const batch = new PacketBatch(libc, { respond, counters });
  options.onReady();
  runBatchLoop({ libc, batch, ...sockets, onWake: () => options.onWake(door) });
}
