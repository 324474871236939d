import type { World } from "../model/world.ts";
import { barrierKm, usedShare } from "./live.ts";
import { isMissed, rejectedBy, STANDING, STANDINGS, standingOf } from "./standing.ts";
import type { Roster, ServiceState, StateWatch } from "./roster.ts";
import { downAddressesOf, upFor } from "./up.ts";

/** What is kept by epoch may outlive an inventory. */
let epochs = 0;
let conditions = 0;
let eras = 0;
/** Flags: two bits of families, two of unsteadiness, and the standing above. */
const STANDING_BITS = 4;
/** Sums of this size still have hundredths of a kilometre in 32 bits. */
const FALLEN_MAX_KM = 50_000;

export function watchState(roster: Pick<Roster, "service" | "listed">): StateWatch {
  const { service, listed } = roster;
  const pricesBefore = new Float64Array(listed.length);
  const flagsBefore = new Uint8Array(listed.length);
  const downBefore = new Uint32Array(listed.length);
  const standings = new Uint32Array(STANDINGS);
  let seen: World | undefined;
  let corrections: World["corrections"];
  let state: ServiceState = {
    epoch: 0,
    condition: 0,
    era: 0,
    fallenKm: 0,
    rejected: [],
    isNobodyMissed: true,
  };

  const isRising = (world: World, edge: number, standing: number): boolean =>
    standing === STANDING.ELIGIBLE && barrierKm(usedShare(world, edge, service.margin)) > 0;

  const look = (world: World): ServiceState => {
    standings.fill(0);
    let isSameCondition = state.epoch !== 0;
    const isSameAdded = service.experience === undefined || world.corrections === corrections;
    let isSame = isSameCondition && isSameAdded;
    let fallKm = 0;
    corrections = world.corrections;
    let isNobodyMissed = true;
    for (let i = 0; i < listed.length; i++) {
      const edge = listed[i] as number;
      const standing = standingOf(edge, 0, service, world, undefined);
      standings[standing] = (standings[standing] as number) + 1;
      if (isMissed(standing, edge, service, world)) isNobodyMissed = false;
      const flags =
        (standing << STANDING_BITS) + (world.unsteady[edge] as number) * 4 + upFor(service, world, edge);
      const priceKm = world.priceKm[edge] as number;
      const down = downAddressesOf(world, edge) >>> 0;
      if (flags !== flagsBefore[i] || down !== downBefore[i]) isSameCondition = false;
      fallKm = Math.max(fallKm, (pricesBefore[i] as number) - priceKm);
      if (priceKm !== pricesBefore[i] || isRising(world, edge, standing)) isSame = false;
      // Somebody may have been passed over for what he cost then.
      if (seen !== undefined && isRising(seen, edge, (flagsBefore[i] as number) >> STANDING_BITS))
        isSame = false;
      flagsBefore[i] = flags;
      downBefore[i] = down;
      pricesBefore[i] = priceKm;
    }
    if (isSameCondition && isSame) return state;
    const condition = isSameCondition ? state.condition : ++conditions;
    const rejected = isSameCondition ? state.rejected : rejectedBy(standings, STANDING.ELIGIBLE);
    const isSameEra = isSameCondition && isSameAdded && state.fallenKm < FALLEN_MAX_KM;
    const era = isSameEra ? state.era : ++eras;
    const fallenKm = isSameEra ? state.fallenKm + fallKm : 0;
    return { epoch: ++epochs, condition, era, fallenKm, rejected, isNobodyMissed };
  };

  return {
    stateIn(world) {
      if (world !== seen) state = look(world);
      seen = world;
      return state;
    },
  };
}
