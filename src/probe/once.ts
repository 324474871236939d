import { systemClock } from "../base/clock.ts";
import { reachOf } from "../base/reach.ts";
import type { Address } from "../model/address.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import { runProbe } from "./registry.ts";
import type { ProbeResult } from "./result.ts";
import { probeTarget, type Target, targetsOf } from "./target.ts";

/** What `edgeward probe` shows of one address. */
export interface ProbedAddress {
  /** Undefined: the host of the edge's url, resolved. */
  readonly address?: Address;
  readonly result: ProbeResult;
}

/** Probes each address of an edge once, at the same time; empty where the probe is `none`. */
export function probeEdge(edge: Edge, inventory: Inventory): Promise<ProbedAddress[]> {
  const reach = reachOf(inventory);
  const probeOne = async (target: Target): Promise<ProbedAddress> => {
    const result = await probeTarget(target, reach, runProbe, { clock: systemClock });
    return target.address === undefined ? { result } : { address: target.address, result };
  };
  return Promise.all(targetsOf(edge).map(probeOne));
}
