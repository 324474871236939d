import { familiesOf } from "../base/address.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Tally } from "../base/tally.ts";
import type { Family } from "../model/address.ts";
import type { ProbedHealth } from "../model/condition.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../model/world.ts";
import { type Finding, findingOf, isHeard, keyOf } from "./finding.ts";
import { endOfHold, isLostIn, type Network, stepPanic } from "./panic.ts";
import { FAMILIES, keepWatches, type Watch, watchesByEdge, watchesOf } from "./watches.ts";

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
  const findings = new Map<string, Finding>();
  const watches = new Map<string, Watch>();
  const alarmCounts = new Tally("service");
  let byEdge = new Map<string, Watch[]>();
  let services: readonly Service[] = [];
  /** They are up by definition, which says nothing of the network. */
  let unprobed: ReadonlySet<string> = new Set();
  let network: Pick<Network, "canaryLostAtMs" | "canaryBackAtMs"> = {};
  let kept: readonly Kept[] = [];

  const inService = (watch: Watch): Finding[] =>
    watch.edgeIds.filter(isActive).flatMap((edgeId) => findings.get(keyOf(edgeId, watch.family)) ?? []);

  /** Whom an operator takes out of service in a panic has gone down with the others all the same. */
  const counted = (watch: Watch): Finding[] =>
    watch.edgeIds.flatMap((edgeId) => {
      const finding = findings.get(keyOf(edgeId, watch.family));
      const counts = isActive(edgeId) || (watch.panic !== undefined && isLostIn(watch.panic, finding));
      return finding === undefined || !counts ? [] : [finding];
    });

  /** No probe of any edge succeeds, and nobody says no either. */
  const isSilent = (): boolean => {
    const probed = [...findings].filter(([key, { health }]) => health !== "unknown" && !unprobed.has(key));
    return probed.length > 0 && probed.every(([, finding]) => !isHeard(finding));
  };

  const judge = (watch: Watch): void => {
    const nowMs = clock.monotonicMs();
    const seen: Network = { ...network, isSilent: network.canaryLostAtMs !== undefined && isSilent() };
    const { panic: before, rules, believedUntilMs } = watch;
    const step = stepPanic(before, counted(watch), rules, seen, believedUntilMs, nowMs);
    watch.cancel?.();
    delete watch.cancel;
    if (step.kind === "panic") {
      if (before?.isAlarmed !== true && step.panic.isAlarmed) raise(watch);
      watch.panic = step.panic;
      const waitMs = endOfHold(step.panic, rules, seen) - nowMs;
      // After that, the canary's return is what ends it.
      if (waitMs > 0) watch.cancel = clock.after(waitMs, () => judgeAll([watch]));
      return;
    }
    if (step.kind === "ended") {
      watch.believedUntilMs = nowMs;
      if (before?.isAlarmed === true) log.warn({ ...nameOf(watch), end: step.how }, "fail static ended");
    }
    delete watch.panic;
    delete watch.alarmedAtMs;
  };

  const raise = (watch: Watch): void => {
    watch.alarmedAtMs = clock.wallMs();
    alarmCounts.add(watch.service.id);
    const lost = inService(watch).filter(({ health }) => health === "down");
    log.error(
      { ...nameOf(watch), edges: lost.map(({ edgeId }) => edgeId), canary: canaryWord(network) },
      "fail static: too many edges went down at once to be believed; the last good state is kept",
    );
  };

  const judgeAll = (some: Iterable<Watch>): void => {
    for (const watch of some) judge(watch);
    const next = [...watches.values()].flatMap(keptBy);
    if (isSame(kept, next)) return;
    kept = next;
    onChange();
  };

  /** Those of whose edges any is lost, or was: for the others there is nothing to judge. */
  const touched = (): Set<Watch> => {
    const some = new Set([...watches.values()].filter(({ panic }) => panic !== undefined));
    for (const [key, { lostAtMs }] of findings)
      if (lostAtMs !== undefined) for (const watch of byEdge.get(key) ?? []) some.add(watch);
    return some;
  };

  const keptBy = (watch: Watch): Kept[] => {
    const { panic, service, family } = watch;
    if (panic === undefined) return [];
    return inService(watch)
      .filter((finding) => finding.health === "down" && isLostIn(panic, finding))
      .map(({ edgeId }) => ({ serviceIndex: service.index, edgeId, up: family === 4 ? UP_IPV4 : UP_IPV6 }));
  };

  const alarmOf = (watch: Watch): Alarm[] => {
    const { service, family, alarmedAtMs: sinceMs } = watch;
    if (sinceMs === undefined) return [];
    return [{ service: service.id, family, sinceMs, edges: keptBy(watch).map(({ edgeId }) => edgeId) }];
  };

  return {
    take({ edges, services: nextServices }) {
      services = nextServices;
      unprobed = new Set(
        edges.flatMap(({ id, probe }) => (probe.type === "none" ? FAMILIES.map((f) => keyOf(id, f)) : [])),
      );
      const present = new Set(
        edges.flatMap(({ id, addresses }) => familiesOf(addresses).map((f) => keyOf(id, f))),
      );
      for (const key of findings.keys()) if (!present.has(key)) findings.delete(key);
      keepWatches(watches, watchesOf(services, edges));
      byEdge = watchesByEdge(watches.values(), edges);
      judgeAll(touched());
    },
    health(edgeId, { family, health, reason }) {
      const key = keyOf(edgeId, family);
      // A last word of an edge that has gone with a reload would be kept for good.
      const its = byEdge.get(key);
      if (its === undefined) return;
      const before = findings.get(key);
      const next = findingOf(before, { edgeId, family, health }, reason, clock.monotonicMs());
      findings.set(key, next);
      // Judging costs time by the edges of a service; while nobody was lost and nobody is, there is nothing to judge.
      if (before?.lostAtMs === undefined && next.lostAtMs === undefined) return;
      judgeAll(its.filter((watch) => watch.panic !== undefined || health === "down"));
    },
    canary(isReached) {
      const nowMs = clock.monotonicMs();
      if (isReached === (network.canaryLostAtMs === undefined)) return;
      network = isReached ? { canaryBackAtMs: nowMs } : { ...network, canaryLostAtMs: nowMs };
      log.warn({}, isReached ? "the canary answers again" : "the canary does not answer");
      judgeAll(watches.values());
    },
    stateChanged: () => judgeAll([...watches.values()].filter(({ panic }) => panic !== undefined)),
    kept: () => kept,
    alarms: () => [...watches.values()].flatMap(alarmOf),
    metrics: () => [
      alarmGauge(services, watches.values()),
      alarmCounts.family("service_fail_static_begun_total", "How often that began, by service."),
      canaryGauge(network.canaryLostAtMs === undefined),
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

function nameOf({ service, family }: Watch): { service: string; family: Family } {
  return { service: service.id, family };
}

function canaryWord({ canaryLostAtMs }: Pick<Network, "canaryLostAtMs">): string {
  return canaryLostAtMs === undefined ? "answers, or there is none" : "does not answer";
}
