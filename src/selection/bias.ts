import type { Bias, Choice, Decision } from "../model/decision.ts";

/**
 * The decision for somebody who leans to some edges and away from others. Where the order is not by distance, or
 * nobody knows the distance, leanings come first and the order that there was decides among equals.
 */
export function applyBias(decision: Decision, bias: Bias): Decision {
  const isByDistance = decision.service.rank === "nearest";
  const leaning: { readonly choice: Choice; readonly km: number }[] = [];
  let reachedKm = Number.NEGATIVE_INFINITY;
  for (const choice of decision.edges) {
    // Among those who are as good as equal a lot has decided: whoever comes later counts as no better.
    reachedKm = Math.max(reachedKm, isByDistance ? scoreKm(choice) : 0);
    const km = bias(choice);
    if (km < Number.POSITIVE_INFINITY) leaning.push({ choice, km: reachedKm + km });
  }
  const edges = leaning.sort((a, b) => a.km - b.km).map(({ choice }) => choice);
  if (edges.length > 0 || decision.edges.length === 0) return { ...decision, edges };
  return { ...decision, edges, outcome: { kind: "refused", reason: "not-allowed" } };
}

function scoreKm({ distanceKm, priceKm, correctionKm = 0, favour }: Choice): number {
  return Number.isNaN(distanceKm) ? 0 : distanceKm + priceKm + correctionKm - (favour?.km ?? 0);
}
