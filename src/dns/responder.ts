/**
 * One packet in, one packet out.
 *
 * ```
 *            ┌── no reply: short, a response
 * packet ─► decode ── leaves early: FORMERR, NOTIMP, BADVERS ──────────────┐
 *            └─ query ─► respond ── namespace ─► static records, referral ─┼─► encode ─► reply
 *                           └── service ─► decide ─► addresses ────────────┘
 * ```
 *
 * No sockets, no waiting, no state but the objects that are filled again for every packet: it runs in
 * whatever thread holds it, behind whatever transport.
 */
import { type Clock, systemClock } from "../base/clock.ts";
import type { Decide, Decision } from "../model/decision.ts";
import { TCP_LIMITS } from "./connections.ts";
import { type CookieJar, type CookieSecretsAt, createCookieJar } from "./cookie.ts";
import type { DnsCounters, Transport } from "./counters.ts";
import { decodeQuery, type Verdict } from "./decode.ts";
import { Reply } from "./encode.ts";
import { type LastAnswer, newLastAnswer, remember } from "./last-answer.ts";
import type { Namespace } from "./namespace.ts";
import { createQuery, type Query } from "./query.ts";
import type { QueryLog } from "./query-log.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { type Circumstances, respond } from "./respond.ts";
import { MAX_MESSAGE_OCTETS, MAX_UDP_OCTETS, MIN_UDP_OCTETS, RCODE } from "./wire.ts";

export interface ResponderOptions {
  readonly namespace: Namespace;
  readonly decide: Decide;
  readonly counters: DnsCounters;
  /** Threads and servers of one address share them. */
  readonly cookieSecrets: CookieSecretsAt;
  /** Told of a bug that was met; the query was answered with SERVFAIL. */
  readonly onFault: (error: unknown) => void;
  readonly clock?: Pick<Clock, "monotonicMs" | "wallMs">;
  /** How long a TCP connection may be idle, for clients that ask (RFC 7828). */
  readonly tcpIdleMs?: number;
  /** Of replies over UDP to who has not shown by a cookie that the address is its own (RFC 7873 5.2.5). */
  readonly rateLimiter?: Pick<RateLimiter, "judge">;
  /** Told of answers, as far as it wants to be. */
  readonly queryLog?: Pick<QueryLog, "isDue" | "tell" | "pass">;
}

export interface Responder {
  /**
   * Answers the first `length` octets of `packet`. Never throws. Nothing passed in is kept.
   * @param source the address that the packet came from: 4 or 16 octets
   * @param out at least 1232 octets for UDP, 65,535 for TCP
   * @param known what is decided for who asks, where that is known and the caller counts it; it is made use of where
   * `last.decision` is the same then
   * @returns how many octets of `out` are the reply; 0: there is none
   */
  readonly respond: (
    packet: Uint8Array,
    length: number,
    source: Uint8Array,
    transport: Transport,
    out: Uint8Array,
    known?: Decision,
  ) => number;
  /** Of the last packet that was answered; one object, filled again. */
  readonly last: LastAnswer;
  /** Answers from other names from the next packet on. */
  readonly take: (namespace: Namespace, tcpIdleMs?: number) => void;
  /**
   * As `respond` over UDP, but with no more than the question and TC=1; nothing is decided for it.
   * To be called for a query that was answered before.
   */
  readonly slip: (packet: Uint8Array, length: number, source: Uint8Array, out: Uint8Array) => number;
}

export function createResponder(options: ResponderOptions): Responder {
  const { decide, counters, onFault, clock = systemClock, rateLimiter, queryLog } = options;
  const cookies = createCookieJar(options.cookieSecrets);
  const query = createQuery();
  const reply = new Reply();
  reply.nsid = options.namespace.nsid;
  reply.tcpIdleMs = options.tcpIdleMs ?? TCP_LIMITS.idleMs;
  const circumstances: Circumstances = {
    namespace: options.namespace,
    decide,
    query,
    source: new Uint8Array(4),
    known: undefined,
    decision: undefined,
    rules: undefined,
    holding: undefined,
  };
  const last = newLastAnswer();

  /** False: there is to be no reply. */
  const passesLimit = (source: Uint8Array): boolean => {
    const verdict = rateLimiter?.judge(source, last.class) ?? "answer";
    if (verdict === "answer") return true;
    last.isRepeatable = false;
    if (verdict === "drop") counters.dropped("rate-limit");
    else slip();
    return verdict !== "drop";
  };

  const slip = (): void => {
    reply.truncate();
    counters.slipped();
  };

  const tell = (queryLog: Pick<QueryLog, "tell">, transport: Transport, octets: number): void => {
    const { source, decision } = circumstances;
    const { rcode, scopePrefixLength } = reply;
    queryLog.tell({ query, source, transport, rcode, scopePrefixLength, octets, decision });
  };

  const fill = (verdict: AnsweredVerdict): void => {
    try {
      fillReply(verdict, circumstances, reply);
    } catch (error) {
      reply.fail();
      onFault(error);
    }
  };

  return {
    respond(packet, length, source, transport, out, known) {
      const startMs = clock.monotonicMs();
      const verdict = decodeQuery(packet, length, query);
      if (verdict === "short" || verdict === "response") {
        counters.dropped(verdict);
        last.isRepeatable = false;
        return 0;
      }
      counters.request(transport, source.length, query.type);
      if (transport === "udp") query.wantsKeepalive = false; // RFC 7828 3.3.1
      reply.begin(packet, query, out, maxOctets(query, transport));
      const isKnown = query.cookie.isPresent && renewCookie(cookies, query, source, clock, reply);
      circumstances.source = source;
      circumstances.known = known;
      circumstances.decision = undefined;
      circumstances.rules = undefined;
      circumstances.holding = undefined;
      fill(verdict);
      remember(last, verdict, circumstances, reply);
      if (transport === "udp" && !isKnown && !passesLimit(source)) return 0;
      const replyOctets = reply.end();
      last.addressAt = reply.addressAt;
      counters.response(reply.rcode);
      counters.duration((clock.monotonicMs() - startMs) / 1000);
      if (queryLog?.isDue() === true) tell(queryLog, transport, replyOctets);
      else queryLog?.pass();
      return replyOctets;
    },
    slip(packet, length, source, out) {
      decodeQuery(packet, length, query);
      counters.request("udp", source.length, query.type);
      query.wantsKeepalive = false;
      reply.begin(packet, query, out, maxOctets(query, "udp"));
      slip();
      const replyOctets = reply.end();
      counters.response(reply.rcode);
      return replyOctets;
    },
    last,
    take(namespace, tcpIdleMs = reply.tcpIdleMs) {
      circumstances.namespace = namespace;
      reply.nsid = namespace.nsid;
      reply.tcpIdleMs = tcpIdleMs;
    },
  };
}

type AnsweredVerdict = Exclude<Verdict, "short" | "response">;

function fillReply(verdict: AnsweredVerdict, circumstances: Circumstances, reply: Reply): void {
  switch (verdict) {
    case "query":
      return respond(circumstances, reply);
    case "cookie-query":
      return;
    case "signed":
      return reply.refuseKey();
    case "unknown-opcode":
      reply.rcode = RCODE.NOTIMP;
      return;
    case "unknown-edns-version":
      reply.rcode = RCODE.BADVERS;
      return;
    case "malformed":
      reply.rcode = RCODE.FORMERR;
  }
}

/** What the requestor can take, but not more than passes in one piece (RFC 6891 6.2.3, RFC 9715 3.1). */
function maxOctets({ hasEdns, udpPayloadOctets }: Query, transport: Transport): number {
  if (transport === "tcp") return MAX_MESSAGE_OCTETS;
  if (!hasEdns) return MIN_UDP_OCTETS;
  return Math.min(Math.max(udpPayloadOctets, MIN_UDP_OCTETS), MAX_UDP_OCTETS);
}

/** Whether the one presented was ours for this address. */
function renewCookie(
  cookies: CookieJar,
  { cookie }: Query,
  source: Uint8Array,
  clock: Pick<Clock, "wallMs">,
  reply: Reply,
): boolean {
  return cookies.renew(cookie, source, Math.floor(clock.wallMs() / 1000), reply.serverCookie);
}
