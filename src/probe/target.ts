import { formatAddress } from "../base/address.ts";
import type { Lookup } from "../base/lookup.ts";
import { type Reach, refusalOfWritten, resolveReachable } from "../base/reach.ts";
import type { Address, Family } from "../model/address.ts";
import type { Edge } from "../model/edge.ts";
import { attempt, type ProbeContext } from "./attempt.ts";
import type { ActiveProbe, RunProbe } from "./registry.ts";
import { portOf } from "./request.ts";
import { ProbeError, type ProbeResult } from "./result.ts";

/** One thing to probe: an address of an edge, or for an edge without addresses, the host of its url. */
export interface Target {
  readonly edgeId: string;
  readonly family: Family;
  /** Undefined: the name is resolved each time. */
  readonly address?: Address;
  readonly probe: ActiveProbe;
}

export function targetsOf(edge: Edge): Target[] {
  const { id: edgeId, probe, addresses } = edge;
  if (probe.type === "none") return [];
  if (addresses.length === 0) return [{ edgeId, family: 4, probe }];
  return addresses.map((address) => ({ edgeId, family: address.family, address, probe }));
}

/** Stays the same over reloads; unique. */
export function keyOf({ edgeId, address }: Target): string {
  return `${edgeId} ${address === undefined ? "by name" : formatAddress(address)}`;
}

/** Probes a target once, unless its address is forbidden. Resolving a name may take one more timeout. */
export async function probeTarget(
  target: Target,
  reach: Reach,
  run: RunProbe,
  context: ProbeContext,
  lookup?: Lookup,
): Promise<ProbeResult> {
  let address = target.address;
  const reached = await attempt(target.probe.timeoutMs, context, async (attempt) => {
    if (address === undefined)
      address = await attempt.step("resolve", () => resolve(target.probe, reach, lookup));
    else expectAllowed(address, reach);
  });
  if (!reached.ok || address === undefined) return reached;
  const result = await run(address, target.probe, context);
  return { ...result, steps: [...reached.steps, ...result.steps] };
}

function expectAllowed(address: Address, reach: Reach): void {
  const refusal = refusalOfWritten(address, reach);
  if (refusal !== undefined) throw new ProbeError("forbidden-address", refusal);
}

async function resolve(probe: ActiveProbe, reach: Reach, lookup?: Lookup): Promise<Address> {
  if (!("url" in probe)) throw new ProbeError("resolve", "the edge has no address");
  const url = new URL(probe.url);
  const resolved = await resolveReachable(url.hostname, portOf(url), reach, lookup);
  switch (resolved.kind) {
    case "addresses":
      return resolved.addresses[0] as Address;
    case "refused":
      throw new ProbeError("forbidden-address", resolved.refusal);
    case "not-found":
      throw new ProbeError("resolve", resolved.code);
  }
}
