import type { Clock } from "../base/clock.ts";
import type { Lookup } from "../base/lookup.ts";
import type { Reach } from "../base/reach.ts";
import type { Scheduler } from "../base/schedule.ts";
import type { StallMeter } from "../base/stall.ts";
import type { Log } from "../model/log.ts";
import type { ProbeContext } from "./attempt.ts";
import type { ProbeCounts } from "./counts.ts";
import type { LiveMemory } from "./live.ts";
import type { RunProbe } from "./registry.ts";
import { detailOf, type ProbeResult } from "./result.ts";
import { judge, type Verdict } from "./rise-fall.ts";
import { probeTarget, type Target } from "./target.ts";

/** One target as it is probed again and again, and what is thought of it. */
export interface Track {
  readonly target: Target;
  readonly verdict: Verdict;
  /** A probe that runs is given up, and nothing more is told. */
  stop(): void;
}

export interface TrackOptions {
  readonly log: Log;
  readonly clock: Clock;
  /** 0 <= x < 1 */
  readonly random: () => number;
  readonly scheduler: Pick<Scheduler, "every">;
  readonly stall: Pick<StallMeter, "stalledMs">;
  readonly counts: Pick<ProbeCounts, "count" | "discard">;
  /** Of now. */
  readonly reach: () => Reach;
  readonly run: RunProbe;
  readonly lookup: Lookup | undefined;
  /** A result has said something of the target, of which this was thought before. */
  readonly onJudged: (track: Track, before: Verdict) => void;
  /** It has been probed, whatever came of it. */
  readonly onProbed: (target: Target) => void;
}

/** How far the first probes of a new inventory are spread. */
const FIRST_SPREAD_MS = 200;
/** How often a first probe is repeated at once when its result says nothing of the edge. */
const FIRST_TRIES = 3;

/** @param first what is thought of it until a result says something else */
export function startTrack(target: Target, first: Verdict, options: TrackOptions): Track {
  const { log, clock, random, stall, counts } = options;
  const givenUp = new AbortController();
  const context: ProbeContext = { clock, signal: givenUp.signal, stalledMs: stall.stalledMs };
  let verdict = first;
  /** What the last probe left for the next. */
  let memory: LiveMemory | undefined;
  /** Why the last probe could not be started, if it could not. */
  let localDetail: string | undefined;

  const probe = async (): Promise<void> => {
    const triesMax = verdict.health === "unknown" ? FIRST_TRIES : 1;
    for (let tries = 0; tries < triesMax && !(await probeOnce()); tries++);
    if (!givenUp.signal.aborted) options.onProbed(target);
  };

  /** Whether the result said something of the edge. */
  const probeOnce = async (): Promise<boolean> => {
    const stalledBeforeMs = stall.stalledMs();
    const seen = memory === undefined ? context : { ...context, memory };
    const result = await probeTarget(target, options.reach(), options.run, seen, options.lookup);
    memory = result.memory ?? memory;
    if (givenUp.signal.aborted) return true;
    const stalledMs = stall.stalledMs() - stalledBeforeMs;
    if (saysNothing(result, stalledMs, target.probe.timeoutMs)) {
      counts.discard();
      if (!result.ok && result.reason === "local") tellLocal(result.detail);
      return false;
    }
    localDetail = undefined;
    counts.count(target, result);
    const before = verdict;
    const [reason, detail] = result.ok ? [] : [result.reason, detailOf(result)];
    verdict = judge(before, reason, target.probe, detail);
    options.onJudged(track, before);
    return true;
  };

  /** The first of a row: a machine without IPv6 fails at every probe over it. */
  const tellLocal = (detail = ""): void => {
    const { edgeId, family } = target;
    if (localDetail !== detail)
      log.warn({ edge: edgeId, family, detail }, "this machine cannot start a probe");
    localDetail = detail;
  };

  const stopJob = options.scheduler.every(target.probe.intervalMs, random() * FIRST_SPREAD_MS, probe);
  const track: Track = {
    target,
    get verdict() {
      return verdict;
    },
    stop() {
      stopJob();
      givenUp.abort();
    },
  };
  return track;
}

/** Failures that are ours: we could not start it, or stood still so long that the edge may have given us up. */
function saysNothing(result: ProbeResult, stalledMs: number, timeoutMs: number): boolean {
  if (result.ok) return false;
  if (result.reason === "local" || result.reason === "cancelled") return true;
  return result.reason !== "timeout" && stalledMs >= timeoutMs;
}
