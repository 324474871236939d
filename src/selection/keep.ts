import { distanceKm, unitVector } from "../base/sphere.ts";
import type { Client } from "../model/client.ts";
import type { Choice, Decision, Playing } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Location } from "../model/location.ts";
import type { World } from "../model/world.ts";
import { correctedFor, correctionKm } from "./corrections.ts";
import { familyBits } from "./field.ts";
import { liveRatio } from "./live.ts";
import { upFor, withDownAddresses } from "./up.ts";
import { isSurplus } from "./surplus.ts";
import { STANDING, type Standing, standingOf } from "./standing.ts";

/** Another edge must be this much nearer, its price included, than the one that a viewer plays from. */
const KEEP_WITHIN_KM = 200;
/** The same for an order by load, as a share of the capacity. */
const KEEP_WITHIN_LOAD = 0.2;

/**
 * The decision for a viewer who plays already: his edge comes first unless it cannot or should not serve him any
 * longer, or another is better by a margin. An edge that is full keeps those whom it serves, and its price is meant for
 * those who come; of one that is beyond full as many leave as are too many. A decision without an edge stays one.
 * @param stream that he watches, where that is known
 */
export function keepPlaying(
  decision: Decision,
  playing: Playing,
  client: Client,
  world: World,
  stream: string | undefined,
): Decision {
  const { edges } = decision;
  const chosen = edges.find(({ edge }) => edge.id === playing.edge.id);
  const choice = chosen ?? choiceOf(playing.edge, decision, client, world);
  const standing = standingOf(choice.edge.index, choice.distanceKm, decision.service, world, stream);
  const stays =
    standing === STANDING.DRAIN
      ? playing.mayStay && choice.up !== 0
      : staysAt(choice, standing, chosen !== undefined, decision, client);
  if (edges.length === 0 || !stays) return decision;
  return { ...decision, edges: [choice, ...edges.filter((other) => other !== chosen)] };
}

function staysAt(
  playing: Choice,
  standing: Standing,
  isChosen: boolean,
  { outcome, service, edges }: Decision,
  client: Client,
): boolean {
  switch (outcome.kind) {
    case "edges":
      if (isTaken(standing)) return !isSurplus(client, playing.loadRatio);
      return (
        (isChosen || standing === STANDING.ELIGIBLE) && isNearlyAsGood(playing, edges[0] as Choice, service)
      );
    case "overload":
      return isTaken(standing);
    case "fail-open":
      return standing === STANDING.DOWN;
    case "fallback":
    case "refused":
      return false;
  }
}

/** Nobody new is sent there. */
function isTaken(standing: Standing): boolean {
  return standing === STANDING.FULL || standing === STANDING.WARMING;
}

function isNearlyAsGood(playing: Choice, best: Choice, { rank }: Decision["service"]): boolean {
  switch (rank) {
    case "nearest":
      return !(
        best.distanceKm + best.priceKm + added(best) + KEEP_WITHIN_KM <
        playing.distanceKm + added(playing)
      );
    case "least-loaded":
      return !(best.loadRatio + KEEP_WITHIN_LOAD < playing.loadRatio);
    case "weighted":
      return true;
    case "failover":
      return best.edge.id === playing.edge.id;
  }
}

function added({ correctionKm = 0 }: Choice): number {
  return correctionKm;
}

function choiceOf(
  edge: Edge,
  { outcome, service, location }: Decision,
  client: Client,
  world: World,
): Choice {
  const { index } = edge;
  const addedKm = service.rank === "nearest" ? correctionKm(correctedFor(service, client, world), index) : 0;
  return {
    edge,
    distanceKm: kmBetween(location, edge),
    priceKm: world.priceKm[index] as number,
    ...(addedKm === 0 ? {} : { correctionKm: addedKm }),
    loadRatio: liveRatio(world, index),
    up: outcome.kind === "fail-open" ? familyBits(edge) : upFor(service, world, index),
    ...(outcome.kind === "fail-open" ? {} : withDownAddresses(world, index)),
  };
}

function kmBetween({ latitude, longitude }: Location, edge: Edge): number {
  if (latitude === undefined || longitude === undefined) return Number.NaN;
  return distanceKm(unitVector({ latitude, longitude }), unitVector(edge.location));
}
