/**
 * DNS over TCP in a thread that does nothing else (RFC 7766): any number of queries on a connection, answered
 * in order and sent together.
 *
 * ```
 * epoll ─┬─ listener ─► accept ─► connection
 *        └─ connection ─► recv ─► messages ─► respond ─► replies ─► send
 *                                    ▲                       └─ not taken: read no more until it is
 *                                    └── first what came before ──┘
 * ```
 */
import { ERRNO, type Libc } from "../base/libc.ts";
import {
  SOCK_CLOEXEC,
  SOCKADDR_IN6_OCTETS,
  SOCK_NONBLOCK,
  MSG_DONTWAIT,
  MSG_NOSIGNAL,
} from "../base/socket-address.ts";
import { type Connections, networkOf, type Seat } from "./connections.ts";
import type { DnsCounters } from "./counters.ts";
import { Epoll, READABLE, WRITABLE } from "./epoll.ts";
import { MessageReader } from "./framing.ts";
import { BACKLOG } from "./listen.ts";
import type { Responder } from "./responder.ts";
import type { SharedSocket } from "./socket.ts";
import { MAX_MESSAGE_OCTETS, writeUint16 } from "./wire.ts";

/** Where connections come from. Plain data; descriptors belong to the process. */
export interface StreamSockets {
  readonly listeners: readonly SharedSocket[];
  readonly epollFd: number;
  readonly wakeFd: number;
  /** 1 for every descriptor of a connection, so that whoever replaces a dead thread can close its connections. */
  readonly held: Uint8Array;
}

export interface StreamsOptions {
  readonly respond: Responder["respond"];
  readonly connections: Connections;
  readonly counters: Pick<DnsCounters, "dropped">;
  /** Told that no connection could be accepted for want of descriptors or memory. */
  readonly onShortage: (errno: number) => void;
  readonly nowMs?: () => number;
}

/** The shared memory of `StreamSockets`; untouched, it costs nothing. */
export function newHeld(): Uint8Array {
  return new Uint8Array(new SharedArrayBuffer(MOST_DESCRIPTORS));
}

export class Streams {
  readonly #libc: Libc;
  readonly #sockets: StreamSockets;
  readonly #options: Required<StreamsOptions>;
  readonly #epoll: Epoll;
  readonly #listeners: ReadonlyMap<number, SharedSocket>;
  readonly #streams = new Map<number, Stream>();
  readonly #in = new Uint8Array(new ArrayBuffer(READ_OCTETS));
  readonly #out = new Uint8Array(new ArrayBuffer(OUT_OCTETS));
  readonly #reply = new Uint8Array(MAX_MESSAGE_OCTETS);
  /** Of who is accepted, and its length. */
  readonly #name = new Uint8Array(new ArrayBuffer(NAME_OCTETS));
  readonly #nameLength = new Uint32Array(this.#name.buffer, NAME_OCTETS - 4, 1);
  readonly #addresses: { readonly in: bigint; readonly out: bigint; readonly name: bigint };
  #nowMs = 0;
  #sweptMs = 0;
  #isPaused = false;
  #isFinishing = false;

  constructor(libc: Libc, sockets: StreamSockets, options: StreamsOptions) {
    this.#libc = libc;
    this.#sockets = sockets;
    this.#options = { nowMs: () => performance.now(), ...options };
    this.#epoll = new Epoll(libc, sockets.epollFd);
    this.#listeners = new Map(sockets.listeners.map((listener) => [listener.fd, listener]));
    this.#addresses = {
      in: libc.addressOf(this.#in),
      out: libc.addressOf(this.#out),
      name: libc.addressOf(this.#name),
    };
    this.#closeLeft();
    for (const { fd } of sockets.listeners) {
      this.#epoll.add(fd, READABLE);
      // A thread that died may have left it paused.
      this.#epoll.modify(fd, READABLE);
    }
    this.#epoll.add(sockets.wakeFd, READABLE);
  }

  /**
   * Serves whoever is ready, waiting for at most `timeoutMs`.
   * @returns woken: the thread is to see to something else; idle: nobody was ready
   */
  turn(timeoutMs: number): "woken" | "idle" | "served" {
    const ready = this.#epoll.wait(timeoutMs);
    this.#nowMs = this.#options.nowMs();
    let result: ReturnType<Streams["turn"]> = ready === 0 ? "idle" : "served";
    for (let i = 0; i < ready; i++) {
      const fd = this.#epoll.fdAt(i);
      const listener = this.#listeners.get(fd);
      if (fd === this.#sockets.wakeFd) result = "woken";
      else if (listener === undefined) this.#serve(this.#streams.get(fd));
      else this.#accept(listener);
    }
    if (this.#nowMs - this.#sweptMs >= SWEEP_MS) this.#sweep();
    return result;
  }

  /**
   * Accepts who waits and then no one any more, answers who is connected, and closes all connections: at once when
   * each has had an answer and nothing is on its way, otherwise after `patienceMs`.
   */
  finish(patienceMs: number): void {
    this.turn(0);
    this.#isFinishing = true;
    for (const listener of this.#sockets.listeners) {
      // Whoever is left waiting is reset when the socket is closed.
      this.#accept(listener, BACKLOG);
      this.#epoll.modify(listener.fd, 0);
    }
    const untilMs = this.#options.nowMs() + patienceMs;
    while (this.#nowMs < untilMs && [...this.#streams.values()].some(isOwed)) this.turn(FINISHING_TURN_MS);
    for (const stream of this.#streams.values()) this.#close(stream);
  }

  #closeLeft(): void {
    const { held } = this.#sockets;
    for (let fd = held.indexOf(1); fd !== -1; fd = held.indexOf(1, fd)) {
      held[fd] = 0;
      this.#libc.close(fd);
    }
  }

  #sweep(): void {
    this.#sweptMs = this.#nowMs;
    this.#options.connections.sweep(this.#nowMs);
    if (!this.#isPaused || this.#isFinishing) return;
    this.#isPaused = false;
    for (const { fd } of this.#sockets.listeners) this.#epoll.modify(fd, READABLE);
  }

  #accept({ fd: listener, family }: SharedSocket, most = ACCEPTS_PER_TURN): void {
    const { name } = this.#addresses;
    const length = name + BigInt(NAME_OCTETS - 4);
    for (let i = 0; i < most; i++) {
      this.#nameLength[0] = SOCKADDR_IN6_OCTETS;
      const fd = this.#libc.accept4(listener, name, length, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return this.#acceptedNone(this.#libc.errno());
      const source = family === 4 ? this.#name.slice(4, 8) : this.#name.slice(8, 24);
      this.#begin(fd, source);
    }
  }

  /** Who waits longest makes room; if that is nobody, others wait for a while. */
  #acceptedNone(errno: number): void {
    if (!SHORTAGES.has(errno)) return;
    this.#options.onShortage(errno);
    if (this.#options.connections.evict()) return;
    this.#isPaused = true;
    for (const { fd } of this.#sockets.listeners) this.#epoll.modify(fd, 0);
  }

  #begin(fd: number, source: Uint8Array): void {
    const stream: Stream = {
      fd,
      source,
      network: networkOf(source),
      activeMs: this.#nowMs,
      reader: undefined,
      unsent: undefined,
      isAnswered: false,
      isEnded: false,
      isRefused: false,
      close: () => this.#close(stream),
    };
    this.#sockets.held[fd] = 1;
    this.#options.connections.join(stream);
    this.#streams.set(fd, stream);
    this.#epoll.add(fd, READABLE);
  }

  /** One that was closed in this same turn may have been found ready before. */
  #serve(stream: Stream | undefined): void {
    if (stream === undefined) return;
    if (stream.unsent === undefined) this.#read(stream);
    else if (this.#sendRest(stream)) this.#answer(stream);
    if (stream.isEnded && stream.unsent === undefined) this.#close(stream);
  }

  #read(stream: Stream): void {
    const octets = this.#libc.recv(stream.fd, this.#addresses.in, READ_OCTETS, MSG_DONTWAIT);
    if (octets < 0) return this.#failed(stream);
    if (octets === 0) stream.isEnded = true;
    if (octets === 0 || stream.isRefused) return;
    stream.reader ??= new MessageReader();
    stream.reader.push(this.#in.subarray(0, octets));
    this.#answer(stream);
  }

  /** Every message that is there, as long as answers are taken. */
  #answer(stream: Stream): void {
    const { reader, source } = stream;
    if (reader === undefined || stream.isRefused) return;
    const { respond, connections } = this.#options;
    let octets = 0;
    for (let message = reader.next(); message !== undefined; message = reader.next()) {
      const replyOctets = respond(message, message.length, source, "tcp", this.#reply);
      if (replyOctets === 0) return this.#refuse(stream, octets);
      octets = this.#frame(replyOctets, octets);
      if (octets < SEND_OCTETS) continue;
      connections.touch(stream, this.#nowMs);
      if (!this.#send(stream, octets)) return;
      octets = 0;
    }
    if (octets === 0) return;
    connections.touch(stream, this.#nowMs);
    this.#send(stream, octets);
  }

  /** A message with its length in front, behind those that are to go with it. */
  #frame(replyOctets: number, at: number): number {
    writeUint16(this.#out, at, replyOctets);
    this.#out.set(this.#reply.subarray(0, replyOctets), at + 2);
    return at + 2 + replyOctets;
  }

  /** That was no query: what was answered before goes out, and nothing more is read. */
  #refuse(stream: Stream, octets: number): void {
    stream.isRefused = true;
    if (octets === 0 || this.#send(stream, octets)) this.#libc.shutdown(stream.fd, SHUT_WR);
  }

  /** Whether the system took all of it. */
  #send(stream: Stream, octets: number): boolean {
    stream.isAnswered = true;
    const sent = this.#libc.send(stream.fd, this.#addresses.out, octets, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent === octets) return true;
    if (sent < 0 && !PASSING.has(this.#libc.errno())) {
      this.#close(stream);
      return false;
    }
    if (stream.unsent === undefined) this.#epoll.modify(stream.fd, WRITABLE);
    stream.unsent = this.#out.slice(Math.max(0, sent), octets);
    return false;
  }

  #sendRest(stream: Stream): boolean {
    const rest = stream.unsent as Uint8Array;
    this.#out.set(rest);
    if (!this.#send(stream, rest.length)) return false;
    stream.unsent = undefined;
    this.#epoll.modify(stream.fd, READABLE);
    if (stream.isRefused) this.#libc.shutdown(stream.fd, SHUT_WR);
    return true;
  }

  #failed(stream: Stream): void {
    if (!PASSING.has(this.#libc.errno())) this.#close(stream);
  }

  #close(stream: Stream): void {
    if (this.#streams.get(stream.fd) !== stream) return;
    this.#streams.delete(stream.fd);
    this.#options.connections.leave(stream);
    if (stream.reader?.isAmidMessage === true && !stream.isRefused)
      this.#options.counters.dropped("incomplete");
    this.#sockets.held[stream.fd] = 0;
    this.#libc.close(stream.fd);
  }
}

interface Stream extends Seat {
  readonly fd: number;
  readonly source: Uint8Array;
  /** What came and is not answered. */
  reader: MessageReader | undefined;
  /** What was answered and the system did not take. */
  unsent: Uint8Array | undefined;
  /** It has asked, and not in vain. */
  isAnswered: boolean;
  /** The other side sends no more. */
  isEnded: boolean;
  /** What it sends is not read any more. */
  isRefused: boolean;
}

/** Whether closing it would cost its client an answer. */
function isOwed({ isAnswered, isRefused, reader, unsent }: Stream): boolean {
  if (isRefused) return false;
  return !isAnswered || unsent !== undefined || reader?.isAmidMessage === true;
}

/** How soon it is seen that nobody is owed anything. */
const FINISHING_TURN_MS = 20;
/** Of one connection before others have their turn: less than a millisecond's answers. */
const READ_OCTETS = 8192;
/** From so much on, answers are sent before more are made. */
const SEND_OCTETS = 16_384;
const OUT_OCTETS = SEND_OCTETS + 2 + MAX_MESSAGE_OCTETS;
const ACCEPTS_PER_TURN = 64;
/** How late an idle connection may be found, and how long nobody is accepted after a shortage. */
const SWEEP_MS = 250;
/** As many as Linux gives a process by default at most. */
const MOST_DESCRIPTORS = 1 << 20;
/** Room for either socket address, and for its length. */
const NAME_OCTETS = 32;

const SHUT_WR = 1;

/** The same call may succeed later. */
const PASSING: ReadonlySet<number> = new Set([ERRNO.EAGAIN, ERRNO.EINTR, ERRNO.ENOBUFS]);
const SHORTAGES: ReadonlySet<number> = new Set([ERRNO.EMFILE, ERRNO.ENFILE, ERRNO.ENOBUFS, ERRNO.ENOMEM]);
