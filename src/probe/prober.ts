import { isDeepStrictEqual } from "node:util";
import { familiesOf, formatAddress } from "../base/address.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { DOWN_ADDRESSES_MAX } from "../base/down-addresses.ts";
import type { Lookup } from "../base/lookup.ts";
import { type Reach, reachOf } from "../base/reach.ts";
import { createScheduler } from "../base/schedule.ts";
import { startStallMeter } from "../base/stall.ts";
import type { Family } from "../model/address.ts";
import type { Health, ProbedHealth } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import { createCounts } from "./counts.ts";
import { createFirstRound } from "./first-round.ts";
import { type RunProbe, runProbe } from "./registry.ts";
import { isInDoubt, NOT_PROBED, together, type Verdict } from "./rise-fall.ts";
import { keyOf, type Target, targetsOf } from "./target.ts";
import { startTrack, type Track } from "./track.ts";

/**
 * Probes every address of every edge for as long as it runs.
 *
 * ```
 * inventory ─► targets ─► schedule ─► probe ─► rise and fall ─► one health per edge and family ─► onHealth
 * ```
 */
export interface Prober {
  /** Probes what is new or changed at once; what is unchanged keeps its health and its schedule. */
  take(inventory: Inventory): void;
  /** Resolves when every address of the first inventory has one result. */
  readonly firstRound: Promise<void>;
  readonly metrics: MetricSource;
  stop(): void;
}

export interface ProberOptions {
  readonly log: Log;
  /** Told of every change, and by `take` of everything once more; the same news may come twice. */
  readonly onHealth: OnHealth;
  /**
   * Addresses that are down while another of their family is up: bits by position in `Edge.addresses`, of the first
   * `DOWN_ADDRESSES_MAX`. Told of every change, and by `take` once more.
   */
  readonly onDownAddresses?: (edgeId: string, bits: number) => void;
  readonly clock?: Clock;
  /** 0 <= x < 1 */
  readonly random?: () => number;
  /** How many probes may run at once. */
  readonly concurrency?: number;
  readonly run?: RunProbe;
  readonly lookup?: Lookup;
}

export type OnHealth = (edgeId: string, probed: ProbedHealth) => void;

const CONCURRENCY = 256;

export function startProbes(options: ProberOptions): Prober {
  const { log, onHealth, clock = systemClock, random = Math.random, run = runProbe } = options;
  const scheduler = createScheduler({ clock, random, concurrency: options.concurrency ?? CONCURRENCY });
  const stall = startStallMeter(clock);
  const counts = createCounts();
  const firstRound = createFirstRound();
  const tracks = new Map<string, Track>();
  let reach: Reach = { allowed: [], own: [] };

  const start = (target: Target, verdict: Verdict): void => {
    const track = startTrack(target, verdict, {
      log,
      clock,
      random,
      scheduler,
      stall,
      counts,
      reach: () => reach,
      run,
      lookup: options.lookup,
      onJudged: tellJudged,
      onProbed: (probed) => firstRound.done(keyOf(probed)),
    });
    tracks.set(keyOf(target), track);
  };

  const tellJudged = ({ target, verdict }: Track, before: Verdict): void => {
    const { edgeId, family } = target;
    const isOneOfSeveral = verdictsOf(edgeId, family).length > 1;
    if (before.health !== verdict.health && isOneOfSeveral) logAddress(log, target, before.health, verdict);
    tell(edgeId, family);
    tellDown(edgeId);
  };

  const told = new Map<string, ProbedHealth>();
  const tell = (edgeId: string, family: Family): void => {
    const key = `${edgeId} ${family}`;
    const probed = probedHealth(family, verdictsOf(edgeId, family));
    if (isDeepStrictEqual(told.get(key), probed)) return;
    told.set(key, probed);
    onHealth(edgeId, probed);
  };

  const downTold = new Map<string, number>();
  const tellDown = (edgeId: string): void => {
    const bits = downBits((byEdge.get(edgeId) ?? []).map((key) => tracks.get(key)));
    if (downTold.get(edgeId) === bits) return;
    downTold.set(edgeId, bits);
    options.onDownAddresses?.(edgeId, bits);
  };

  let byEdge = new Map<string, readonly string[]>();
  const verdictsOf = (edgeId: string, family: Family): Verdict[] =>
    (byEdge.get(edgeId) ?? [])
      .map((key) => tracks.get(key))
      .filter((track) => track?.target.family === family)
      .map((track) => track?.verdict ?? NOT_PROBED);

  const takeTargets = (targets: readonly Target[]): void => {
    const wanted = new Set(targets.map(keyOf));
    for (const [key, track] of tracks) {
      if (wanted.has(key)) continue;
      track.stop();
      tracks.delete(key);
      firstRound.done(key);
    }
    for (const target of targets) {
      const track = tracks.get(keyOf(target));
      if (track !== undefined && isDeepStrictEqual(track.target.probe, target.probe)) continue;
      track?.stop();
      start(target, track === undefined ? NOT_PROBED : { ...track.verdict, against: 0 });
    }
  };

  const tellAll = (edge: Edge): void => {
    for (const family of familiesOf(edge.addresses)) {
      if (edge.probe.type === "none") onHealth(edge.id, { family, health: "up" });
      else tell(edge.id, family);
    }
  };

  return {
    take(inventory) {
      reach = reachOf(inventory);
      const targets = inventory.edges.flatMap(targetsOf);
      byEdge = new Map(inventory.edges.map((edge) => [edge.id, targetsOf(edge).map(keyOf)]));
      firstRound.expect(targets.map(keyOf));
      takeTargets(targets);
      told.clear();
      downTold.clear();
      inventory.edges.forEach(tellAll);
      for (const { id } of inventory.edges) tellDown(id);
    },
    firstRound: firstRound.complete,
    metrics: () => [...counts.metrics(), downGauge(tracks.values()), stallCounter(stall.stalledMs())],
    stop() {
      for (const track of tracks.values()) track.stop();
      tracks.clear();
      scheduler.stop();
      stall.stop();
    },
  };
}

/** Of one address among several, whose family may be up all the same. */
function logAddress(
  log: Log,
  { edgeId, address }: Target,
  from: Health,
  { health: to, reason, detail }: Verdict,
): void {
  const isNews = to === "down" || from === "down";
  if (address === undefined || !isNews) return;
  const about = { edge: edgeId, address: formatAddress(address), from, to };
  if (to === "down") log.warn({ ...about, reason, detail }, "edge address health changed");
  else log.info(about, "edge address health changed");
}

function probedHealth(family: Family, verdicts: readonly Verdict[]): ProbedHealth {
  const { health, reason, detail } = together(verdicts);
  return {
    family,
    health,
    ...(reason && { reason }),
    ...(detail && { detail }),
    ...(isInDoubt(verdicts) && { inDoubt: true }),
  };
}

function downGauge(tracks: Iterable<Track>): SimpleFamily {
  const down = new Map<string, number>();
  for (const { target, verdict } of tracks) {
    const count = down.get(target.edgeId) ?? 0;
    down.set(target.edgeId, verdict.health === "down" ? count + 1 : count);
  }
  return {
    kind: "gauge",
    name: "edge_addresses_down",
    help: "Addresses of an edge that are down, in whatever family; a family is up while any of its addresses is.",
    samples: [...down].map(([edge, value]) => ({ labels: { edge }, value })),
  };
}

function stallCounter(stalledMs: number): SimpleFamily {
  return {
    kind: "counter",
    name: "stalled_seconds_total",
    help: "Time that the main thread, which probes, stood still: stopped, starved or busy.",
    samples: [{ labels: {}, value: stalledMs / 1000 }],
  };
}

/** @param tracks of one edge, in the order of its addresses */
function downBits(tracks: readonly (Track | undefined)[]): number {
  const upFamilies = new Set(
    tracks.flatMap((track) => (track?.verdict.health === "up" ? [track.target.family] : [])),
  );
  return tracks
    .slice(0, DOWN_ADDRESSES_MAX)
    .map((track) => track?.verdict.health === "down" && upFamilies.has(track.target.family))
    .reduce((bits, isDown, i) => (isDown ? bits | (1 << i) : bits), 0);
}
