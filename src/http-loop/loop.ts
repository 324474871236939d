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
 * What is incomplete, malformed or rare is left, with its connection, to node:http, so that there is one place that
 * knows how to treat it.
 */
import type { Clock } from "../base/clock.ts";
import { drainWake } from "../base/eventfd.ts";
import { ERRNO, type Libc } from "../base/libc.ts";
import { PROXY_HEADER_MAX, type Proxied } from "../base/proxy-header.ts";
import { proxyRefusals } from "../base/proxy-refusals.ts";
import { SOCK_CLOEXEC, SOCK_NONBLOCK } from "../base/socket-address.ts";
import type { Address } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import { type Afterwards, answerText, keptAlive, type LoopAnswer, tailText } from "./answer-text.ts";
import { type Connection, createConnections, type IdleLimits } from "./connections.ts";
import { openEpoll } from "./epoll.ts";
import { createOutput } from "./output.ts";
import { createParser, type ParsedRequest } from "./parser.ts";
import { createPeerRoom } from "./peer.ts";
import { readPreface } from "./preface.ts";
import { BACKLOG, type ListeningSocket } from "./sockets.ts";

export interface LoopLimits extends IdleLimits {
  readonly checkIntervalMs: number;
  readonly maxRequestsPerConnection: number;
  /** Octets; a longer one is for node:http to refuse. */
  readonly maxHeaderSize: number;
  /** Beyond it, those that have been idle longest are closed. */
  readonly maxConnections: number;
}

export interface LoopOptions {
  readonly libc: Libc;
  readonly sockets: readonly ListeningSocket[];
  /** An eventfd that ends a turn. */
  readonly wakeFd: number;
  readonly limits: LoopLimits;
  /** As for `createConnections`. */
  readonly marks: Uint8Array;
  /** The header fields that `respond` reads, in lower case. */
  readonly fields: readonly string[];
  /** `undefined`: it is for node:http. Must not throw. */
  readonly respond: (request: ParsedRequest, peer: Address, isEncrypted: boolean) => LoopAnswer | undefined;
  /** Whether a peer's connections begin with a PROXY header. */
  readonly isBalancer: (peer: Address) => boolean;
  readonly handOver: (connection: HandedOver) => void;
  /** A connection was closed that never asked anything. */
  readonly onSilent: () => void;
  /** A balancer's connection was closed for its PROXY header. */
  readonly onRefused: () => void;
  readonly log: Log;
  readonly clock: Pick<Clock, "monotonicMs" | "wallMs">;
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
  const { libc, sockets, wakeFd, limits, respond, clock } = options;
  const parser = createParser(ROOM_OCTETS, options.fields);
  const output = createOutput(libc);
  const epoll = openEpoll(libc);
  const connections = createConnections(limits, options.marks);
  const peers = createPeerRoom();
  const refusals = proxyRefusals(options.log, clock.monotonicMs);
  const listeners = new Map(sockets.map((socket) => [socket.fd, socket]));
  const keep = keptAlive(limits.keepAliveTimeoutMs, limits.maxRequestsPerConnection);
  let nowMs = clock.monotonicMs();
  let sweptMs = nowMs;
  let tails = { keep: "", close: "" };
  let tailsSecond = -1;
  let isStopping = false;
  let areListening = true;
  let isWoken = false;

  for (const fd of [...listeners.keys(), wakeFd]) epoll.add(fd);

  const close = ({ fd }: Connection): void => {
    connections.remove(fd);
    libc.close(fd);
  };

  const handOver = (
    { fd, peer, proxied }: Connection,
    rest: Pick<HandedOver, "unsent" | "isEnding"> & { from: number; to: number },
  ): void => {
    epoll.remove(fd);
    connections.remove(fd);
    const { unsent, isEnding, from, to } = rest;
    const input = new Uint8Array(parser.room.subarray(from, to));
    options.handOver({ fd, peer, input, unsent, isEnding, ...(proxied && { proxied }) });
  };

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

  /** Answers what has come; false if the connection is no more ours. */
  const serve = (connection: Connection): boolean => {
    const { fd } = connection;
    const most = connection.preface === undefined ? ROOM_OCTETS : ROOM_OCTETS - PROXY_HEADER_MAX;
    const come = libc.recv(fd, parser.room, most, 0);
    if (come <= 0) {
      if (come < 0 && isPassing(libc.errno())) return true;
      close(connection);
      return false;
    }
    let [from, to] = [0, come];
    if (connection.preface !== undefined) {
      const admitted = admit(connection, come);
      if (admitted === undefined) return connections.get(fd) === connection;
      ({ from, to } = admitted);
    }
    const peer = connection.proxied?.address ?? connection.peer;
    const isEncrypted = connection.proxied?.isEncrypted === true;
    let afterwards: Afterwards = keep;
    while (from < to && afterwards.kind === "keep") {
      const request = parser.parse(from, to);
      if (request === undefined || request.end - from > limits.maxHeaderSize) break;
      const answer = respond(request, peer, isEncrypted);
      if (answer === undefined) break;
      from = request.end;
      connection.requests++;
      if (!request.isKeptAlive || isStopping || connection.requests >= limits.maxRequestsPerConnection)
        afterwards = CLOSE;
      output.add(fd, answerText(answer, request.method, tails[afterwards.kind]), isAscii(answer));
    }
    connection.sinceMs = nowMs;
    const unsent = output.flush(fd);
    const isEnding = afterwards.kind === "close";
    if (unsent === undefined || (isEnding && from === to && unsent.length === 0)) close(connection);
    else if (isEnding || from < to || unsent.length > 0) handOver(connection, { unsent, isEnding, from, to });
    else return true;
    return false;
  };

  const accept = ({ fd: listener }: ListeningSocket, most = ACCEPTS_PER_TURN): void => {
    for (let i = 0; i < most; i++) {
      if (connections.size() >= limits.maxConnections) relieve();
      const fd = libc.accept4(listener, peers.octets, peers.length(), SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return refused(libc.errno());
      const peer = peers.address();
      const preface = options.isBalancer(peer) ? NOTHING : undefined;
      const connection: Connection = { fd, peer, preface, proxied: undefined, requests: 0, sinceMs: nowMs };
      connections.add(connection);
      if (serve(connection)) epoll.add(fd);
    }
  };

  /** Without descriptors nobody is accepted until some are closed. */
  const refused = (errno: number): void => {
    if (errno !== ERRNO.EMFILE && errno !== ERRNO.ENFILE) return;
    options.log.warn({ connections: connections.size() }, "no descriptors left: the longest idle are closed");
    relieve();
    listen(false);
  };

  const listen = (areOpen: boolean): void => {
    if (areOpen === areListening) return;
    areListening = areOpen;
    const change = areOpen ? epoll.add : epoll.remove;
    for (const fd of listeners.keys()) change(fd);
  };

  const relieve = (): void => {
    for (const connection of connections.longestIdle(Math.ceil(connections.size() / 100))) close(connection);
  };

  const sweep = (): void => {
    sweptMs = nowMs;
    if (!isStopping) listen(true);
    for (const connection of connections.overdue(nowMs)) {
      if (connection.preface !== undefined) refuse(connection, "it has not come in time");
      else {
        if (connection.requests === 0) options.onSilent();
        close(connection);
      }
    }
  };

  const visit = (fd: number): void => {
    const listener = listeners.get(fd);
    const connection = connections.get(fd);
    if (listener !== undefined) accept(listener);
    else if (connection !== undefined) serve(connection);
    else if (fd === wakeFd) {
      drainWake(libc, wakeFd);
      isWoken = true;
    }
  };

  const tellTime = (): void => {
    nowMs = clock.monotonicMs();
    const wallMs = clock.wallMs();
    const second = Math.floor(wallMs / 1000);
    if (second === tailsSecond) return;
    tailsSecond = second;
    const date = new Date(wallMs).toUTCString();
    tails = { keep: tailText(date, keep), close: tailText(date, CLOSE) };
  };
  tellTime();

  return {
    turn(timeoutMs) {
      isWoken = false;
      const untilSweepMs = Math.max(0, sweptMs + limits.checkIntervalMs - nowMs);
      let isFirst = true;
      epoll.wait(Math.ceil(Math.min(timeoutMs, untilSweepMs)), (fd) => {
        if (isFirst) tellTime();
        isFirst = false;
        visit(fd);
      });
      if (isFirst) tellTime();
      if (nowMs - sweptMs >= limits.checkIntervalMs) sweep();
      return isWoken;
    },
    finish() {
      tellTime();
      isStopping = true;
      // Whoever is left waiting is reset when the socket is closed.
      for (const socket of sockets) accept(socket, BACKLOG);
      for (const connection of connections.all()) {
        if (!serve(connection)) continue;
        // Who has just come may have a request under way: node:http waits for it as for half a one.
        if (connection.requests === 0 && connection.preface === undefined) handOver(connection, NOTHING_READ);
        else close(connection);
      }
      epoll.close();
    },
  };
}

const CLOSE: Afterwards = { kind: "close" };
const NOTHING = new Uint8Array();
const NOTHING_READ = { unsent: NOTHING, isEnding: false, from: 0, to: 0 } as const;

/** No octet of an answer lies beyond ASCII but in its body, whose octets its header counts. */
function isAscii({ headers, body }: LoopAnswer): boolean {
  return body === "" || headers["Content-Length"] === String(body.length);
}

function isPassing(errno: number): boolean {
  return errno === ERRNO.EAGAIN || errno === ERRNO.EINTR;
}

/** As much as node:http reads at once. */
const ROOM_OCTETS = 64 * 1024;

/** So that those who are connected already get their turn. */
const ACCEPTS_PER_TURN = 64;
