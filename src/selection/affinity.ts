import { bandKm } from "./band.ts";
import type { FavourReason } from "../model/decision.ts";
import { type Contest, drawOf } from "./contest.ts";
import { isWarm, viewersOfStream } from "./heat.ts";
import { usedShare } from "./live.ts";
import { SAME_PLACE_KM } from "./price.ts";

/** The one edge that is given a lead over others that are about as good. */
export interface Favour {
  /** Position among the kept. */
  readonly rank: number;
  readonly km: number;
  readonly why: FavourReason;
}

/** A stream gets its next edge when it takes this share of one, */
const STREAM_SHARE = 0.4;
/** or this many viewers of one whose capacity nobody knows. */
const STREAM_VIEWERS = 100;
/** An edge as full as this is nobody's favourite any more. */
const ROOMY_BELOW = 0.9;

/**
 * Who is favoured among the kept, of whom the first is the best; undefined for nobody.
 * @param nearestKm of all that are eligible
 */
export function favourOf(contest: Contest, nearestKm: number): Favour | undefined {
  const { service, field, stream } = contest;
  const best = field.kept.scores[0] as number;
  if (service.affinityWithin === undefined || field.kept.count < 2 || Number.isNaN(best)) return undefined;
  const km = bandKm(service.affinityWithin, best);
  if (service.affinity === "viewer") return favouriteOfViewer(contest, nearestKm, best + km, km);
  return stream === undefined ? undefined : favouriteOfStream(contest, stream, best + km, km);
}

/**
 * Consistent hashing with bounded load: the first edge by the stream's lots that does not carry too much of it yet,
 * one that has the stream already before one that has not. When all carry their share, there is no favourite, and
 * each viewer gets his nearest.
 */
function favouriteOfStream(contest: Contest, stream: number, limit: number, km: number): Favour | undefined {
  const { field, world } = contest;
  const { kept } = field;
  let favour: Favour | undefined;
  let [bestLot, bestIsWarm] = [Number.POSITIVE_INFINITY, false];
  for (let rank = 0; rank < kept.count && (kept.scores[rank] as number) <= limit; rank++) {
    const edge = kept.edges[rank] as number;
    if (!hasRoom(contest, edge) || !carriesFew(contest, stream, edge)) continue;
    const warm = world.heat !== undefined && isWarm(world.heat, stream, field.idHashes[edge] as number);
    const lot = drawOf(contest, edge, 1);
    if (bestIsWarm ? !warm || lot >= bestLot : !warm && lot >= bestLot) continue;
    [bestLot, bestIsWarm] = [lot, warm];
    favour = { rank, km, why: warm ? "warm" : "stream" };
  }
  return favour;
}

function carriesFew({ field, world }: Contest, stream: number, edge: number): boolean {
  if (world.heat === undefined) return true;
  const viewers = viewersOfStream(world.heat, stream, field.idHashes[edge] as number);
  const each = world.perViewer[edge] as number;
  return each > 0 ? viewers * each < STREAM_SHARE : viewers < STREAM_VIEWERS;
}

/**
 * His nearest, one and the same of those at one place, until another is better by more than the band. Where that is
 * nearly full, nobody is favoured: viewers are not to be pushed on before prices do it.
 */
function favouriteOfViewer(
  contest: Contest,
  nearestKm: number,
  limit: number,
  km: number,
): Favour | undefined {
  const { kept } = contest.field;
  let favour: Favour | undefined;
  let bestLot = Number.POSITIVE_INFINITY;
  for (let rank = 0; rank < kept.count && (kept.scores[rank] as number) <= limit; rank++) {
    const edge = kept.edges[rank] as number;
    if ((kept.km[rank] as number) > nearestKm + SAME_PLACE_KM || !hasRoom(contest, edge)) continue;
    const lot = drawOf(contest, edge, 1);
    if (lot >= bestLot) continue;
    bestLot = lot;
    favour = { rank, km, why: "viewer" };
  }
  return favour;
}

function hasRoom({ world, service }: Contest, edge: number): boolean {
  return !(usedShare(world, edge, service.margin) >= ROOMY_BELOW);
}
