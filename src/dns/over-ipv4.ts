import type { Bias, Choice, Decision } from "../model/decision.ts";
import { UP_IPV4 } from "../model/world.ts";

/** Edges that IPv4 reaches first, and last those that have no address of it. */
export const towardsIpv4: Bias = (choice) => {
  if (!hasIpv4(choice)) return 2 * BEYOND_ALL_KM;
  return isUp(choice) ? 0 : BEYOND_ALL_KM;
};

/** Whether IPv4 reaches the first edge of a decision made with that bias. */
export function isOverIpv4({ edges: [best] }: Decision): boolean {
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
