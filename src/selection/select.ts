import type { Client } from "../model/client.ts";
import type { Decision, Trace } from "../model/decision.ts";
import type { Service } from "../model/service.ts";
import { UNSTEADY_DOUBT, UNSTEADY_RUSH, type World } from "../model/world.ts";
import { answersOf, choicesOf } from "./choices.ts";
import type { Contest } from "./contest.ts";
import { correctedFor, correctionBits } from "./corrections.ts";
import type { Field } from "./field.ts";
import { usedShare } from "./live.ts";
import { SAME_PLACE_KM } from "./price.ts";
import { drawsByNetwork, rankingOf } from "./rank.ts";
import { admit } from "./rules.ts";
import { streamKeyOf } from "./stream.ts";
import { allRejected, judge, NOT_ALLOWED, tellRejected, type Verdict } from "./verdict.ts";
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
  const { location } = located;
  const roster = field.rosterOf(service);
  const ranking = rankingOf(service.rank, location.latitude !== undefined);
  const admission = admit(service, client, located);
  const byNetwork = drawsByNetwork(service.rank, location);
  const contest = contestOf({ service, viewer, field, roster, world }, ranking.byDistance, byNetwork);
  if (ranking.byDistance) field.candidates.byDistance(roster, location);
  else field.candidates.asListed(roster, location);
  const verdict = admission.allowed ? judge(contest, ranking) : NOT_ALLOWED;
  if (trace) tellRejected(contest, verdict, trace);
  const answers = verdict.taken === undefined ? 0 : answersOf(contest, verdict);
  const isDoubtful = isInDoubt(contest, verdict, answers);
  const isShort = isDoubtful || verdict.isSomebodyMissed || isSomeUnsteady(contest, answers, UNSTEADY_RUSH);
  const depth = Math.max(
    admission.prefixLength,
    roster.preferences?.depth(client) ?? 0,
    ranking.byDistance ? correctionBits(service, client, world) : 0,
  );
  const { dns } = service;
  return {
    service,
    outcome: verdict.outcome,
    edges: verdict.taken === undefined ? [] : choicesOf(contest, verdict),
    answers,
    location,
    ...(located.asn === undefined ? {} : { asn: located.asn }),
    scopePrefixLength: scope(client, depth, byNetwork),
    ttlSeconds: isShort ? Math.min(dns.ttlSeconds, dns.ttlInDoubtSeconds) : dns.ttlSeconds,
    isInDoubt: isDoubtful,
    nearestKm: verdict.nearestKm,
    rejected: verdict.rejected ?? allRejected(contest),
    families: roster.families,
  };
}

/** @param byNetwork whether lots are drawn by the client's network more finely than by the place */
function contestOf(
  given: Pick<Contest, "service" | "viewer" | "field" | "roster" | "world">,
  byDistance: boolean,
  byNetwork: boolean,
): Contest {
  const { service, viewer, field, roster, world } = given;
  const { client, located } = viewer;
  return {
    service,
    viewer,
    field,
    roster,
    world,
    stream: service.affinity === "stream" ? keyOfStream(viewer) : undefined,
    corrected: byDistance ? correctedFor(service, client, world) : undefined,
    preferred: withRoom(roster.preferences?.preferredFor(client, located), service, viewer, world),
    bandKm: byDistance ? Math.max(SAME_PLACE_KM, located.location.accuracyRadiusKm ?? 0) : 0,
    most: viewer.most ?? service.edges.length,
    // By the place alone, so that a rule that is added or taken away leaves the lots as they are.
    drawPrefixLength: Math.min(scope(client, located.prefixLength, byNetwork), client.prefixLength),
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
