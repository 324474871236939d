/**
 * HTTP/1.1 on many connections in one thread, for requests that end with their header.
 *
 * ```
 * epoll ─► accept, recv ─► llhttp ─► respond ─► send
 *               │              │         └─► undefined ─┐
 *               │              └─► anything else ───────┴─► handed over, with the octets read
 *               └─► silent for too long: closed
 * ```
 *
 * Who does not take his answers is not read from until he does.
 *
 * What is incomplete, malformed or rare is left, with its connection, to node:http, so that there is one place that
 * knows how to treat it.
 */
import { drainWake } from "../base/eventfd.ts";
import { type AcceptingOptions, createAccepting } from "./accepting.ts";
import { keptAlive } from "./answer-text.ts";
import {
  type AnsweringLimits,
  type AnsweringOptions,
  awaited,
  createAnswering,
  ROOM_OCTETS,
} from "./answering.ts";
import { type Connection, createConnections, type IdleLimits } from "./connections.ts";
import { openEpoll } from "./epoll.ts";
import { createParser } from "./parser.ts";
import { BACKLOG } from "./sockets.ts";
import { TurnTime } from "./turn-time.ts";

export interface LoopOptions extends AnsweringOptions, AcceptingOptions {
  /** The header fields that `respond` reads, in lower case. */
  readonly fields: readonly string[];
  /** An eventfd that ends a turn. */
  readonly wakeFd: number;
  readonly limits: IdleLimits &
    AnsweringLimits &
    AcceptingOptions["limits"] & {
      /** How often it is looked who has been silent for too long. */
      readonly checkIntervalMs: number;
    };
  /** As for `createConnections`. */
  readonly marks: Uint8Array;
  /** A connection was closed that never asked anything. */
  readonly onSilent: () => void;
}

export interface Loop {
  /** Waits for something to do, and does it; true if it was woken. @param timeoutMs at most so long */
  turn(timeoutMs: number): boolean;
  /**
   * Answers what has come in, closes every connection that has been answered, hands the others over; is of no use
   * afterwards.
   */
  finish(): void;
}

/** @throws if the parser cannot be had */
export function createLoop(options: LoopOptions): Loop {
  const { libc, sockets, wakeFd, limits } = options;
  // First: where it cannot be had, nothing is open yet.
  const parser = createParser(ROOM_OCTETS, options.fields);
  const epoll = openEpoll(libc);
  const connections = createConnections(limits, options.marks);
  const keep = keptAlive(limits.keepAliveTimeoutMs, limits.maxRequestsPerConnection);
  const time = new TurnTime(options.clock, keep);
  const answering = createAnswering(options, { parser, connections, epoll, time });
  const accepting = createAccepting(options, { connections, answering, epoll, time });
  let sweptMs = time.nowMs;
  let isWoken = false;
  epoll.add(wakeFd);

  const sweep = (): void => {
    sweptMs = time.nowMs;
    accepting.resume();
    for (const connection of connections.overdue(time.nowMs)) {
      if (connection.preface !== undefined) answering.refuse(connection, "it has not come in time");
      else if (connection.unsent.length === 0 && connection.begun.length > 0)
        answering.handOverAsIs(connection);
      else {
        if (connection.requests === 0) options.onSilent();
        answering.close(connection);
      }
    }
  };

  const serve = (connection: Connection): void => {
    const before = awaited(connection);
    if (!answering.serve(connection)) return;
    const after = awaited(connection);
    if (after !== before) epoll.change(connection.fd, after);
  };

  const visit = (fd: number): void => {
    const listener = accepting.listener(fd);
    const connection = connections.get(fd);
    if (listener !== undefined) accepting.accept(listener);
    else if (connection !== undefined) serve(connection);
    else if (fd === wakeFd) {
      drainWake(libc, wakeFd);
      isWoken = true;
    }
  };

  return {
    turn(timeoutMs) {
      isWoken = false;
      const untilSweepMs = Math.max(0, sweptMs + limits.checkIntervalMs - time.nowMs);
      let isFirst = true;
      epoll.wait(Math.ceil(Math.min(timeoutMs, untilSweepMs)), (fd) => {
        if (isFirst) time.look();
        isFirst = false;
        visit(fd);
      });
      if (isFirst) time.look();
      if (time.nowMs - sweptMs >= limits.checkIntervalMs) sweep();
      return isWoken;
    },
    finish() {
      time.look();
      answering.stop();
      // Whoever is left waiting is reset when the socket is closed.
      for (const socket of sockets) accepting.accept(socket, BACKLOG);
      for (const connection of connections.all()) {
        if (!answering.serve(connection)) continue;
        // Who has just come may have a request under way: node:http waits for it as for half a one.
        const isNew = connection.requests === 0 && connection.preface === undefined;
        const isUnderWay = connection.begun.length > 0 || connection.unsent.length > 0;
        if (isNew || isUnderWay) answering.handOverAsIs(connection);
        else answering.close(connection);
      }
      epoll.close();
    },
  };
}
