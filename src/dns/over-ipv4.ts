import type { Bias, Choice, Decision, Instead, Question } from "../model/decision.ts";
import { UP_IPV4 } from "../model/world.ts";

/**
 * Who has no IPv6 is of no use to edges that have nothing else at the moment: for A it is decided again, for those that
 * IPv4 reaches. Not so for AAAA: whoever has both prefers IPv6 (RFC 6724 2.1), and would be led away from the best edge.
 */
export const ifIpv4IsLost: Instead = (decision, question) => {
  const { edges, families, service } = decision;
  if (edges.length === 0 || (families & UP_IPV4) === 0 || isNamedOverIpv4(decision)) return undefined;
  // Hardly ever is it none of the best few, which takes a fraction of the time.
  return service.edges.length > FEW_EDGES
    ? { ...question, most: FEW_EDGES, bias: towardsIpv4, instead: ifNoneOfFew }
    : among(service.edges.length, question);
};

const FEW_EDGES = 16;

const ifNoneOfFew: Instead = (few, question) =>
  isOverIpv4(few) ? undefined : among(few.service.edges.length, question);

function among(most: number, { hostname, client }: Question): Question {
  return { hostname, client, most, bias: towardsIpv4 };
}

/** Edges that IPv4 reaches first, and last those that have no address of it. */
const towardsIpv4: Bias = (choice) => {
  if (!hasIpv4(choice)) return 2 * BEYOND_ALL_KM;
  return isUp(choice) ? 0 : BEYOND_ALL_KM;
};

/** Whether IPv4 reaches any of the edges that an answer would name. */
function isNamedOverIpv4({ edges, service, answers = service.dns.answers }: Decision): boolean {
  for (let i = 0; i < answers && i < edges.length; i++)
    if (isUp(edges[i] as Choice) && hasIpv4(edges[i] as Choice)) return true;
  return false;
}

/** Whether IPv4 reaches the first edge of a decision made with that bias. */
function isOverIpv4({ edges: [best] }: Decision): boolean {
  return best !== undefined && hasIpv4(best) && isUp(best);
}

/**
 * What a decision made with that bias comes to for viewers without IPv6. Where IPv4 reaches no edge, all are down for them, whatever
 * IPv6 reaches: then it is as `whenDown` says.
 * @returns undefined: there is nothing for them
 */
export function decisionOverIpv4(decision: Decision): Decision | undefined {
  const { edges, service } = decision;
  if (isOverIpv4(decision)) return decision;
  if (edges[0] === undefined || !hasIpv4(edges[0])) return undefined;
  const ttlSeconds = Math.min(decision.ttlSeconds, service.dns.ttlInDoubtSeconds);
  if (service.whenDown === "fail-open")
    return {
      ...decision,
      ttlSeconds,
      edges: edges.map((choice) => ({ ...choice, up: choice.up | UP_IPV4 })),
    };
  if (service.whenDown === "refuse" || service.fallback === undefined) return undefined;
  return { ...decision, ttlSeconds, edges: [], outcome: { kind: "fallback", fallback: service.fallback } };
}

const BEYOND_ALL_KM = 1e6;

function isUp({ up }: Choice): boolean {
  return (up & UP_IPV4) !== 0;
}

/** An edge without any address counts as up over IPv4. */
function hasIpv4({ edge }: Choice): boolean {
  return edge.addresses.some(({ family }) => family === 4);
}
