import type { Clock } from "../base/clock.ts";
import { Tally } from "../base/tally.ts";
import type { Family } from "../model/address.ts";
import type { Log } from "../model/log.ts";
import type { SimpleFamily } from "../model/metrics.ts";
import type { Finding } from "./finding.ts";
import type { Findings } from "./findings.ts";
import { endOfHold, isLostIn, type Network, type Panic, stepPanic } from "./panic.ts";
import type { Watch } from "./watches.ts";

/** Has one watch after the other believe its losses or not, and alarms operators. */
export interface Judge {
  /** By what is known now. */
  readonly judge: (watch: Watch) => void;
  /** Its edges in service that are down, and go on getting viewers. */
  readonly disbelieved: (watch: Watch) => Finding[];
  /** How many alarms there were. */
  readonly metric: () => SimpleFamily;
}

export interface JudgeOptions {
  readonly log: Pick<Log, "warn" | "error">;
  readonly clock: Clock;
  readonly findings: Pick<Findings, "of">;
  /** Whether the edge takes new viewers by its administrative state. */
  readonly isActive: (edgeId: string) => boolean;
  readonly network: () => Network;
  /** It is to be judged again though nothing was found. */
  readonly onHoldEnd: (watch: Watch) => void;
}

export function createJudge(options: JudgeOptions): Judge {
  const { log, clock, findings, isActive, network, onHoldEnd } = options;
  const alarmCounts = new Tally("service");

  const inService = ({ edgeIds, family }: Watch): Finding[] =>
    edgeIds.filter(isActive).flatMap((edgeId) => findings.of(edgeId, family) ?? []);

  /** Whom an operator takes out of service in a panic has gone down with the others all the same. */
  const counted = ({ edgeIds, family, panic }: Watch): Finding[] =>
    edgeIds.flatMap((edgeId) => {
      const finding = findings.of(edgeId, family);
      const counts = isActive(edgeId) || (panic !== undefined && isLostIn(panic, finding));
      return finding === undefined || !counts ? [] : [finding];
    });

  const goOn = (watch: Watch, panic: Panic, seen: Network, nowMs: number): void => {
    if (watch.panic?.isAlarmed !== true && panic.isAlarmed) raise(watch, seen);
    watch.panic = panic;
    const waitMs = endOfHold(panic, watch.rules, seen) - nowMs;
    // After that, the canary's return is what ends it.
    if (waitMs > 0) watch.cancel = clock.after(waitMs, () => onHoldEnd(watch));
  };

  const raise = (watch: Watch, seen: Network): void => {
    watch.alarmedAtMs = clock.wallMs();
    alarmCounts.add(watch.service.id);
    const lost = inService(watch).filter(({ health }) => health === "down");
    log.error(
      { ...nameOf(watch), edges: lost.map(({ edgeId }) => edgeId), canary: canaryWord(seen) },
      "fail static: too many edges went down at once to be believed; the last good state is kept",
    );
  };

  return {
    judge(watch) {
      const nowMs = clock.monotonicMs();
      const seen = network();
      const { panic, rules, believedUntilMs } = watch;
      const step = stepPanic(panic, counted(watch), rules, seen, believedUntilMs, nowMs);
      watch.cancel?.();
      delete watch.cancel;
      if (step.kind === "panic") return goOn(watch, step.panic, seen, nowMs);
      if (step.kind === "ended") {
        watch.believedUntilMs = nowMs;
        if (panic?.isAlarmed === true) log.warn({ ...nameOf(watch), end: step.how }, "fail static ended");
      }
      delete watch.panic;
      delete watch.alarmedAtMs;
    },
    disbelieved(watch) {
      const { panic } = watch;
      if (panic === undefined) return [];
      return inService(watch).filter((finding) => finding.health === "down" && isLostIn(panic, finding));
    },
    metric: () => alarmCounts.family("service_fail_static_begun_total", "How often that began, by service."),
  };
}

function nameOf({ service, family }: Watch): { service: string; family: Family } {
  return { service: service.id, family };
}

function canaryWord({ canaryLostAtMs }: Network): string {
  return canaryLostAtMs === undefined ? "answers, or there is none" : "does not answer";
}
