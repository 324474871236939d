import { ERRNO, type Libc } from "../base/libc.ts";
import {
  BATCH_PACKETS,
  type BatchMemory,
  CONTROL_LENGTH,
  CONTROL_POINTER,
  CONTROL_STRIDE,
  CONTROLS_AT,
  HEADER_OCTETS,
  HEADER_WORDS,
  NAME_LENGTH,
  NAME_OCTETS,
  NAME_POINTER,
  NAMES_AT,
  type PacketRoom,
  places,
  RECEIVE_AT,
  REPLIES_AT,
  REPLY_OCTETS,
  SEND_AT,
  SEND_VECTORS_AT,
  VECTOR_COUNT,
  VECTOR_LENGTH,
  VECTOR_OCTETS,
  VECTOR_POINTER,
  VECTOR_WORDS,
} from "./batch-memory.ts";
import type { DnsCounters } from "./counters.ts";
import { JoinedReplies } from "./joined-replies.ts";

/** The replies of a batch, until one call sends them all. What the system does not take is counted, and gone over. */
export class Outgoing {
  readonly #libc: Pick<Libc, "sendmmsg" | "setsockopt" | "errno">;
  readonly #counters: Pick<DnsCounters, "dropped">;
  readonly #memory: BatchMemory;
  readonly #joined: JoinedReplies;
  readonly #rooms: readonly PacketRoom[];
  /** Where the header of each is. */
  readonly #headers: readonly bigint[];
  #replies = 0;
  /** Whose name and control each header points to. */
  readonly #queryOf = new Uint8Array(BATCH_PACKETS);
  /** The low and high words of the addresses of names and controls. */
  readonly #names: Uint32Array;
  readonly #controls: Uint32Array;

  constructor(
    libc: Pick<Libc, "sendmmsg" | "setsockopt" | "errno">,
    memory: BatchMemory,
    counters: Pick<DnsCounters, "dropped">,
  ) {
    this.#libc = libc;
    this.#memory = memory;
    this.#counters = counters;
    this.#joined = new JoinedReplies(libc, memory, this.#queryOf);
    this.#rooms = places((i) => memory.room(REPLIES_AT + i * REPLY_OCTETS, REPLY_OCTETS));
    this.#headers = places((i) => memory.addressOf(SEND_AT + i * HEADER_OCTETS));
    this.#names = memory.addressWords(NAMES_AT, NAME_OCTETS);
    this.#controls = memory.addressWords(CONTROLS_AT, CONTROL_STRIDE);
    for (let i = 0; i < BATCH_PACKETS; i++) this.#prepare(i);
  }

  /** Where the next reply is to be written. */
  get room(): PacketRoom {
    return this.#rooms[this.#replies] as PacketRoom;
  }

  /**
   * What was written is the reply to a packet of the batch: for whom that came from, and from the address it came to.
   * @param octets 1..1280
   */
  add(query: number, octets: number): void {
    const reply = this.#replies++;
    const { words } = this.#memory;
    const to = (SEND_AT >> 2) + reply * HEADER_WORDS;
    const from = (RECEIVE_AT >> 2) + query * HEADER_WORDS;
    words[to + NAME_LENGTH] = words[from + NAME_LENGTH] as number;
    words[to + CONTROL_LENGTH] = words[from + CONTROL_LENGTH] as number;
    words[(SEND_VECTORS_AT >> 2) + reply * VECTOR_WORDS + VECTOR_LENGTH] = octets;
    if (this.#queryOf[reply] !== query) this.#address(reply, query);
    this.#joined.add(reply, query, octets);
  }

  send(fd: number): void {
    const replies = this.#replies;
    if (replies === 0) return;
    this.#replies = 0;
    const messages = this.#joined.finish(fd, replies);
    if (messages === 0) this.#sendEach(fd, 0, replies);
    else this.#sendJoined(fd, messages, replies);
  }

  /** @returns false if the system had no room for one, even after a while; then it is not asked for the rest either */
  #sendEach(fd: number, from: number, to: number): boolean {
    let sent = from;
    while (sent < to) {
      const taken = this.#libc.sendmmsg(fd, this.#headers[sent] as bigint, to - sent, 0);
      if (taken > 0) {
        sent += taken;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === ERRNO.EINTR) continue;
      if (errno === ERRNO.EAGAIN) {
        this.#lose(to - sent);
        return false;
      }
      // It is the first of them that could not be sent.
      this.#lose(1);
      sent++;
    }
    return true;
  }

  #sendJoined(fd: number, messages: number, replies: number): void {
    let sent = 0;
    while (sent < messages) {
      const taken = this.#libc.sendmmsg(fd, this.#joined.header(sent), messages - sent, 0);
      if (taken > 0) {
        sent += taken;
        continue;
      }
      const errno = this.#libc.errno();
      if (errno === ERRNO.EINTR) continue;
      // A device or a system that does not cut messages up, whatever it said.
      if (errno === ERRNO.EIO || errno === ERRNO.EINVAL) this.#joined.giveUp(fd);
      return this.#sendPieces(fd, sent, replies, errno !== ERRNO.EAGAIN);
    }
  }

  /** Those of all messages from one on, each by itself, as long as there is room for them. */
  #sendPieces(fd: number, from: number, replies: number, isRoom: boolean): void {
    let goesOn = isRoom;
    for (let reply = 0; reply < replies; reply++) {
      if (this.#joined.messageOf(reply) < from) continue;
      if (goesOn) goesOn = this.#sendEach(fd, reply, reply + 1);
      else this.#lose(1);
    }
  }

  #lose(replies: number): void {
    for (let i = 0; i < replies; i++) this.#counters.dropped("send-error");
  }

  #address(reply: number, query: number): void {
    const { words } = this.#memory;
    const to = (SEND_AT >> 2) + reply * HEADER_WORDS;
    this.#queryOf[reply] = query;
    words[to + NAME_POINTER] = this.#names[2 * query] as number;
    words[to + NAME_POINTER + 1] = this.#names[2 * query + 1] as number;
    words[to + CONTROL_POINTER] = this.#controls[2 * query] as number;
    words[to + CONTROL_POINTER + 1] = this.#controls[2 * query + 1] as number;
  }

  /** What stays the same from batch to batch. */
  #prepare(reply: number): void {
    const header = SEND_AT + reply * HEADER_OCTETS;
    const vector = SEND_VECTORS_AT + reply * VECTOR_OCTETS;
    this.#address(reply, reply);
    this.#memory.point(header + 4 * VECTOR_POINTER, vector);
    this.#memory.words[(header >> 2) + VECTOR_COUNT] = 1;
    this.#memory.point(vector, REPLIES_AT + reply * REPLY_OCTETS);
  }
}
