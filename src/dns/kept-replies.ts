import type { Keep } from "../model/decision.ts";
import type { PacketRoom } from "./batch-memory.ts";
import type { BatchOptions } from "./batch.ts";
import type { DnsCounters } from "./counters.ts";
import { HitRate } from "./hit-rate.ts";
import type { Repeatable } from "./prepared-replies.ts";
import type { QueryLog } from "./query-log.ts";
import type { RateLimiter } from "./rate-limit.ts";
import type { Responder } from "./responder.ts";
import { added, addedRun, copyRun, isSameRun, mixed } from "./words.ts";

export interface KeptRepliesOptions {
  /** Answers what is not kept; what the responder says of its last answer is true of it, if it was asked. */
  readonly respond: BatchOptions["respond"];
  readonly responder: Pick<Responder, "slip" | "last">;
  readonly counters: Pick<DnsCounters, "request" | "response" | "dropped">;
  readonly keep: Keep;
  /** Of its last answer, where the responder was not asked; left out: it always is. */
  readonly repeatable?: () => Repeatable | undefined;
  /** The same as the responder's. */
  readonly rateLimiter?: Pick<RateLimiter, "judge">;
  /** The same as the responder's: an answer that it is to be told of is made anew. */
  readonly queryLog?: Pick<QueryLog, "isDue" | "pass">;
}

export interface KeptReplies {
  /** With the same replies as the responder's own, for UDP. */
  readonly respond: BatchOptions["respond"];
  /** To be called when the responder's names change. */
  readonly forget: () => void;
}

/**
 * Gives replies again to queries that are the same octet by octet but for their id, from the same address.
 * What was decided for a client is given only while it would be decided again, and counted each time.
 */
export function keepReplies({
  respond,
  responder,
  counters,
  keep,
  repeatable,
  rateLimiter,
  queryLog,
}: KeptRepliesOptions): KeptReplies {
  const kept: (KeptReply | undefined)[] = Array.from({ length: PLACES });
  /** Of what is kept at each place: what lies elsewhere in memory is looked at only where it may be the same. */
  const keptHashes = new Int32Array(PLACES);
  /** Of the last query at each place that was not kept: what comes only once costs no more than this. */
  const lastHashes = new Int32Array(PLACES);
  const hitRate = new HitRate();

  /** Of the last answer, if it may be given again. */
  const lastRepeatable = (): Repeatable | undefined => {
    const { isRepeatable, decision, type, rcode, class: of } = responder.last;
    if (!isRepeatable) return repeatable?.();
    const again = decision === undefined ? always : keep(decision, "dns");
    return again && { type, rcode, class: of, again };
  };

  const store = (hash: number, query: KeptQuery, reply: Int32Array, replyOctets: number): void => {
    const last = lastRepeatable();
    if (last === undefined) return;
    const { type, rcode, class: of, again } = last;
    const { length, flags, words, tail, source } = query;
    // Written out: what is spread comes in several layouts, which cost more to read.
    kept[hash & MASK] = {
      length,
      flags,
      words,
      tail,
      source,
      reply,
      replyOctets,
      type,
      rcode,
      class: of,
      again,
    };
    keptHashes[hash & MASK] = hash;
  };

  /** Undefined: the responder is to be asked. */
  const repeat = (known: KeptReply, packet: PacketRoom, out: PacketRoom): number | undefined => {
    if (queryLog?.isDue() === true || !known.again()) return undefined;
    queryLog?.pass();
    const { source, length, type } = known;
    const verdict = rateLimiter?.judge(source, known.class) ?? "answer";
    if (verdict === "truncate") return responder.slip(packet.octets, length, source, out.octets);
    counters.request("udp", source.length, type);
    if (verdict === "drop") {
      counters.dropped("rate-limit");
      return 0;
    }
    counters.response(known.rcode);
    return give(known, packet, out);
  };

  return {
    respond(packet, length, source, out) {
      if (length > MAX_QUERY_OCTETS || length < MIN_QUERY_OCTETS || !hitRate.isWorthALook())
        return respond(packet, length, source, out);
      const hash = hashOf(packet, length, source);
      const known = keptHashes[hash & MASK] === hash ? kept[hash & MASK] : undefined;
      const isKnown = known !== undefined && isSame(known, packet, length, source);
      const repeated = isKnown ? repeat(known, packet, out) : undefined;
      hitRate.found(repeated !== undefined);
      if (repeated !== undefined) return repeated;
      responder.last.isRepeatable = false; // until it is asked
      const octets = respond(packet, length, source, out);
      if (isKnown) kept[hash & MASK] = undefined;
      const isRepeated = isKnown || lastHashes[hash & MASK] === hash;
      lastHashes[hash & MASK] = hash;
      if (isRepeated && octets <= MAX_REPLY_OCTETS)
        store(hash, queryOf(packet, length, source), out.words.slice(0, (octets + 3) >> 2), octets);
      return octets;
    },
    forget() {
      kept.fill(undefined);
    },
  };
}

interface KeptQuery {
  readonly length: number;
  /** All of the query but its id, the last word with nothing beyond the end. */
  readonly flags: number;
  readonly words: Int32Array;
  readonly tail: number;
  readonly source: Uint8Array;
}

interface KeptReply extends KeptQuery {
  readonly reply: Int32Array;
  readonly replyOctets: number;
  readonly type: number;
  readonly rcode: number;
  readonly class: number;
  readonly again: () => boolean;
}

const PLACES = 4096;
const MASK = PLACES - 1;
/** A header. */
const MIN_QUERY_OCTETS = 12;
/** Room for a name and EDNS with a client subnet, of usual lengths. */
const MAX_QUERY_OCTETS = 192;
const MAX_REPLY_OCTETS = 512;
/** The id is the lower half of the first word of a packet, whose octets are in the opposite order of the words'. */
const ID_BITS = 0xffff;

function always(): boolean {
  return true;
}

function queryOf({ words }: PacketRoom, length: number, source: Uint8Array): KeptQuery {
  return {
    length,
    flags: flagsOf(words),
    words: words.slice(0, length >> 2),
    tail: tailOf(words, length),
    source: source.slice(),
  };
}

function isSame(known: KeptQuery, { words }: PacketRoom, length: number, source: Uint8Array): boolean {
  if (known.length !== length || known.flags !== flagsOf(words) || known.tail !== tailOf(words, length))
    return false;
  if (!isSameRun(words, 1, length >> 2, known.words, 0)) return false;
  if (known.source.length !== source.length) return false;
  for (let i = 0; i < source.length; i++) if (known.source[i] !== source[i]) return false;
  return true;
}

function hashOf({ words }: PacketRoom, length: number, source: Uint8Array): number {
  const whole = length >> 2;
  let sum = addedRun(flagsOf(words) ^ length, words, 1, whole);
  sum = added(sum, whole, tailOf(words, length));
  for (let i = 0; i < source.length; i++) sum = added(sum, whole + 1 + i, source[i] as number);
  return mixed(sum);
}

function flagsOf(words: Int32Array): number {
  return (words[0] as number) & ~ID_BITS;
}

/** The 0 to 3 octets after the last whole word. */
function tailOf(words: Int32Array, length: number): number {
  return (words[length >> 2] as number) & ((1 << (8 * (length & 3))) - 1);
}

function give({ reply, replyOctets }: KeptReply, packet: PacketRoom, out: PacketRoom): number {
  const to = out.words;
  to[0] = ((reply[0] as number) & ~ID_BITS) | ((packet.words[0] as number) & ID_BITS);
  copyRun(to, 1, reply.length, reply, 0);
  return replyOctets;
}
