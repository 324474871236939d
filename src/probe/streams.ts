import { isDeepStrictEqual } from "node:util";
import { type Clock, systemClock } from "../base/clock.ts";
import type { Lookup } from "../base/lookup.ts";
import { type Reach, reachOf } from "../base/reach.ts";
import { Tally } from "../base/tally.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { StreamChecks } from "../model/service.ts";
import { type RunProbe, runProbe } from "./registry.ts";
import type { FailureReason, ProbeResult } from "./result.ts";
import { OTHER_HOST } from "./hls.ts";
import { judge } from "./rise-fall.ts";
import { createStaleStreams } from "./stale-streams.ts";
import { type Check, type StreamRound, startRound, targetOf } from "./stream-round.ts";
import { probeTarget } from "./target.ts";

/**
 * Checks the active streams of services at each of their edges, for as long as it runs.
 *
 * ```
 * services, active streams ─► one round per service ─► hls probe ─► rise and fall ─► stale streams ─► onStale
 * ```
 */
export interface StreamChecker {
  /** Checks go on as they are where nothing changed for them. */
  take(inventory: Inventory): void;
  /** Replaces the active streams of a service; names that cannot be part of a path are left out. */
  active(serviceId: string, streams: Iterable<string>): void;
  /** Edge id to the streams that are stale there; the same map for ever, and only to be read. */
  readonly staleStreams: ReadonlyMap<string, ReadonlySet<string>>;
  readonly metrics: MetricSource;
  stop(): void;
}

export interface StreamCheckerOptions {
  readonly log: Log;
  /** Told of every change; `stale` is false also of a stream that is no longer checked. */
  readonly onStale: (edgeId: string, stream: string, stale: boolean) => void;
  readonly clock?: Clock;
  readonly run?: RunProbe;
  readonly lookup?: Lookup;
}

/** Of one service. */
const STREAMS_LIMIT = 1000;
const NAME_LIMIT = 200;

export function startStreamChecks(options: StreamCheckerOptions): StreamChecker {
  const { log, clock = systemClock, run = runProbe, lookup } = options;
  const rounds = new Map<string, StreamRound>();
  const streamsOf = new Map<string, readonly string[]>();
  /** Services that have more streams than are checked. */
  const crowded = new Set<string>();
  const stale = createStaleStreams(options.onStale);
  const counts = new Tally("service", "result");
  let inventory: Pick<Inventory, "services" | "edges"> = { services: [], edges: [] };
  let reach: Reach = { allowed: [], own: [] };

  const runCheck = async (serviceId: string, checks: StreamChecks, check: Check): Promise<void> => {
    const { edge, stream, memory, ended } = check;
    const context = { clock, signal: ended.signal, ...(memory === undefined ? {} : { memory }) };
    const result = await probeTarget(targetOf(check, checks), reach, run, context, lookup);
    if (ended.signal.aborted) return;
    if (result.memory !== undefined) check.memory = result.memory;
    counts.add(serviceId, result.ok ? "ok" : result.reason);
    if (!saysSomethingOfTheStream(result)) return;
    check.verdict = judge(check.verdict, result.ok ? undefined : result.reason, checks);
    stale.set(edge.id, stream, check, check.verdict.health === "down");
  };

  const openRound = (serviceId: string, checks: StreamChecks): StreamRound => {
    const round = startRound({
      checks,
      clock,
      run: (check) => runCheck(serviceId, checks, check),
      dropped: (check) => stale.set(check.edge.id, check.stream, check, false),
    });
    rounds.set(serviceId, round);
    return round;
  };

  const closeRound = (serviceId: string): void => {
    rounds.get(serviceId)?.stop();
    rounds.delete(serviceId);
  };

  const fill = (serviceId: string): void => {
    const service = inventory.services.find(({ id }) => id === serviceId);
    const round = rounds.get(serviceId);
    if (service === undefined || round === undefined) return;
    const edges = service.edges.map((index) => inventory.edges[index] as Edge);
    round.set(
      edges.filter(({ state }) => state !== "off"),
      streamsOf.get(serviceId) ?? [],
    );
  };

  /** Once, as long as it lasts. */
  const tellCrowd = (serviceId: string, count: number): void => {
    if (count <= STREAMS_LIMIT) crowded.delete(serviceId);
    else if (!crowded.has(serviceId)) {
      crowded.add(serviceId);
      const about = { service: serviceId, active: count, checked: STREAMS_LIMIT };
      log.warn(about, "too many streams: the rest is not checked");
    }
  };

  return {
    take(next) {
      inventory = next;
      reach = reachOf(next);
      const checked = new Map(next.services.flatMap(({ id, streams }) => (streams ? [[id, streams]] : [])));
      for (const id of streamsOf.keys()) if (!checked.has(id)) streamsOf.delete(id);
      for (const [id, { checks }] of rounds) if (!isDeepStrictEqual(checked.get(id), checks)) closeRound(id);
      for (const [id, checks] of checked) {
        if (!rounds.has(id)) openRound(id, checks);
        fill(id);
      }
    },
    active(serviceId, streams) {
      if (!rounds.has(serviceId)) return;
      const names = [...new Set(streams)].filter(isUsable);
      tellCrowd(serviceId, names.length);
      const checked = names.slice(0, STREAMS_LIMIT);
      if (isDeepStrictEqual(checked, streamsOf.get(serviceId))) return;
      streamsOf.set(serviceId, checked);
      fill(serviceId);
    },
    staleStreams: stale.byEdge,
    metrics: () => [
      counts.family("stream_checks_total", "Checks of streams at edges, by service and result."),
      stale.metric(),
    ],
    stop() {
      for (const id of rounds.keys()) closeRound(id);
    },
  };
}

/** Any other failure is the edge's, and its own probe's to tell; what another host serves cannot be known. */
function saysSomethingOfTheStream(result: ProbeResult): boolean {
  return result.ok || (STREAM_FAILURES.has(result.reason) && result.detail !== OTHER_HOST);
}

const STREAM_FAILURES: ReadonlySet<FailureReason> = new Set(["stale", "status", "playlist", "segment"]);

/** Names come from the network: none may lead out of the path it is put in. */
function isUsable(stream: string): boolean {
  const isShort = stream.length > 0 && stream.length <= NAME_LIMIT;
  return isShort && !hasLoneSurrogate(stream) && stream.split("/").every((part) => !/^\.{0,2}$/.test(part));
}

/** `encodeURIComponent` throws on these. */
function hasLoneSurrogate(text: string): boolean {
  return /\p{Surrogate}/u.test(text);
}
