import type { Choice, Outcome } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Favour } from "./affinity.ts";
import { namedWithin } from "./band.ts";
import type { Contest } from "./contest.ts";
import { correctionKm } from "./corrections.ts";
import { familyBits } from "./field.ts";
import { liveRatio } from "./live.ts";
import { PREFERRED_KM } from "./preferred.ts";
import { priceKm } from "./price.ts";
import { upFor, withDownAddresses } from "./up.ts";
import type { Verdict } from "./verdict.ts";

/** The edges that were kept for the verdict, best first. */
export function choicesOf(contest: Contest, { outcome, favour }: Verdict): Choice[] {
  const { field, most } = contest;
  const { kept } = field;
  const choices: Choice[] = [];
  const count = Math.min(most, kept.count);
  for (let rank = 0; rank < count; rank++) {
    const edge = kept.edges[rank] as number;
    const choice = choiceOf(contest, edge, kept.km[rank] as number, outcome);
    const lead = leadOf(contest, edge, outcome.kind === "edges", rank === 0 ? favour : undefined);
    choices.push(lead === undefined ? choice : { ...choice, favour: lead });
  }
  return choices;
}

function leadOf(
  { preferred }: Contest,
  edge: number,
  isEligible: boolean,
  favour: Favour | undefined,
): Choice["favour"] {
  if (isEligible && preferred?.has(edge) === true)
    return { km: PREFERRED_KM + (favour?.km ?? 0), why: "preferred" };
  return favour === undefined ? undefined : { km: favour.km, why: favour.why };
}

/**
 * How many of them DNS names: whoever is within the band of the best, affinity aside; who is drawn by a weight of 0
 * comes first or not at all.
 */
export function answersOf({ service, field, most }: Contest, { favour }: Verdict): number {
  const { kept } = field;
  const { answers, answersWithin } = service.dns;
  let count = Math.min(answers, most, kept.count);
  while (count > 1 && kept.scores[count - 1] === Number.POSITIVE_INFINITY) count--;
  if (service.rank !== "nearest" || Number.isNaN(kept.km[0])) return count;
  return namedWithin(answersWithin, kept.scores, count, (kept.scores[0] as number) + (favour?.km ?? 0));
}

/** Under fail-open, as if it were up. */
function choiceOf(contest: Contest, index: number, distanceKm: number, outcome: Outcome): Choice {
  const { service, field, world } = contest;
  const edge = field.edges[index] as Edge;
  const addedKm = correctionKm(contest.corrected, index);
  return {
    edge,
    distanceKm,
    priceKm: priceKm(contest, index),
    ...(addedKm === 0 ? {} : { correctionKm: addedKm }),
    loadRatio: liveRatio(world, index),
    up: outcome.kind === "fail-open" ? familyBits(edge) : upFor(service, world, index),
    ...(outcome.kind === "fail-open" ? {} : withDownAddresses(world, index)),
  };
}
