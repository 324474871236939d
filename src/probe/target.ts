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

/** Of a name, as many are asked. */
const ADDRESSES_MAX = 8;

/**
 * Probes a target once, unless its address is forbidden. A name is well while any of its addresses is, as a family
 * is: where the first fails, the others are asked at the same time. Resolving a name may take one more timeout, and
 * so may they.
 */
export async function probeTarget(
  target: Target,
  reach: Reach,
  run: RunProbe,
  context: ProbeContext,
  lookup?: Lookup,
): Promise<ProbeResult> {
  const { probe } = target;
  let addresses = target.address === undefined ? [] : [target.address];
  const reached = await attempt(probe.timeoutMs, context, async (attempt) => {
    if (target.address === undefined)
      addresses = await attempt.step("resolve", () => resolve(probe, reach, lookup));
    else expectAllowed(target.address, reach);
  });
  const [first, ...others] = addresses;
  if (!reached.ok || first === undefined) return reached;
  const result = await probeAny(first, others, (address) => run(address, probe, context));
  return { ...result, steps: [...reached.steps, ...result.steps] };
}

async function probeAny(
  first: Address,
  others: readonly Address[],
  probeAt: (address: Address) => Promise<ProbeResult>,
): Promise<ProbeResult> {
  const result = await probeAt(first);
  if (result.ok || others.length === 0 || result.reason === "cancelled") return result;
  const results = await Promise.all(others.map(probeAt));
  const good = results.find(({ ok }) => ok);
  if (good !== undefined)
    return { ...good, notes: [...(good.notes ?? []), `${formatAddress(first)} fails (${result.reason})`] };
  // Of an address that cannot be asked from here nothing is known: another tells more.
  return result.reason === "local" ? (results.find(isTheirs) ?? result) : result;
}

function isTheirs(result: ProbeResult): boolean {
  return !result.ok && result.reason !== "local" && result.reason !== "cancelled";
}

function expectAllowed(address: Address, reach: Reach): void {
  const refusal = refusalOfWritten(address, reach);
  if (refusal !== undefined) throw new ProbeError("forbidden-address", refusal);
}

/**
 * In an order that stays the same from one look-up to the next, so that a stream is watched at one address; as the
 * system has it by family.
 */
async function resolve(probe: ActiveProbe, reach: Reach, lookup?: Lookup): Promise<Address[]> {
  if (!("url" in probe)) throw new ProbeError("resolve", "the edge has no address");
  const url = new URL(probe.url);
  const resolved = await resolveReachable(url.hostname, portOf(url), reach, lookup);
  switch (resolved.kind) {
    case "addresses":
      return inOrder(resolved.addresses).slice(0, ADDRESSES_MAX);
    case "refused":
      throw new ProbeError("forbidden-address", resolved.refusal);
    case "not-found":
      throw new ProbeError("resolve", resolved.code);
  }
}

function inOrder(addresses: readonly Address[]): Address[] {
  const preferred = addresses[0]?.family;
  const rank = ({ family }: Address): number => (family === preferred ? 0 : 1);
  return [...addresses].sort((a, b) => rank(a) - rank(b) || Buffer.compare(a.bytes, b.bytes));
}
