import { type Outcome, REJECTION_REASONS, type RefusalReason, type Trace } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import { type Favour, favourOf } from "./affinity.ts";
import { collect, type Nearest } from "./collect.ts";
import { type Contest, drawOf } from "./contest.ts";
import { SAME_PLACE_KM } from "./price.ts";
import { type Ranking, roomAt } from "./rank.ts";
import { reasonOf, rejectedBy, STANDING, STANDINGS, type Standing, standingOf } from "./standing.ts";

/** What becomes of a choice; whoever is chosen is in the field's `kept`. */
export interface Verdict {
  readonly outcome: Outcome;
  /** Which standing the edges are taken from; absent: there are none. */
  readonly taken?: Standing;
  /** As in `Decision`. */
  readonly nearestKm: number;
  /** Whether somebody who drains, or is about to come up, would be named too. */
  readonly isSomebodyMissed: boolean;
  /** Absent: all are. */
  readonly rejected?: readonly number[];
  /** Of the first edge, where affinity put it there. */
  readonly favour?: Favour | undefined;
}

const EDGES: Outcome = { kind: "edges" };
const OVERLOAD: Outcome = { kind: "overload" };
export const NOT_ALLOWED = refusal("not-allowed");

/** Who is taken, of the candidates that lie ready in the field. */
export function judge(contest: Contest, ranking: Ranking): Verdict {
  const nearest = collect(contest, ranking, STANDING.ELIGIBLE);
  if (contest.field.kept.count > 0 && !holdsBack(contest, nearest)) {
    spread(contest);
    const favour = ranking.byDistance ? favourOf(contest, nearest.takenKm) : undefined;
    if (favour !== undefined) contest.field.kept.promote(favour.rank, favour.km);
    return {
      favour,
      outcome: EDGES,
      taken: STANDING.ELIGIBLE,
      nearestKm: inService(nearest),
      isSomebodyMissed: nearest.isSomebodyMissed,
      rejected: rejectedBeside(contest),
    };
  }
  return judgeAll(contest, ranking);
}

/** Nobody is eligible, or nobody near enough: it depends on where all the others stand. */
function judgeAll(contest: Contest, ranking: Ranking): Verdict {
  const standings = standingsOf(contest);
  if (standings[STANDING.WARMING] !== 0) {
    // Better sooner than little by little, where else nobody would be served, or beyond what there is room for.
    const nearest = collect(contest, ranking, STANDING.WARMING);
    if (!holdsBack(contest, nearest)) return taken(contest, standings, nearest, OVERLOAD, STANDING.WARMING);
  }
  const resorted = resort(contest, standings);
  if (resorted.taken !== undefined)
    return taken(
      contest,
      standings,
      collect(contest, ranking, resorted.taken),
      resorted.outcome,
      resorted.taken,
    );
  const rejected = rejectedBy(standings, undefined);
  return { outcome: resorted.outcome, nearestKm: Number.NaN, isSomebodyMissed: false, rejected };
}

function taken(
  contest: Contest,
  standings: ArrayLike<number>,
  nearest: Nearest,
  outcome: Outcome,
  standing: Standing,
): Verdict {
  spread(contest);
  return {
    outcome,
    taken: standing,
    nearestKm: inService(nearest),
    isSomebodyMissed: nearest.isSomebodyMissed,
    rejected: rejectedBy(standings, standing),
  };
}

/** A full edge is in service; one that is down, draining or off is not. */
function inService({ takenKm, fullKm, warmingKm }: Nearest): number {
  const km = Math.min(takenKm, fullKm, warmingKm);
  return km === Number.POSITIVE_INFINITY ? Number.NaN : km;
}

function holdsBack({ service, field, preferred }: Contest, { takenKm, fullKm }: Nearest): boolean {
  if (preferred?.has(field.kept.edges[0] as number) === true) return false;
  return service.whenFull === "refuse" && service.rank === "nearest" && fullKm + SAME_PLACE_KM < takenKm;
}

/**
 * Edges at one place share their viewers by lot; so do all that are as near as the viewer's place is uncertain, by
 * room too.
 */
function spread(contest: Contest): void {
  const { bandKm, field } = contest;
  if (bandKm === 0) return;
  const isVague = bandKm > SAME_PLACE_KM;
  field.kept.spread(bandKm, (edge) => drawOf(contest, edge, isVague ? roomAt(contest, edge) : 1));
}

/** How many candidates stand where. */
function standingsOf({ service, world, viewer, field }: Contest): Uint32Array {
  const standings = new Uint32Array(STANDINGS);
  const { candidates } = field;
  for (let i = 0; i < candidates.count; i++) {
    const standing = standingOf(candidates.edgeAt(i), candidates.kmAt(i), service, world, viewer.stream);
    standings[standing] = (standings[standing] as number) + 1;
  }
  return standings;
}

/** Of those who are left out beside eligible ones; the same for everyone unless distance or stream tells them apart. */
function rejectedBeside(contest: Contest): readonly number[] {
  const { service, world, viewer, roster } = contest;
  const isPlain =
    service.maxDistanceKm === Number.POSITIVE_INFINITY &&
    (viewer.stream === undefined || world.staleStreams.size === 0);
  return isPlain ? roster.stateIn(world).rejected : rejectedBy(standingsOf(contest), STANDING.ELIGIBLE);
}

function resort({ service }: Contest, standings: ArrayLike<number>): { outcome: Outcome; taken?: Standing } {
  const has = (standing: Standing): boolean => (standings[standing] as number) > 0;
  // Where a stream stands still everywhere, its origin does: that is no edge's fault.
  if (has(STANDING.STALE) && !has(STANDING.ELIGIBLE) && !has(STANDING.FULL))
    return { outcome: EDGES, taken: STANDING.STALE };
  if (has(STANDING.FULL))
    return service.whenFull === "spill"
      ? { outcome: OVERLOAD, taken: STANDING.FULL }
      : { outcome: { kind: "refused", reason: "full" } };
  const isDown = has(STANDING.DOWN);
  if (isDown && service.whenDown === "fail-open")
    return { outcome: { kind: "fail-open" }, taken: STANDING.DOWN };
  if (service.fallback && (!isDown || service.whenDown === "fallback"))
    return { outcome: { kind: "fallback", fallback: service.fallback } };
  return { outcome: { kind: "refused", reason: isDown ? "down" : "no-edges" } };
}

function refusal(reason: RefusalReason): Verdict {
  return { outcome: { kind: "refused", reason }, nearestKm: Number.NaN, isSomebodyMissed: false };
}

export function allRejected({ service }: Contest): readonly number[] {
  return REJECTION_REASONS.map((reason) => (reason === "not-allowed" ? service.edges.length : 0));
}

export function tellRejected(contest: Contest, { outcome, taken }: Verdict, trace: Trace): void {
  const { service, world, viewer, field } = contest;
  const { candidates, edges } = field;
  const isAllowed = outcome.kind !== "refused" || outcome.reason !== "not-allowed";
  for (let i = 0; i < candidates.count; i++) {
    const km = candidates.kmAt(i);
    const index = candidates.edgeAt(i);
    const standing = standingOf(index, km, service, world, viewer.stream);
    if (isAllowed && standing === taken) continue;
    trace.reject(edges[index] as Edge, isAllowed ? reasonOf(standing) : "not-allowed", km);
  }
}
