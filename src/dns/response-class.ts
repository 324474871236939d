import type { Holding } from "./holding.ts";
import type { Namespace } from "./namespace.ts";
import { RCODE } from "./wire.ts";

/**
 * Which responses count together against the rate limit of a client network: answers by the configured name
 * and the type, so that a wildcard is one name; what does not exist by zone; refusals and errors all.
 * @param holding what there is at the name; undefined where no zone of ours was asked
 * @param hasAnswer whether there is anything in the answer section
 */
export function responseClass(
  namespace: Namespace,
  holding: Holding | undefined,
  { rcode, type, hasAnswer }: { readonly rcode: number; readonly type: number; readonly hasAnswer: boolean },
): number {
  if (holding === undefined || (rcode !== RCODE.NOERROR && rcode !== RCODE.NXDOMAIN)) return ERROR_CLASS;
  const isNegative = !hasAnswer && holding.kind !== "referral";
  return isNegative ? namespace.numberOf(holding.zone) << 16 : answerClass(namespace, holding, type);
}

/** Of an answer at the name, whatever is in it. */
export function answerClass(namespace: Namespace, holding: Holding, type: number): number {
  return (namespace.numberOf(holding) << 16) | type;
}

/** Numbers begin with 1, so that no other class is below 65,536. */
const ERROR_CLASS = 1;
