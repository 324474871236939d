import type { Decision, Memory, Recall } from "../model/decision.ts";
import type { PacketRoom } from "./batch-memory.ts";
import type { BatchOptions } from "./batch.ts";
import { boundedScope } from "./client.ts";
import type { DnsCounters } from "./counters.ts";
import type { LastAnswer } from "./last-answer.ts";
import type { QueryLog } from "./query-log.ts";
import { QueryShape } from "./query-shape.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { MAX_PREPARED_OCTETS, ReplyTable, SHAPES_MAX } from "./reply-table.ts";
import type { Responder } from "./responder.ts";
import { type Shape, ShapeTable } from "./shape-table.ts";

export interface PreparedRepliesOptions {
  /** Answers what is not prepared, as `Responder.respond`; what the responder says of its last answer is true of it. */
  readonly respond: (...of: [...Parameters<BatchOptions["respond"]>, known?: Decision]) => number;
  readonly responder: Pick<Responder, "slip" | "last">;
  readonly counters: Pick<DnsCounters, "request" | "response" | "dropped">;
  readonly recall: Recall;
  /** The same as the responder's. */
  readonly rateLimiter?: Pick<RateLimiter, "judge">;
  /** The same as the responder's: an answer that it is to be told of is made anew. */
  readonly queryLog?: Pick<QueryLog, "isDue" | "pass">;
}

export interface PreparedReplies {
  /** With the same replies as the responder's own, for UDP. */
  readonly respond: BatchOptions["respond"];
  /** What the last reply was, if it was a prepared one. */
  readonly repeatable: () => Repeatable | undefined;
  /** To be called when the responder's names change. */
  readonly forget: () => void;
}

/** What is to be known of a reply to give it again to whom it was given. */
export interface Repeatable {
  readonly type: number;
  readonly rcode: number;
  /** For the rate limit. */
  readonly class: number;
  /** Whether it would be given again; what was decided for it is counted then. */
  readonly again: () => boolean;
}

/**
 * Answers from whole replies to queries that differ in id and client alone, where it is known what is decided for the
 * client's network: neither names nor decisions are looked at, and nothing is allocated.
 *
 * ```
 * query ─► shape ─► known? ─► what is decided for the client ─► reply ─► id, address, scope
 *              │                                             └─ none yet ─► responder, told that ─► reply, kept
 *              └─ no, nor that ─► responder ─► reply, kept for the next one
 * ```
 */
export function prepareReplies(options: PreparedRepliesOptions): PreparedReplies {
  const { respond, responder, counters, recall, rateLimiter, queryLog } = options;
  const query = new QueryShape();
  const shapes = new ShapeTable();
  const replies = new ReplyTable();
  /** The last query's; none where the reply was not a prepared one. */
  let given: Shape | undefined;
  let givenNumber = 0;
  let givenReply = 0;

  const forget = (): void => {
    given = undefined;
    shapes.clear();
    replies.clear();
  };

  const give = (shape: Shape, number: number, reply: number): void => {
    given = shape;
    givenNumber = number;
    givenReply = reply;
  };

  const classAt = (shape: Shape, reply: number): number => replies.classAt(reply) || shape.class;

  const isToKeep = (octets: number): boolean => responder.last.isRepeatable && octets <= MAX_PREPARED_OCTETS;

  const store = (shape: Shape, number: number, packet: PacketRoom, out: PacketRoom, octets: number): void => {
    const { addressAt, rcode, class: of } = responder.last;
    const ofItsOwn = of === shape.class ? 0 : of;
    replies.store(shape.repliesOf, number, out, { octets, addressAt, rcode, class: ofItsOwn }, packet);
  };

  /** The first reply of its shape by what was found, which is not decided once more. */
  const make = (
    shape: Shape,
    memory: Memory,
    number: number,
    packet: PacketRoom,
    source: Uint8Array,
    out: PacketRoom,
  ): number => {
    const { decision } = memory;
    const octets = respond(packet, query.length, source, out, decision);
    const { last } = responder;
    if (last.decision !== decision) {
      learn(shape, packet, out, octets);
      return octets;
    }
    memory.count(query.client);
    if (isToKeep(octets)) {
      store(shape, number, packet, out, octets);
      give(shape, number, replies.find(shape.repliesOf, number));
    }
    // Nobody was asked for that decision just now, and whose it was is not who asks.
    last.isRepeatable = false;
    return octets;
  };

  /** Undefined: the responder is to be asked. */
  const repeat = (
    shape: Shape,
    packet: PacketRoom,
    source: Uint8Array,
    out: PacketRoom,
  ): number | undefined => {
    const { repliesOf, type, memory, rules } = shape;
    if (queryLog?.isDue() === true) return undefined;
    const number = memory === undefined ? 0 : memory.find(query.client);
    if (memory !== undefined && number === 0) return undefined;
    const reply = replies.find(repliesOf, number);
    if (reply < 0) return memory === undefined ? undefined : make(shape, memory, number, packet, source, out);
    memory?.count(query.client);
    queryLog?.pass();
    const verdict = rateLimiter?.judge(source, classAt(shape, reply)) ?? "answer";
    if (verdict === "truncate") return responder.slip(packet.octets, query.length, source, out.octets);
    counters.request("udp", source.length, type);
    if (verdict === "drop") {
      counters.dropped("rate-limit");
      return 0;
    }
    counters.response(replies.rcodeAt(reply));
    replies.copyTo(out, reply, packet);
    const scope = memory === undefined ? 0 : memory.scopePrefixLength;
    const { family } = query.client.address;
    putSubnet(query, packet, replies.addressAt(reply), boundedScope(scope, family, rules), out);
    give(shape, number, reply);
    return replies.octetsAt(reply);
  };

  const repeatable = (): Repeatable | undefined => {
    if (given === undefined) return undefined;
    const { type, memory } = given;
    const about = { type, rcode: replies.rcodeAt(givenReply), class: classAt(given, givenReply) };
    if (memory === undefined) return { ...about, again: () => true };
    const [number, scope] = [givenNumber, memory.scopePrefixLength];
    const { address, prefixLength, from } = query.client;
    const client = { address: { ...address, bytes: address.bytes.slice() }, prefixLength, from };
    return { ...about, again: () => memory.repeat(client, number, scope) };
  };

  /** What was just answered is kept for who asks the same. */
  const learn = (known: Shape | undefined, packet: PacketRoom, out: PacketRoom, octets: number): void => {
    const { decision, type, rules, answerClass, alikeIn } = responder.last;
    if (!isToKeep(octets)) return;
    const recalled = decision === undefined ? undefined : recall(decision);
    if (decision !== undefined && (recalled === undefined || isDeaf(query, responder.last))) return;
    const memory = recalled?.memory;
    if (known === undefined && !shapes.isAskedAgain(query)) return;
    if (known === undefined && shapes.added === SHAPES_MAX) forget();
    const shape = known ?? shapes.add(query, { type, class: answerClass, memory, rules }, alikeIn);
    if (shape.memory !== memory) return;
    store(shape, recalled?.number ?? 0, packet, out, octets);
  };

  return {
    respond(packet, length, source, out) {
      given = undefined;
      const guessed = query.guess(packet, length, source) ? shapes.find(query) : undefined;
      if (guessed === undefined && !query.read(packet, length, source))
        return respond(packet, length, source, out);
      const shape = guessed ?? shapes.find(query);
      const repeated = shape === undefined ? undefined : repeat(shape, packet, source, out);
      if (repeated !== undefined) return repeated;
      responder.last.isRepeatable = false; // until it is asked
      const octets = respond(packet, length, source, out);
      learn(shape, packet, out, octets);
      return octets;
    },
    repeatable,
    forget,
  };
}

/** Whether the client was not the one that the query's subnet says. */
function isDeaf({ addressAt }: QueryShape, { rules }: LastAnswer): boolean {
  return addressAt !== 0 && rules?.isEnabled === false;
}

/** The address as asked, and the scope in front of it (RFC 7871 6). */
function putSubnet(
  { addressAt, addressOctets }: QueryShape,
  packet: PacketRoom,
  at: number,
  scope: number,
  out: PacketRoom,
): void {
  if (at === 0) return;
  out.octets[at - 1] = scope;
  for (let i = 0; i < addressOctets; i++) out.octets[at + i] = packet.octets[addressAt + i] as number;
}
