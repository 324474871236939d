import { type Clock, systemClock } from "../base/clock.ts";
import type { Lookup } from "../base/lookup.ts";
import { type Reach, reachOf } from "../base/reach.ts";
import type { Address } from "../model/address.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { ProbeContext } from "./attempt.ts";
import type { LiveMemory } from "./live.ts";
import { runProbe } from "./registry.ts";
import type { ProbeResult } from "./result.ts";
import { probeTarget, type Target, targetsOf } from "./target.ts";

/** What `edgeward probe` shows of one address. */
export interface ProbedAddress {
  /** Undefined: the host of the edge's url, resolved. */
  readonly address?: Address;
  readonly result: ProbeResult;
}

export interface OnceOptions {
  readonly clock?: Clock;
  readonly lookup?: Lookup;
  /** PEM; instead of those that Node trusts. */
  readonly certificateAuthorities?: string;
}

/** The longest wait for a live playlist to advance: enough for target durations up to 20 s. */
const ADVANCE_WAIT_MS = 30_000;
const LOOK_AGAIN_MS = 500;

/**
 * Probes each address of an edge once, at the same time; empty where the probe is `none`. A live playlist
 * is looked at until it advances or is stale, since one look cannot tell.
 */
export function probeEdge(
  edge: Edge,
  inventory: Inventory,
  options: OnceOptions = {},
): Promise<ProbedAddress[]> {
  const reach = reachOf(inventory);
  const probeOne = async (target: Target): Promise<ProbedAddress> => {
    const { memory: _, ...result } = await probeUntilSure(target, reach, options);
    return target.address === undefined ? { result } : { address: target.address, result };
  };
  return Promise.all(targetsOf(edge).map(probeOne));
}

async function probeUntilSure(
  target: Target,
  reach: Reach,
  { clock = systemClock, lookup, certificateAuthorities }: OnceOptions,
): Promise<ProbeResult> {
  const context: ProbeContext = {
    clock,
    asPlayer: true,
    ...(certificateAuthorities === undefined ? {} : { certificateAuthorities }),
  };
  const look = (memory?: LiveMemory): Promise<ProbeResult> =>
    probeTarget(target, reach, runProbe, memory === undefined ? context : { ...context, memory }, lookup);
  const first = await look();
  return first.ok && first.memory !== undefined ? untilAdvanced(first, first.memory, look, clock) : first;
}

/** The first look, with the wait as one step more, and with the verdict of the last look. */
async function untilAdvanced(
  first: ProbeResult,
  memory: LiveMemory,
  look: (memory: LiveMemory) => Promise<ProbeResult>,
  clock: Clock,
): Promise<ProbeResult> {
  const startMs = clock.monotonicMs();
  if (memory.staleAtMs - startMs > ADVANCE_WAIT_MS) {
    const note = "its target duration is too long to wait and see whether it advances";
    return { ...first, notes: [...(first.notes ?? []), note] };
  }
  let last = first;
  while (last.ok && last.memory?.staleAtMs === memory.staleAtMs) {
    await new Promise<void>((resolve) => clock.after(LOOK_AGAIN_MS, resolve));
    last = await look(memory);
  }
  const ms = clock.monotonicMs() - startMs;
  const steps = [...first.steps, { name: "advance", ms } as const];
  return { ...last, steps, durationMs: first.durationMs + ms };
}
