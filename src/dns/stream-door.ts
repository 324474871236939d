/**
 * TCP by a thread that does nothing else.
 *
 * ```
 * the thread that opens                 the thread that answers
 * openStreamSockets ── StreamSockets ──► answerStreams: epoll ─► streams ─► responder
 *        └── wake ── eventfd ─────────────────► onWake
 * ```
 *
 * Descriptors belong to the process and outlive a thread that dies: who waits to be accepted is served by
 * the one that takes its place.
 */
import { drainWake, openWake, wake } from "../base/eventfd.ts";
import { takeShortTurns } from "../base/turns.ts";
import { type HandedSockets, type InheritedSockets, NOTHING_INHERITED } from "../base/inherited-sockets.ts";
import { type Libc, loadLibc } from "../base/libc.ts";
import { boundPort } from "../base/socket-address.ts";
import type { Endpoint } from "../model/inventory.ts";
import { type Answerer, type AnswererOptions, createAnswerer } from "./answerer.ts";
import { createConnections } from "./connections.ts";
import { openEpoll } from "./epoll.ts";
import { sometimes } from "./fault.ts";
import { openStreamSocket, type SharedSocket, sharedSocket, TCP_USE } from "./socket.ts";
import { newHeld, Streams, type StreamSockets } from "./streams.ts";

export interface OpenStreamSockets {
  /** Where they really listen, in the order asked. */
  readonly endpoints: readonly Endpoint[];
  readonly sockets: StreamSockets;
  /** For the process that replaces this one. */
  readonly handed: readonly HandedSockets[];
  /** Has the thread's `onWake` called soon. */
  readonly wake: () => void;
  /** To be called when no thread uses them any more. */
  close(): void;
}

/** @throws an Error of one line if one of them cannot be listened on; then none is */
export function openStreamSockets(
  libc: Libc,
  endpoints: readonly Endpoint[],
  inherited: InheritedSockets = NOTHING_INHERITED,
): OpenStreamSockets {
  const closing: number[] = [];
  const close = (): void => closing.splice(0).forEach((fd) => libc.close(fd));
  try {
    const listeners = endpoints.map((endpoint): SharedSocket => {
      const [fd] = inherited.take(TCP_USE, endpoint);
      const listener = fd === undefined ? openStreamSocket(libc, endpoint) : sharedSocket(fd, endpoint);
      closing.push(listener.fd);
      return listener;
    });
    const epollFd = openEpoll(libc);
    closing.push(epollFd);
    const wakeFd = openWake(libc);
    closing.push(wakeFd);
    const fds = listeners.map(({ fd }) => fd);
    return {
      endpoints: endpoints.map(({ host }, i) => ({ host, port: boundPort(libc, fds[i] as number) })),
      sockets: { listeners, epollFd, wakeFd, held: newHeld() },
      handed: endpoints.map((asked, i) => ({ use: TCP_USE, asked, fds: fds.slice(i, i + 1) })),
      wake: () => wake(libc, wakeFd),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

export interface StreamDoorOptions extends AnswererOptions {
  readonly sockets: StreamSockets;
  /** Called once, before the first connection is accepted. */
  readonly onReady: () => void;
  /** Called between two turns after a wake-up, and now and then. */
  readonly onWake: (door: StreamDoor) => StreamWish;
}

export type StreamDoor = Pick<Answerer, "prepareInSteps" | "challenge">;

/**
 * again: to be called soon, after who is ready is served; otherwise the end, and how long who is connected may take
 * until then.
 */
export type StreamWish = "go-on" | "again" | { readonly graceMs: number };

/** Answers until `onWake` says to end. Does not return before; nothing else runs in this thread meanwhile. */
export function answerStreams(options: StreamDoorOptions): void {
  const loaded = loadLibc();
  if (loaded.kind === "unavailable") throw new Error(`no streams: ${loaded.reason}`);
  const { libc } = loaded;
  takeShortTurns(libc);
  const { sockets, served, log, onReady, onWake } = options;
  const { responder, counters, prepareInSteps, challenge } = createAnswerer(options);
  const connections = createConnections(served.dns?.tcp);
  const { respond } = responder;
  const onShortage = sometimes((errno: number) =>
    log.warn({ errno }, "no DNS connection can be accepted: no descriptor or memory is left"),
  );
  const streams = new Streams(libc, sockets, { respond, connections, counters, onShortage });
  const door: StreamDoor = {
    *prepareInSteps(next) {
      const take = yield* prepareInSteps(next);
      return () => {
        take();
        connections.take(next.dns?.tcp);
      };
    },
    challenge,
  };
  onReady();
  let wish: StreamWish = "go-on";
  while (typeof wish === "string") {
    const result = streams.turn(wish === "again" ? 0 : PATIENCE_MS);
    if (result === "woken") drainWake(libc, sockets.wakeFd);
    if (wish === "again" || result !== "served") wish = onWake(door);
  }
  streams.finish(wish.graceMs);
}

/** How soon idle connections are looked for, and a thread is seen to end where nobody wakes it. */
const PATIENCE_MS = 200;
