import { drainWake } from "../base/eventfd.ts";
import { ERRNO, type Libc } from "../base/libc.ts";
import { Precedence } from "../base/precedence.ts";
import { BATCH_PACKETS } from "./batch-memory.ts";
import type { PacketBatch } from "./batch.ts";
import type { SharedSocket } from "./socket.ts";

export interface BatchLoopOptions {
  readonly libc: Libc;
  readonly batch: PacketBatch;
  readonly sockets: readonly SharedSocket[];
  /** An eventfd that says that there is something to be seen to. */
  readonly wakeFd: number;
  /** Called between two batches after a wake-up, and now and then. */
  readonly onWake: () => Wish;
}

/** again: to be called soon, after what has come in meanwhile is answered; stop: the loop is to end. */
export type Wish = "go-on" | "again" | "stop";

/**
 * Answers until it is told to stop, and then what had come in until then. Holds its thread all the time:
 * nothing else runs in it but `onWake`.
 */
export function runBatchLoop({ libc, batch, sockets, wakeFd, onWake }: BatchLoopOptions): void {
  const polled = pollSet([...sockets.map(({ fd }) => fd), wakeFd]);
  const address = libc.addressOf(polled);
  const wakeAt = sockets.length;
  const precedence = new Precedence(libc);
  let wish: Wish = "go-on";
  while (wish !== "stop") {
    precedence.turn();
    const ready = libc.poll(address, sockets.length + 1, wish === "again" ? 0 : PATIENCE_MS);
    if (ready < 0 && libc.errno() !== ERRNO.EINTR) throw new Error(`poll failed (errno ${libc.errno()})`);
    if (isReady(polled, wakeAt)) drainWake(libc, wakeFd);
    if (wish === "again" || isReady(polled, wakeAt) || ready <= 0) wish = onWake();
    for (let i = 0; i < sockets.length; i++)
      if (isReady(polled, i)) answerSome(batch, sockets[i] as SharedSocket);
  }
  for (const socket of sockets) answerRest(batch, socket);
}

/** While batches are full, polling would only cost; but the other sockets and wake-ups get their turn. */
function answerSome(batch: PacketBatch, socket: SharedSocket): void {
  for (let i = 0; i < BATCHES_PER_TURN && batch.turn(socket) === BATCH_PACKETS; i++);
}

/** What waits in a full buffer, but not what a flood goes on to bring. */
function answerRest(batch: PacketBatch, socket: SharedSocket): void {
  for (let i = 0; i < BATCHES_AT_END && batch.turn(socket) > 0; i++);
}

/** About 5 ms of answers. */
const BATCHES_PER_TURN = 16;
/** More than a buffer of 8 MiB holds. */
const BATCHES_AT_END = 256;
/** How soon a thread is seen to end where nobody wakes the loop. */
const PATIENCE_MS = 200;

const POLLIN = 1;

const POLLFD_OCTETS = 8;

/** struct pollfd: descriptor, events asked for, events found. */
function pollSet(fds: readonly number[]): Int32Array {
  // Small arrays may be moved; one over a buffer of its own is not.
  const set = new Int32Array(new ArrayBuffer(POLLFD_OCTETS * fds.length));
  fds.forEach((fd, i) => {
    set[2 * i] = fd;
    set[2 * i + 1] = POLLIN;
  });
  return set;
}

function isReady(polled: Int32Array, index: number): boolean {
  return (polled[2 * index + 1] as number) >>> 16 !== 0;
}
