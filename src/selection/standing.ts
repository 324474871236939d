import { REJECTION_REASONS, type RejectionReason } from "../model/decision.ts";
import type { Service } from "../model/service.ts";
import { STATE_ACTIVE, STATE_OFF, UNSTEADY_DOUBT, type World } from "../model/world.ts";
import { liveRatio, usedShare } from "./live.ts";
import { upFor } from "./up.ts";

/** Where an edge stands before any ranking. Numbers, because every candidate of every choice is told by one. */
export const STANDING = {
  ELIGIBLE: 0,
  /** Fit, but for the stream asked for. */
  STALE: 1,
  FULL: 2,
  DOWN: 3,
  DRAIN: 4,
  OFF: 5,
  /** Further than the service sends anybody. */
  FAR: 6,
  /** Back again, with room that it is to take up little by little. */
  WARMING: 7,
} as const;
export type Standing = (typeof STANDING)[keyof typeof STANDING];
export const STANDINGS = 8;

/** Share of the capacity from which on it is no matter of time any more that an edge may not use all of it. */
const NEARLY_FULL = 0.95;

/** The gravest reason wins: an edge that is off is not also called down or full. */
export function standingOf(
  edge: number,
  km: number,
  service: Service,
  world: World,
  stream: string | undefined,
): Standing {
  if (km > service.maxDistanceKm) return STANDING.FAR;
  const state = world.state[edge];
  if (state !== STATE_ACTIVE) return state === STATE_OFF ? STANDING.OFF : STANDING.DRAIN;
  if (upFor(service, world, edge) === 0) return STANDING.DOWN;
  if (usedShare(world, edge, service.margin) >= 1)
    return liveRatio(world, edge) < NEARLY_FULL * (1 - service.margin) ? STANDING.WARMING : STANDING.FULL;
  if (stream === undefined) return STANDING.ELIGIBLE;
  return world.staleStreams.get(edge)?.has(stream) === true ? STANDING.STALE : STANDING.ELIGIBLE;
}

/** Who may be back as soon as an operator, or a probe or two, says so. */
export function isMissed(standing: Standing, edge: number, service: Service, world: World): boolean {
  if (standing === STANDING.DRAIN) return upFor(service, world, edge) !== 0;
  return standing === STANDING.DOWN && world.unsteady[edge] === UNSTEADY_DOUBT;
}

/** Why an edge that stands there is left out. One that is fit is passed over only for being further than a full one. */
export function reasonOf(standing: Standing): RejectionReason {
  return REASONS[standing];
}

const REASONS: Record<Standing, RejectionReason> = {
  [STANDING.ELIGIBLE]: "too-far",
  [STANDING.STALE]: "stale-stream",
  [STANDING.FULL]: "full",
  [STANDING.DOWN]: "down",
  [STANDING.DRAIN]: "drain",
  [STANDING.OFF]: "off",
  [STANDING.FAR]: "too-far",
  [STANDING.WARMING]: "ramp-up",
};

/** By reason, for as many edges by standing; those at `taken` are not left out. */
export function rejectedBy(standings: ArrayLike<number>, taken: Standing | undefined): number[] {
  const rejected: number[] = REJECTION_REASONS.map(() => 0);
  for (let standing = 0; standing < STANDINGS; standing++) {
    if (standing === taken) continue;
    const reason = REJECTION_REASONS.indexOf(reasonOf(standing as Standing));
    rejected[reason] = (rejected[reason] as number) + (standings[standing] as number);
  }
  return rejected;
}
