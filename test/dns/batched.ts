import { openBatchSockets } from "../../src/dns/batch-door.ts";
import { type BatchOptions, PacketBatch } from "../../src/dns/batch.ts";
import { loadLibc } from "../../src/base/libc.ts";
import { openStreamSockets } from "../../src/dns/stream-door.ts";
import { Streams, type StreamsOptions } from "../../src/dns/streams.ts";
import type { Endpoint } from "../../src/model/inventory.ts";

export const LIBC = loadLibc();
if (LIBC.kind === "unavailable" && (process.env.CI || process.platform === "linux"))
  throw new Error(`batched sockets cannot be tested: ${LIBC.reason}`);

export interface Batched {
  readonly endpoints: readonly Endpoint[];
  readonly stop: () => void;
}

/** Batched sockets without a thread of their own: looked at every millisecond. */
export function listenInBatches(endpoints: readonly Endpoint[], options: BatchOptions): Batched {
  if (LIBC.kind === "unavailable") throw new Error(LIBC.reason);
  const sockets = openBatchSockets(LIBC.libc, endpoints, 1);
  const batch = new PacketBatch(LIBC.libc, options);
  const [thread] = sockets.threads;
  const timer = setInterval(() => {
    for (const socket of thread?.sockets ?? []) while (batch.turn(socket) > 0);
  }, 1);
  return {
    endpoints: sockets.endpoints,
    stop() {
      clearInterval(timer);
      sockets.close();
    },
  };
}

/** TCP by epoll, without a thread of its own: looked at every millisecond. */
export function listenByEpoll(endpoints: readonly Endpoint[], options: StreamsOptions): Batched {
  if (LIBC.kind === "unavailable") throw new Error(LIBC.reason);
  const open = openStreamSockets(LIBC.libc, endpoints);
  const streams = new Streams(LIBC.libc, open.sockets, options);
  const timer = setInterval(() => {
    streams.turn(0);
  }, 1);
  return {
    endpoints: open.endpoints,
    stop() {
      clearInterval(timer);
      streams.finish(0);
      open.close();
    },
  };
}
