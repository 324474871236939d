import type { Clock } from "../base/clock.ts";
import type { Libc } from "../base/libc.ts";
import type { Proxied } from "../base/proxy-header.ts";
import { proxyRefusals } from "../base/proxy-refusals.ts";
import { MSG_DONTWAIT, MSG_PEEK } from "../base/socket-address.ts";
import type { Address } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import { answerText, type LoopAnswer } from "./answer-text.ts";
import type { Connection, Connections } from "./connections.ts";
import type { Epoll, Event } from "./epoll.ts";
import { createOutput } from "./output.ts";
import type { ParsedRequest, Parser } from "./parser.ts";
import { readPreface } from "./preface.ts";
import { CLOSE, type TurnTime } from "./turn-time.ts";
import { createUnsent, isPassing, MOST_UNSENT_OCTETS, NOTHING } from "./unsent.ts";

/** What connections are answered by. */
export interface AnsweringOptions {
  readonly libc: Libc;
  readonly limits: AnsweringLimits;
  /** `undefined`: it is for node:http. Must not throw. */
  readonly respond: (request: ParsedRequest, peer: Address, isEncrypted: boolean) => LoopAnswer | undefined;
  readonly handOver: (connection: HandedOver) => void;
  /** A balancer's connection was closed for its PROXY header. */
  readonly onRefused: () => void;
  readonly log: Log;
  readonly clock: Pick<Clock, "monotonicMs" | "wallMs">;
}

export interface AnsweringLimits {
  readonly maxRequestsPerConnection: number;
  /** Octets; a longer one is for node:http to refuse. */
  readonly maxHeaderSize: number;
}

/** A connection that is someone else's from now on. Plain data. */
export interface HandedOver {
  readonly fd: number;
  readonly peer: Address;
  /** Octets that were read and not answered. */
  readonly input: Uint8Array;
  /** Octets of answers that the client has not taken yet. */
  readonly unsent: Uint8Array;
  /** Whether the last answer said that it closes. */
  readonly isEnding: boolean;
  /** As its PROXY header told. */
  readonly proxied?: Proxied;
}

/** What becomes of connections once they are accepted. */
export interface Answering {
  /** Sends what was left, or else answers what has come; false if the connection is no more ours. */
  serve(connection: Connection): boolean;
  readonly close: (connection: Connection) => void;
  /** Closes it for its PROXY header. */
  refuse(connection: Connection, reason: string): void;
  /** With what is held of it. */
  handOverAsIs(connection: Connection): void;
  /** From now on each answer is its connection's last one. */
  stop(): void;
}

/** What the loop has for them. */
export interface AnsweringParts {
  readonly parser: Parser;
  readonly connections: Connections;
  readonly epoll: Pick<Epoll, "remove">;
  readonly time: TurnTime;
}

export function createAnswering(options: AnsweringOptions, parts: AnsweringParts): Answering {
  const { libc, limits, respond } = options;
  const { parser, connections, epoll, time } = parts;
  const output = createOutput(libc);
  const unsent = createUnsent(libc, MOST_UNSENT_OCTETS);
  const refusals = proxyRefusals(options.log, options.clock.monotonicMs);
  let isStopping = false;

  const close = (connection: Connection): void => {
    unsent.release(connection);
    connections.remove(connection.fd);
    libc.close(connection.fd);
  };

  const handOver = (
    { fd, peer, proxied }: Connection,
    rest: Pick<HandedOver, "input" | "unsent" | "isEnding">,
  ): void => {
    epoll.remove(fd);
    connections.remove(fd);
    options.handOver({ fd, peer, ...rest, ...(proxied && { proxied }) });
  };

  const handOverAsIs = (connection: Connection): void =>
    handOver(connection, {
      input: connection.begun,
      unsent: unsent.release(connection),
      isEnding: false,
    });

  /** What has come behind the PROXY header; `undefined` if that is not complete. */
  const admit = (connection: Connection, come: number): { from: number; to: number } | undefined => {
    const read = readPreface(connection.preface ?? NOTHING, parser.room, come);
    if (read.kind === "read") {
      connection.preface = undefined;
      connection.proxied = read.proxied;
      return read;
    }
    if (read.kind === "incomplete") connection.preface = read.preface;
    else refuse(connection, read.reason);
    return undefined;
  };

  const refuse = (connection: Connection, reason: string): void => {
    options.onRefused();
    refusals.refused(connection.peer, reason);
    close(connection);
  };

  /**
   * Reads the rest of the request that has begun at `from`, and nothing behind it; all there is, if that is none.
   * @returns the end of what has been read
   */
  const readOn = (fd: number, from: number, to: number): number => {
    const behind = parser.room.subarray(to, to + limits.maxHeaderSize);
    const seen = libc.recv(fd, behind, behind.length, MSG_PEEK | MSG_DONTWAIT);
    if (seen <= 0) return to;
    const end = parser.parse(from, to + seen)?.end ?? to + seen;
    return to + Math.max(0, libc.recv(fd, behind, end - to, MSG_DONTWAIT));
  };

  /** Reads a turn's worth behind what has begun. @returns the octets in the room; none: there is nothing to be done */
  const read = (connection: Connection, most: number): number => {
    const { fd, begun } = connection;
    if (begun.length > 0) parser.room.set(begun);
    const room = begun.length > 0 ? parser.room.subarray(begun.length) : parser.room;
    const come = libc.recv(fd, room, most, 0);
    if (come > 0) return begun.length + come;
    if (come === 0 && begun.length > 0) handOverAsIs(connection);
    else if (come === 0 || !isPassing(libc.errno())) close(connection);
    return 0;
  };

  /** Sends on; false if the connection is no more ours. */
  const sendOn = (connection: Connection): boolean => {
    const outcome = unsent.send(connection);
    if (outcome === "gone") {
      close(connection);
      return false;
    }
    if (outcome !== "none") connection.sinceMs = time.nowMs;
    return true;
  };

  /** Answers what has come, at most a turn's worth; false if the connection is no more ours. */
  const answer = (connection: Connection): boolean => {
    const { fd } = connection;
    const hadBegun = connection.begun.length;
    const most = connection.mayHaveMore ? LATER_TURN_OCTETS : TURN_OCTETS;
    const come = read(connection, most);
    if (come === 0) return connections.get(fd) === connection;
    connection.begun = NOTHING;
    let [from, to] = [0, come];
    if (connection.preface !== undefined) {
      const admitted = admit(connection, come);
      if (admitted === undefined) return connections.get(fd) === connection;
      ({ from, to } = admitted);
    }
    const peer = connection.proxied?.address ?? connection.peer;
    const isEncrypted = connection.proxied?.isEncrypted === true;
    let afterwards = time.keep;
    connection.mayHaveMore = come - hadBegun === most;
    let hasReadOn = false;
    while (from < to && afterwards.kind === "keep") {
      let request = parser.parse(from, to);
      if (request === undefined && connection.mayHaveMore && !hasReadOn) {
        hasReadOn = true;
        to = readOn(fd, from, to);
        request = parser.parse(from, to);
      }
      if (request === undefined || request.end - from > limits.maxHeaderSize) break;
      const made = respond(request, peer, isEncrypted);
      if (made === undefined) break;
      from = request.end;
      connection.requests++;
      if (!request.isKeptAlive || isStopping || connection.requests >= limits.maxRequestsPerConnection)
        afterwards = CLOSE;
      output.add(fd, answerText(made, request.method, time.tails[afterwards.kind]), isAscii(made));
    }
    connection.sinceMs = time.nowMs;
    const left = output.flush(fd);
    const isEnding = afterwards.kind === "close";
    // Who closes before all is read resets the connection, and the answer may be lost.
    const isAll = from === to && left?.length === 0 && !connection.mayHaveMore;
    if (left === undefined || (isEnding && isAll)) {
      close(connection);
      return false;
    }
    const input = from < to ? new Uint8Array(parser.room.subarray(from, to)) : NOTHING;
    // A request that is cut in two behind others is likely to be whole soon.
    const isWaitedFor = connection.requests > 0 && (hadBegun === 0 || from > 0) && parser.isCut();
    if (isEnding || (from < to && (!isWaitedFor || input.length > limits.maxHeaderSize))) {
      handOver(connection, { input, unsent: left, isEnding });
      return false;
    }
    connection.begun = input;
    if (left.length === 0 || unsent.hold(connection, left)) return true;
    close(connection);
    return false;
  };

  return {
    serve: (connection) => (connection.unsent.length > 0 ? sendOn(connection) : answer(connection)),
    close,
    refuse,
    handOverAsIs,
    stop() {
      isStopping = true;
    },
  };
}

/** What is to be waited for of a connection that was served. */
export function awaited({ unsent }: Connection): Event {
  return unsent.length > 0 ? "writable" : "readable";
}

/** No octet of an answer lies beyond ASCII but in its body, whose octets its header counts. */
function isAscii({ headers, body }: LoopAnswer): boolean {
  return body === "" || headers["Content-Length"] === String(body.length);
}

/**
 * What is answered of a connection in a turn, and one request more: who sends many at once lets others come between,
 * the more so where much may have come.
 */
const TURN_OCTETS = 2048;
const LATER_TURN_OCTETS = 256;

/** For a PROXY header or what has begun, a turn's octets, and the longest header. */
export const ROOM_OCTETS = 64 * 1024;
