import { familiesOf } from "../base/address.ts";
import { type Clock, systemClock } from "../base/clock.ts";
import { Tally } from "../base/tally.ts";
import type { Family } from "../model/address.ts";
import type { Health } from "../model/condition.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource, SimpleFamily } from "../model/metrics.ts";
import type { Service } from "../model/service.ts";
import { UP_IPV4, UP_IPV6 } from "../model/world.ts";
import {
  endOfHold,
  type Finding,
  isAnswered,
  type Network,
  type Panic,
  type PanicRules,
  stepPanic,
} from "./panic.ts";

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
  health(edgeId: string, family: Family, health: Health, reason?: string): void;
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
      const wanted = watchesOf(services, edges);
      for (const [key, watch] of watches) {
        const next = wanted.get(key);
        if (next === undefined) {
          watch.cancel?.();
          watches.delete(key);
        } else Object.assign(watch, { service: next.service, edgeIds: next.edgeIds, rules: next.rules });
      }
      for (const [key, watch] of wanted) if (!watches.has(key)) watches.set(key, watch);
      byEdge = watchesByEdge(watches.values(), edges);
      judgeAll(touched());
    },
    health(edgeId, family, health, reason) {
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
    alarms: () =>
      [...watches.values()].flatMap((watch) =>
        watch.alarmedAtMs === undefined
          ? []
          : [
              {
                service: watch.service.id,
                family: watch.family,
                sinceMs: watch.alarmedAtMs,
                edges: keptBy(watch).map(({ edgeId }) => edgeId),
              },
            ],
      ),
    metrics: () => [
      {
        kind: "gauge",
        name: "service_fail_static",
        help: "1 while the last good state of the service is kept against what probes say.",
        samples: alarmSamples(services, watches.values()),
      },
      alarmCounts.family(
        "service_fail_static_begun_total",
        "How often that began, by service and address family.",
      ),
      {
        kind: "gauge",
        name: "canary_up",
        help: "0 while the configured canary does not answer probes.",
        samples: [{ labels: {}, value: network.canaryLostAtMs === undefined ? 1 : 0 }],
      },
    ],
    stop() {
      for (const watch of watches.values()) watch.cancel?.();
    },
  };
}

/** A service's edges in one family. */
interface Watch {
  service: Service;
  readonly family: Family;
  edgeIds: readonly string[];
  rules: PanicRules;
  panic?: Panic;
  /** Wall clock. */
  alarmedAtMs?: number;
  believedUntilMs: number;
  cancel?: () => void;
}

const FAMILIES: readonly Family[] = [4, 6];

function watchesOf(services: readonly Service[], edges: readonly Edge[]): Map<string, Watch> {
  const watches = new Map<string, Watch>();
  const members = edges.map(memberOf);
  for (const service of services) {
    for (const family of FAMILIES) {
      const edgeIds: string[] = [];
      let [roundMs, verdictMs] = [0, 0];
      for (const index of service.edges) {
        const member = members[index] as Member;
        if (!member.families.includes(family)) continue;
        edgeIds.push(member.id);
        roundMs = Math.max(roundMs, member.roundMs);
        verdictMs = Math.max(verdictMs, member.verdictMs);
      }
      if (edgeIds.length === 0) continue;
      const { threshold, holdMs } = service.panic;
      const rules = { threshold, holdMs, roundMs, verdictMs };
      watches.set(`${service.id} ${family}`, {
        service,
        family,
        edgeIds,
        rules,
        believedUntilMs: Number.NEGATIVE_INFINITY,
      });
    }
  }
  return watches;
}

/** What an edge brings into each service: there can be thousands of services with hundreds of edges. */
interface Member {
  readonly id: string;
  readonly families: readonly Family[];
  readonly roundMs: number;
  readonly verdictMs: number;
}

function memberOf(edge: Edge): Member {
  return {
    id: edge.id,
    families: familiesOf(edge.addresses),
    roundMs: probesMs(edge, 1),
    verdictMs: probesMs(edge, fallOf(edge)),
  };
}

/** Beyond an interval and a timeout, what a busy machine may be late. */
const SLACK_MS = 250;

/** From the start of a probe to the end of the one that comes so many later. */
function probesMs({ probe }: Edge, probes: number): number {
  return probe.type === "none" ? 0 : probe.intervalMs * probes + probe.timeoutMs + SLACK_MS;
}

function fallOf({ probe }: Edge): number {
  return probe.type === "none" ? 0 : probe.fall;
}

function watchesByEdge(watches: Iterable<Watch>, edges: readonly Edge[]): Map<string, Watch[]> {
  const byEdge = new Map<string, Watch[]>();
  const lists = edges.map(({ id, addresses }) =>
    FAMILIES.map((family) => {
      const list = familiesOf(addresses).includes(family) ? [] : undefined;
      if (list !== undefined) byEdge.set(keyOf(id, family), list);
      return list;
    }),
  );
  for (const watch of watches) {
    const family = FAMILIES.indexOf(watch.family);
    for (const index of watch.service.edges) (lists[index]?.[family] as Watch[] | undefined)?.push(watch);
  }
  return byEdge;
}

function alarmSamples(services: readonly Service[], watches: Iterable<Watch>): SimpleFamily["samples"] {
  const alarmed = new Set<string>();
  for (const { service, alarmedAtMs } of watches) if (alarmedAtMs !== undefined) alarmed.add(service.id);
  return services.map(({ id }) => ({ labels: { service: id }, value: alarmed.has(id) ? 1 : 0 }));
}

function findingOf(
  before: Finding | undefined,
  now: Omit<Finding, "reason" | "lostAtMs">,
  reason: string | undefined,
  nowMs: number,
): Finding {
  const said = reason === undefined ? now : { ...now, reason };
  if (now.health === "up" && reason === undefined) return said;
  const wasGood = before !== undefined && before.health === "up" && before.lostAtMs === undefined;
  const lostAtMs = wasGood ? nowMs : before?.lostAtMs;
  return lostAtMs === undefined ? said : { ...said, lostAtMs };
}

/** The last probe succeeded, or whoever was asked said no. */
function isHeard(finding: Finding): boolean {
  const isFine = finding.health === "up" && finding.reason === undefined;
  return isFine || isAnswered(finding);
}

function isLostIn({ lostFromMs }: Panic, finding: Finding | undefined): boolean {
  return finding?.lostAtMs !== undefined && finding.lostAtMs >= lostFromMs;
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

function keyOf(edgeId: string, family: Family): string {
  return `${edgeId} ${family}`;
}

function nameOf({ service, family }: Watch): { service: string; family: Family } {
  return { service: service.id, family };
}

function canaryWord({ canaryLostAtMs }: Pick<Network, "canaryLostAtMs">): string {
  return canaryLostAtMs === undefined ? "answers, or there is none" : "does not answer";
}
