import { type Clock, systemClock } from "../base/clock.ts";
import type { Family } from "../model/address.ts";
import type { ProbedHealth } from "../model/condition.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../model/world.ts";
import { keyOf } from "./finding.ts";
import { createFindings } from "./findings.ts";
import { createJudge } from "./judge.ts";
import type { Network } from "./panic.ts";
import { keepWatches, type Watch, watchesByEdge, watchesOf } from "./watches.ts";

/**
 * Keeps the last good state of a service when so many of its edges fail at once that the probes, or our own
 * network, are the likelier fault.
 *
 * ```
 * probes ─┬─► board (what they say)                      ┌─► worlds: kept up
 *         └─► findings ─► a panic per service and family ┴─► alarm: log, metric, status
 * canary ──────────────────┘
 * ```
 */
export interface FailStatic {
  /** What was found of edges that stay, stays. */
  take(inventory: Inventory): void;
  /** As the prober tells it: also of an edge that is up and whose last probe failed. */
  health(edgeId: string, probed: ProbedHealth): void;
  readonly canary: (isReached: boolean) => void;
  /** An operator has put an edge in or out of service. */
  stateChanged(): void;
  /** Whom a service goes on sending viewers to though probes find them down. The same array until that changes. */
  readonly kept: () => readonly Kept[];
  alarms(): readonly Alarm[];
  readonly metrics: MetricSource;
  stop(): void;
}

export interface Kept {
  readonly serviceIndex: number;
  readonly edgeId: string;
  /** Bits as in `World.up`. */
  readonly up: number;
}

export interface Alarm {
  readonly service: string;
  readonly family: Family;
  /** Wall clock, milliseconds since 1970. */
  readonly sinceMs: number;
  /** Those that are kept. */
  readonly edges: readonly string[];
  /** Whether there is a canary that does not answer now: our own network is the likelier fault. */
  readonly isCanarySilent: boolean;
}

export interface FailStaticOptions {
  readonly log: Log;
  readonly clock?: Clock;
  /** Whether the edge takes new viewers by its administrative state. */
  readonly isActive: (edgeId: string) => boolean;
  /** `kept` has changed. */
  readonly onChange: () => void;
}

export function createFailStatic(options: FailStaticOptions): FailStatic {
  const { log, clock = systemClock, isActive, onChange } = options;
  const findings = createFindings();
  const watches = new Map<string, Watch>();
  let byEdge = new Map<string, Watch[]>();
  let services: readonly Service[] = [];
  let canary: Pick<Network, "canaryLostAtMs" | "canaryBackAtMs"> = {};
  let kept: readonly Kept[] = [];

  const network = (): Network => ({
    ...canary,
    isSilent: canary.canaryLostAtMs !== undefined && findings.isSilent(),
  });
  const { judge, disbelieved, metric } = createJudge({
    log,
    clock,
    findings,
    isActive,
    network,
    onHoldEnd: (watch) => judgeAll([watch]),
  });

  const judgeAll = (some: Iterable<Watch>): void => {
    for (const watch of some) judge(watch);
    const next = [...watches.values()].flatMap(keptBy);
    if (isSame(kept, next)) return;
    kept = next;
    onChange();
  };

  const keptBy = (watch: Watch): Kept[] => {
    const up = watch.family === 4 ? UP_IPV4 : UP_IPV6;
    return disbelieved(watch).map(({ edgeId }) => ({ serviceIndex: watch.service.index, edgeId, up }));
  };

  const panicking = (): Watch[] => [...watches.values()].filter(({ panic }) => panic !== undefined);

  /** Those of whose edges any is lost, or was: for the others there is nothing to judge. */
  const touched = (): Set<Watch> =>
    new Set([...panicking(), ...findings.lostKeys().flatMap((key) => byEdge.get(key) ?? [])]);

  const alarmOf = (watch: Watch): Alarm[] => {
    const { service, family, alarmedAtMs: sinceMs } = watch;
    if (sinceMs === undefined) return [];
    const edges = disbelieved(watch).map(({ edgeId }) => edgeId);
    const isCanarySilent = canary.canaryLostAtMs !== undefined;
    return [{ service: service.id, family, sinceMs, edges, isCanarySilent }];
  };

  return {
    take({ edges, services: nextServices }) {
      services = nextServices;
      findings.take(edges);
      keepWatches(watches, watchesOf(services, edges));
      byEdge = watchesByEdge(watches.values(), edges);
      judgeAll(touched());
    },
    health(edgeId, probed) {
      // A last word of an edge that has gone with a reload would be kept for good.
      const its = byEdge.get(keyOf(edgeId, probed.family));
      if (its === undefined) return;
      // Judging costs time by the edges of a service; while nobody was lost and nobody is, there is nothing to judge.
      if (!findings.found(edgeId, probed, clock.monotonicMs())) return;
      judgeAll(its.filter((watch) => watch.panic !== undefined || probed.health === "down"));
    },
    canary(isReached) {
      const nowMs = clock.monotonicMs();
      if (isReached === (canary.canaryLostAtMs === undefined)) return;
      canary = isReached ? { canaryBackAtMs: nowMs } : { ...canary, canaryLostAtMs: nowMs };
      log.warn({}, isReached ? "the canary answers again" : "the canary does not answer");
      judgeAll(watches.values());
    },
    stateChanged: () => judgeAll(panicking()),
    kept: () => kept,
    alarms: () => [...watches.values()].flatMap(alarmOf),
    metrics: () => [
      alarmGauge(services, watches.values()),
      metric(),
      canaryGauge(canary.canaryLostAtMs === undefined),
    ],
    stop() {
      for (const watch of watches.values()) watch.cancel?.();
    },
  };
}

function alarmGauge(services: readonly Service[], watches: Iterable<Watch>): SimpleFamily {
  const alarmed = new Set<string>();
  for (const { service, alarmedAtMs } of watches) if (alarmedAtMs !== undefined) alarmed.add(service.id);
  return {
    kind: "gauge",
    name: "service_fail_static",
    help: "1 while the last good state of the service is kept against what probes say.",
    samples: services.map(({ id }) => ({ labels: { service: id }, value: alarmed.has(id) ? 1 : 0 })),
  };
}

function canaryGauge(isReached: boolean): SimpleFamily {
  return {
    kind: "gauge",
    name: "canary_up",
    help: "0 while the configured canary does not answer probes.",
    samples: [{ labels: {}, value: isReached ? 1 : 0 }],
  };
}

function isSame(some: readonly Kept[], others: readonly Kept[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ serviceIndex, edgeId, up }, i) => {
      const other = others[i] as Kept;
      return other.serviceIndex === serviceIndex && other.edgeId === edgeId && other.up === up;
    })
  );
}
