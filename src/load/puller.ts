import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../base/clock.ts";
import { type Reach, reachOf } from "../base/reach.ts";
import { startStallMeter } from "../base/stall.ts";
import { createScheduler } from "../base/schedule.ts";
import { Tally } from "../base/tally.ts";
import type { LoadReport } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { MistServerDetails } from "../model/mistserver.ts";
import type { LoadFailure } from "../model/views.ts";
import { createPuller, type Pulled } from "./pull.ts";
import type { PolledLoad } from "./source.ts";

/** Reads every load source that wants to be read, for as long as it runs. */
export interface Pullers {
  /** Reads what is new or changed soon; what is unchanged keeps its schedule and its counters. */
  take(inventory: PullInventory): void;
  /** What could not be read the last time that it was tried, by edge. */
  readonly failures: () => ReadonlyMap<string, readonly LoadFailure[]>;
  readonly metrics: MetricSource;
  stop(): void;
}

/** What is to be read, and where readers may connect. */
export interface PullInventory extends Pick<Inventory, "allowedProbeNetworks" | "listen"> {
  readonly edges: readonly Pick<Edge, "id" | "load">[];
}

export interface PullersOptions {
  readonly log: Log;
  /** `sourceIndex`: position in `Edge.load`. */
  readonly onReport: (edgeId: string, sourceIndex: number, report: LoadReport) => void;
  /** What a reading gave beside the load; right after its report. */
  readonly onDetails?: (edgeId: string, details: MistServerDetails) => void;
  /** Every failure, in words without secrets; the log has only the first of a row. */
  readonly onFailure?: (edgeId: string, sourceIndex: number, problem: string) => void;
  readonly clock?: Clock;
  /** 0 <= x < 1 */
  readonly random?: () => number;
  /** How many sources may be read at once. */
  readonly concurrency?: number;
}

/** As many as hang for their whole timeout hold up nobody else much: a thousand of them, at 2 s, for 8 s. */
const CONCURRENCY = 256;
/** How far the first reads of a new inventory are spread, within their interval. */
const FIRST_SPREAD_MS = 1000;

export function startPullers(options: PullersOptions): Pullers {
  const { log, onReport, onDetails, onFailure, clock = systemClock, random = Math.random } = options;
  const scheduler = createScheduler({ clock, random, concurrency: options.concurrency ?? CONCURRENCY });
  const stall = startStallMeter(clock);
  const failures = new Tally("edge", "type");
  const tracks = new Map<string, Track>();
  const inTurn = createTurns();
  let reach: Reach = { allowed: [], own: [] };

  const start = (polled: Polled): Track => {
    const givenUp = new AbortController();
    const { source } = polled;
    const track: Track = { ...polled, stop: () => {} };
    const puller = createPuller(source);
    const readOnce = async (): Promise<void> => {
      if (givenUp.signal.aborted) return;
      const pulled = await puller.pull({
        reach,
        clock,
        random,
        stalledMs: stall.stalledMs,
        signal: givenUp.signal,
      });
      if (!givenUp.signal.aborted) settle(track, pulled);
    };
    const firstDelayMs = random() * Math.min(source.intervalMs, FIRST_SPREAD_MS);
    const stopJob = scheduler.every(source.intervalMs, firstDelayMs, () => inTurn(polled.edgeId, readOnce));
    track.stop = () => {
      stopJob();
      givenUp.abort();
      puller.close();
    };
    return track;
  };

  const settle = (track: Track, pulled: Pulled): void => {
    const { edgeId, sourceIndex, source } = track;
    const about = { edge: edgeId, source: sourceIndex, type: source.type };
    if (pulled.kind === "report") {
      if (track.problem !== undefined) log.info(about, "load source can be read again");
      track.problem = undefined;
      onReport(edgeId, sourceIndex, pulled.report);
      if (pulled.details !== undefined) onDetails?.(edgeId, pulled.details);
      return;
    }
    if (track.problem === undefined)
      log.warn({ ...about, problem: pulled.problem }, "load source cannot be read");
    track.problem = pulled.problem;
    failures.add(edgeId, source.type);
    onFailure?.(edgeId, sourceIndex, pulled.problem);
  };

  return {
    take(inventory) {
      reach = reachOf(inventory);
      const wanted = new Map(inventory.edges.flatMap(polledOf).map((polled) => [keyOf(polled), polled]));
      for (const [key, track] of tracks) {
        if (isDeepStrictEqual(wanted.get(key)?.source, track.source)) continue;
        track.stop();
        tracks.delete(key);
      }
      for (const [key, polled] of wanted) if (!tracks.has(key)) tracks.set(key, start(polled));
    },
    failures() {
      const byEdge = new Map<string, LoadFailure[]>();
      for (const { edgeId, source, problem } of tracks.values()) {
        if (problem === undefined) continue;
        byEdge.set(edgeId, [...(byEdge.get(edgeId) ?? []), { type: source.type, problem }]);
      }
      return byEdge;
    },
    metrics: () => [failures.family("load_pull_failures_total", "Failed reads of load sources.")],
    stop() {
      for (const track of tracks.values()) track.stop();
      tracks.clear();
      scheduler.stop();
      stall.stop();
    },
  };
}

/** Never two at once of one name, so that no edge has more than one request to answer. */
function createTurns(): (name: string, act: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (name, act) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(act).finally(() => {
      if (last.get(name) === turn) last.delete(name);
    });
    last.set(name, turn);
    return turn;
  };
}

interface Polled {
  readonly edgeId: string;
  readonly sourceIndex: number;
  readonly source: PolledLoad;
}

interface Track extends Polled {
  /** Why it could not be read the last time; absent: it was read, or not tried yet. */
  problem?: string | undefined;
  stop: () => void;
}

function polledOf({ id: edgeId, load }: Pick<Edge, "id" | "load">): Polled[] {
  return load.flatMap((source, sourceIndex) =>
    source.type === "push" ? [] : [{ edgeId, sourceIndex, source }],
  );
}

function keyOf({ edgeId, sourceIndex }: Polled): string {
  return `${edgeId} ${sourceIndex}`;
}
