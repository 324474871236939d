import type { Client } from "../model/client.ts";
import {
  type Choice,
  type Decision,
  type Outcome,
  REJECTION_REASONS,
  type RefusalReason,
  type Trace,
} from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import { UNSTEADY_DOUBT, UNSTEADY_RUSH, type World } from "../model/world.ts";
import type { Contest } from "./contest.ts";
import { drawOf } from "./contest.ts";
import { correctedFor, correctionBits, correctionKm } from "./corrections.ts";
import { familyBits, type Field } from "./field.ts";
import { liveRatio, usedShare } from "./live.ts";
import { type Favour, favourOf } from "./affinity.ts";
import { bandKm, namedWithin } from "./band.ts";
import { PREFERRED_KM } from "./preferred.ts";
import { priceKm, SAME_PLACE_KM } from "./price.ts";
import { drawsByNetwork, type Ranking, rankingOf, roomAt } from "./rank.ts";
import { admit } from "./rules.ts";
import {
  isMissed,
  reasonOf,
  rejectedBy,
  STANDING,
  STANDINGS,
  type Standing,
  standingOf,
} from "./standing.ts";
import { streamKeyOf } from "./stream.ts";
import { upFor, withDownAddresses } from "./up.ts";
import type { Viewer } from "./viewer.ts";

/**
 * The choice of edge: candidates → standing → rank → spread → Decision. Pure: the same service, viewer and world
 * give the same Decision, and the trace, where one is given, is told of every edge that was left out.
 *
 * ```
 * allow/deny ─ no ─► refused
 *     │ standing of each edge, nearest first: off, drain, down, full │ eligible
 *     ├ some eligible ─► edges           (nearest with whenFull: refuse does not go past a full place)
 *     ├ some full ─────► overload        or refused, but for those that have room and are only just back
 *     ├ some down ─────► fail-open       or fallback, or refused
 *     └ none in service ► fallback       or refused
 * ```
 *
 * Where edges are ranked by distance, candidates lie ready by distance, and are looked at until the next one's
 * distance alone is worse than the score of the last one that is wanted.
 */
export function select(
  service: Service,
  viewer: Viewer,
  field: Field,
  world: World,
  trace?: Trace,
): Decision {
  const { client, located } = viewer;
  const roster = field.rosterOf(service);
  const isLocated = located.location.latitude !== undefined;
  const ranking = rankingOf(service.rank, isLocated);
  const admission = admit(service, client, located);
  const byNetwork = drawsByNetwork(service.rank, located.location);
  const depth = Math.max(
    admission.prefixLength,
    roster.preferences?.depth(client) ?? 0,
    ranking.byDistance ? correctionBits(service, client, world) : 0,
  );
  const scopePrefixLength = scope(client, depth, byNetwork);
  const contest: Contest = {
    service,
    viewer,
    field,
    roster,
    world,
    stream: service.affinity === "stream" ? keyOfStream(viewer) : undefined,
    corrected: ranking.byDistance ? correctedFor(service, client, world) : undefined,
    preferred: withRoom(roster.preferences?.preferredFor(client, located), service, viewer, world),
    bandKm: ranking.byDistance ? Math.max(SAME_PLACE_KM, located.location.accuracyRadiusKm ?? 0) : 0,
    most: viewer.most ?? service.edges.length,
    // By the place alone, so that a rule that is added or taken away leaves the lots as they are.
    drawPrefixLength: Math.min(scope(client, located.prefixLength, byNetwork), client.prefixLength),
  };

  if (ranking.byDistance) field.candidates.byDistance(roster, located.location);
  else field.candidates.asListed(roster, located.location);
  const verdict = admission.allowed ? judge(contest, ranking) : NOT_ALLOWED;
  if (trace) tellRejected(contest, verdict, trace);
  const answers = verdict.taken === undefined ? 0 : answersOf(contest, verdict);
  const isDoubtful = isInDoubt(contest, verdict, answers);
  const isShort = isDoubtful || verdict.isSomebodyMissed || isSomeUnsteady(contest, answers, UNSTEADY_RUSH);
  const { dns } = service;
  return {
    service,
    outcome: verdict.outcome,
    edges: verdict.taken === undefined ? [] : choicesOf(contest, verdict),
    answers,
    location: located.location,
    ...(located.asn === undefined ? {} : { asn: located.asn }),
    scopePrefixLength,
    ttlSeconds: isShort ? Math.min(dns.ttlSeconds, dns.ttlInDoubtSeconds) : dns.ttlSeconds,
    isInDoubt: isDoubtful,
    nearestKm: verdict.nearestKm,
    rejected: verdict.rejected ?? allRejected(contest),
    families: roster.families,
  };
}

/** Nobody is preferred beyond what he holds: all who come back with one answer are many at once. */
function withRoom(
  preferred: ReadonlySet<number> | undefined,
  { margin }: Service,
  { brings = 0 }: Viewer,
  world: World,
): ReadonlySet<number> | undefined {
  if (preferred === undefined || brings === 0) return preferred;
  return new Set([...preferred].filter((edge) => !(usedShare(world, edge, margin, brings) >= 1)));
}

function keyOfStream({ stream, streamKey }: Viewer): number | undefined {
  return streamKey ?? (stream === undefined ? undefined : streamKeyOf(stream));
}

/** Networks that share a lot when edges are drawn by network: what resolvers send as client subnet. */
const DRAW_PREFIX_IPV4 = 24;
const DRAW_PREFIX_IPV6 = 48;

/** A client who tells nothing of himself (source prefix 0) gets the answer that all such clients get. */
function scope(client: Client, prefixLength: number, byNetwork: boolean): number {
  if (client.prefixLength === 0) return 0;
  const draws = byNetwork ? (client.address.family === 4 ? DRAW_PREFIX_IPV4 : DRAW_PREFIX_IPV6) : 0;
  return Math.max(prefixLength, draws);
}

/** What becomes of a choice; whoever is chosen is in the field's `kept`. */
interface Verdict {
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
const NOT_ALLOWED = refusal("not-allowed");

function judge(contest: Contest, ranking: Ranking): Verdict {
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

/** Looks at candidates from the first on, as far as it must, and keeps the best of those who stand at `taken`. */
function collect(contest: Contest, ranking: Ranking, taken: Standing): Nearest {
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

/** Whether what is named now may not do for as long as resolvers and players would keep it. */
function isInDoubt(contest: Contest, { outcome }: Verdict, named: number): boolean {
  if (outcome.kind === "fail-open" || outcome.kind === "fallback") return true;
  return isSomeUnsteady(contest, named, UNSTEADY_DOUBT);
}

/** Of the edges that are named. */
function isSomeUnsteady({ world, field: { kept } }: Contest, named: number, kind: number): boolean {
  for (let i = 0; i < named; i++) if (world.unsteady[kept.edges[i] as number] === kind) return true;
  return false;
}

/** Infinite for none, or when the viewer cannot be located. */
interface Nearest {
  readonly takenKm: number;
  readonly fullKm: number;
  readonly warmingKm: number;
  /** As in `Verdict`. */
  readonly isSomebodyMissed: boolean;
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

function hasAffinity({ service, stream }: Contest): boolean {
  return service.affinity === "viewer" || stream !== undefined;
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

function allRejected({ service }: Contest): readonly number[] {
  return REJECTION_REASONS.map((reason) => (reason === "not-allowed" ? service.edges.length : 0));
}

function tellRejected(contest: Contest, { outcome, taken }: Verdict, trace: Trace): void {
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

function choicesOf(contest: Contest, { outcome, favour }: Verdict): Choice[] {
  const { field, most } = contest;
  const { kept } = field;
  const choices: Choice[] = [];
  const count = Math.min(most, kept.count);
  for (let rank = 0; rank < count; rank++) {
    const edge = kept.edges[rank] as number;
    const choice = choiceOf(contest, edge, kept.km[rank] as number, outcome);
    const lead = leadOf(contest, edge, outcome === EDGES, rank === 0 ? favour : undefined);
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

/** Whoever is within the band of the best, affinity aside; who is drawn by a weight of 0 comes first or not at all. */
function answersOf({ service, field, most }: Contest, { favour }: Verdict): number {
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
