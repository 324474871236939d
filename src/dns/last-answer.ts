import type { Decision } from "../model/decision.ts";
import type { ClientSubnetRules } from "../model/service.ts";
import type { Verdict } from "./decode.ts";
import type { Reply } from "./encode.ts";
import type { ZoneData } from "./holding.ts";
import { type Circumstances, isDecidedAlone } from "./respond.ts";
import { answerClass, responseClass } from "./response-class.ts";
import { RCODE } from "./wire.ts";

/** What is to be known of an answer in order to give it again. */
export interface LastAnswer {
  /** Whether it depends on nothing but the packet, its source, the names and `decision`. */
  isRepeatable: boolean;
  decision: Decision | undefined;
  /** Of the service that decided. */
  rules: ClientSubnetRules | undefined;
  /** As `Reply.addressAt`. */
  addressAt: number;
  type: number;
  rcode: number;
  /** For the rate limit. */
  class: number;
  /** The same for an answer at the name asked that is none of those that are counted for many names. */
  answerClass: number;
  /**
   * Other names of the zone are answered alike by the same decision, where they are as long and of the same service;
   * undefined: they may be answered otherwise.
   */
  alikeIn: ZoneData | undefined;
}

export function newLastAnswer(): LastAnswer {
  return {
    isRepeatable: false,
    decision: undefined,
    rules: undefined,
    addressAt: 0,
    type: 0,
    rcode: 0,
    class: 0,
    answerClass: 0,
    alikeIn: undefined,
  };
}

/**
 * All but `addressAt`, which is known once the reply has ended. A service that went out from under the names, and what
 * was a bug, may be answered next time.
 */
export function remember(
  last: LastAnswer,
  verdict: Verdict,
  { namespace, query, decision, rules, holding }: Circumstances,
  { rcode, hasAnswer }: Reply,
): void {
  const { type } = query;
  last.isRepeatable = verdict === "query" && !query.cookie.isPresent && rcode !== RCODE.SERVFAIL;
  last.decision = decision;
  last.rules = rules;
  last.type = type;
  last.rcode = rcode;
  last.class = responseClass(namespace, holding, { rcode, type, hasAnswer });
  last.answerClass = holding === undefined ? last.class : answerClass(namespace, holding, type);
  last.alikeIn = holding !== undefined && isDecidedAlone(holding, type) ? holding.zone : undefined;
}
