import { type Finding, isAnswered, isGood } from "./finding.ts";

/** What a service asks for, and how long its probes take at most. */
export interface PanicRules {
  /** Share of the edges that must fail within a round, 0..1; 1 is never. */
  readonly threshold: number;
  /** How long the last good state is kept, while nothing else speaks against our own network. */
  readonly holdMs: number;
  /** From one probe of an edge to the result of the next. */
  readonly roundMs: number;
  /** From the first failed probe until the edge is down. */
  readonly verdictMs: number;
}

/** One service's edges in one family, while their losses are not believed. */
export interface Panic {
  readonly startedAtMs: number;
  /** Losses before this are believed. */
  readonly lostFromMs: number;
  /** More edges are down than the threshold: before that, some only fail, and nobody is alarmed yet. */
  readonly isAlarmed: boolean;
}

/** How a panic ended; believed: whoever is lost now counts as down. */
export type PanicEnd = "recovered" | "outlasted" | "answered";

export type PanicStep =
  | { readonly kind: "calm" }
  | { readonly kind: "panic"; readonly panic: Panic }
  | { readonly kind: "ended"; readonly how: PanicEnd };

/** What speaks for or against our own network, beside the edges. */
export interface Network {
  /** Monotonic; since when the canary does not answer. Absent: it does, or there is none. */
  readonly canaryLostAtMs?: number;
  /** Monotonic; when it last came back. */
  readonly canaryBackAtMs?: number;
  /** No probe of any edge succeeds, and none was answered either. */
  readonly isSilent: boolean;
}

/**
 * Whether the losses among a service's edges are to be believed. Judged on every finding, and when a hold is over.
 *
 * ```
 * calm ── one goes down, and more than the threshold fail within a round ──► panic
 *   ▲  └─ nothing answers at all, nor does the canary ─────────────────────►   │
 *   ├──── so many succeed again that the threshold is not passed ──────────────┤
 *   ├──── all are lost, and answer that they are: no network's fault ──────────┤
 *   └──── it outlasts the hold, and the canary answers or there is none ───────┘
 * ```
 *
 * @param findings of the edges in service
 * @param believedUntilMs losses up to then are believed already
 */
export function stepPanic(
  panic: Panic | undefined,
  findings: readonly Finding[],
  rules: PanicRules,
  network: Network,
  believedUntilMs: number,
  nowMs: number,
): PanicStep {
  const isOurs = isOurFault(network);
  const span =
    panic === undefined ? newLosses(findings, rules, network, believedUntilMs, nowMs) : spanOf(panic);
  const lost = findings.filter(
    ({ lostAtMs = Number.NaN }) => lostAtMs >= span.fromMs && lostAtMs <= span.toMs,
  );
  const judged = lost.length + findings.filter(isGood).length;
  const isMass = (count: number): boolean => count > 1 && count > rules.threshold * judged;
  const down = lost.filter(({ health }) => health === "down");

  if (lost.length === 0 || (!isMass(lost.length) && !isOurs))
    return panic === undefined ? CALM : { kind: "ended", how: "recovered" };
  // Whoever says no is reached: it is not the network, and what to do then is the service's `whenDown`.
  if (lost.length === judged && lost.every(isAnswered))
    return panic === undefined ? CALM : { kind: "ended", how: "answered" };
  if (panic === undefined) {
    if (down.length === 0) return CALM;
    return {
      kind: "panic",
      panic: { startedAtMs: nowMs, lostFromMs: span.fromMs, isAlarmed: isMass(down.length) || isOurs },
    };
  }
  if (network.canaryLostAtMs === undefined && nowMs >= endOfHold(panic, rules, network))
    return { kind: "ended", how: "outlasted" };
  return { kind: "panic", panic: { ...panic, isAlarmed: panic.isAlarmed || isMass(down.length) || isOurs } };
}

/** Monotonic; when it is to be judged again though nothing was found. */
export function endOfHold(panic: Panic, { holdMs }: PanicRules, { canaryBackAtMs = 0 }: Network): number {
  return Math.max(panic.startedAtMs, canaryBackAtMs) + holdMs;
}

/** Whether its loss is one of those that are not believed. */
export function isLostIn({ lostFromMs }: Panic, finding: Finding | undefined): boolean {
  return finding?.lostAtMs !== undefined && finding.lostAtMs >= lostFromMs;
}

const CALM: PanicStep = { kind: "calm" };

interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

function spanOf({ lostFromMs }: Panic): Span {
  return { fromMs: lostFromMs, toMs: Number.POSITIVE_INFINITY };
}

/** The round in which most were lost, of those about which a verdict can be new. */
function newLosses(
  findings: readonly Finding[],
  { roundMs, verdictMs }: PanicRules,
  network: Network,
  believedUntilMs: number,
  nowMs: number,
): Span {
  if (isOurFault(network)) {
    const fromMs = Math.max((network.canaryLostAtMs ?? 0) - roundMs, believedUntilMs);
    return { fromMs, toMs: Number.POSITIVE_INFINITY };
  }
  const times = findings
    .flatMap(({ lostAtMs }) => (lostAtMs === undefined || lostAtMs <= believedUntilMs ? [] : [lostAtMs]))
    .sort((a, b) => a - b);
  let best = { fromMs: Number.POSITIVE_INFINITY, toMs: Number.NEGATIVE_INFINITY, count: 0 };
  let first = 0;
  for (const [last, toMs] of times.entries()) {
    while (toMs - (times[first] as number) > roundMs) first++;
    const count = last - first + 1;
    if (toMs >= nowMs - verdictMs && count > best.count)
      best = { fromMs: times[first] as number, toMs, count };
  }
  return best;
}

function isOurFault({ canaryLostAtMs, isSilent }: Network): boolean {
  return canaryLostAtMs !== undefined && isSilent;
}
