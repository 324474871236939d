import { bandKm } from "./band.ts";
import type { Contest } from "./contest.ts";
import { PREFERRED_KM } from "./preferred.ts";
import type { Ranking } from "./rank.ts";
import { isMissed, STANDING, type Standing, standingOf } from "./standing.ts";

/** How near candidates are, in kilometres: Infinity for none, or when the viewer cannot be located. */
export interface Nearest {
  /** Of those that are taken, */
  readonly takenKm: number;
  /** of those that are full, */
  readonly fullKm: number;
  /** and of those that are just back. */
  readonly warmingKm: number;
  /** As in `Verdict`. */
  readonly isSomebodyMissed: boolean;
}

/** Looks at candidates from the first on, as far as it must, and keeps the best of those who stand at `taken`. */
export function collect(contest: Contest, ranking: Ranking, taken: Standing): Nearest {
  const { service, world, viewer, field, most, bandKm } = contest;
  const { candidates, kept } = field;
  const within = hasAffinity(contest) ? service.affinityWithin : undefined;
  // A preferred edge may be anywhere.
  const preferred = taken === STANDING.ELIGIBLE ? contest.preferred : undefined;
  const canStop = candidates.areSorted && preferred === undefined;
  let takenKm = Number.POSITIVE_INFINITY;
  let fullKm = Number.POSITIVE_INFINITY;
  let warmingKm = Number.POSITIVE_INFINITY;
  let missedScore = Number.POSITIVE_INFINITY;
  kept.begin(most, Math.max(bandKm, within?.km ?? 0), within?.share);
  for (let i = 0; i < candidates.count; i++) {
    const km = candidates.kmAt(i);
    // No score is lower than the distance.
    if (canStop && (kept.isBeyond(km) || km > service.maxDistanceKm)) break;
    const edge = candidates.edgeAt(i);
    const standing = standingOf(edge, km, service, world, viewer.stream);
    if (standing === STANDING.FULL && km < fullKm) fullKm = km;
    if (standing === STANDING.WARMING && km < warmingKm) warmingKm = km;
    if (isMissed(standing, edge, service, world))
      missedScore = Math.min(missedScore, ranking.score(contest, edge, km, i));
    if (standing !== taken) continue;
    if (km < takenKm) takenKm = km;
    const score = ranking.score(contest, edge, km, i);
    const isPreferred = preferred?.has(edge) === true;
    kept.add(edge, km, isPreferred ? score - PREFERRED_KM : score, ranking.lot(contest, edge));
  }
  // Who has no weight is missed by nobody, though everyone else has none either.
  const isSomebodyMissed = missedScore <= Math.min(MAX_SCORE, worstNamed(contest, ranking));
  return { takenKm, fullKm, warmingKm, isSomebodyMissed };
}

/** The highest score with which an edge would be named, among those that are kept. */
function worstNamed({ service, field, most }: Contest, { byDistance }: Ranking): number {
  const { kept } = field;
  const { answers, answersWithin } = service.dns;
  const named = Math.min(answers, most);
  const last = kept.count < named ? MAX_SCORE : (kept.scores[named - 1] as number);
  if (!byDistance || answersWithin === undefined || kept.count === 0) return last;
  const best = kept.scores[0] as number;
  return Math.min(last, best + bandKm(answersWithin, best));
}

const MAX_SCORE = Number.MAX_VALUE;

function hasAffinity({ service, stream }: Contest): boolean {
  return service.affinity === "viewer" || stream !== undefined;
}
