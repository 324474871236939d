import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Lookup } from "../base/lookup.ts";
import { type Reach, reachOf } from "../base/reach.ts";
import { createScheduler } from "../base/schedule.ts";
import { startStallMeter } from "../base/stall.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import { createCounts } from "./counts.ts";
import { createEdgeNews, type OnDownAddresses, type OnHealth } from "./edge-news.ts";
import { createFirstRound } from "./first-round.ts";
import { type RunProbe, runProbe } from "./registry.ts";
import { NOT_PROBED, type Verdict } from "./rise-fall.ts";
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
  /** As `onHealth`. */
  readonly onDownAddresses?: OnDownAddresses;
  readonly clock?: Clock;
  /** 0 <= x < 1 */
  readonly random?: () => number;
  /** How many probes may run at once. */
  readonly concurrency?: number;
  readonly run?: RunProbe;
  readonly lookup?: Lookup;
}

const CONCURRENCY = 256;

export function startProbes(options: ProberOptions): Prober {
  const { log, onHealth, clock = systemClock, random = Math.random, run = runProbe } = options;
  const scheduler = createScheduler({ clock, random, concurrency: options.concurrency ?? CONCURRENCY });
  const stall = startStallMeter(clock);
  const counts = createCounts();
  const firstRound = createFirstRound();
  const tracks = new Map<string, Track>();
  const news = createEdgeNews({ log, onHealth, onDownAddresses: options.onDownAddresses, tracks });
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
      onJudged: news.judged,
      onProbed: (probed) => firstRound.done(keyOf(probed)),
    });
    tracks.set(keyOf(target), track);
  };

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

  return {
    take(inventory) {
      reach = reachOf(inventory);
      const targets = inventory.edges.flatMap(targetsOf);
      firstRound.expect(targets.map(keyOf));
      takeTargets(targets);
      news.take(inventory.edges);
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
