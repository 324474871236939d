import { describe, expect, it } from "vitest";
import type { Finding } from "../../src/condition/finding.ts";
import { type Network, type Panic, type PanicRules, stepPanic } from "../../src/condition/panic.ts";

const RULES: PanicRules = { threshold: 0.5, holdMs: 30_000, roundMs: 3000, verdictMs: 5000 };
const QUIET: Network = { isSilent: false };
const NEVER = Number.NEGATIVE_INFINITY;

const good = (edgeId: string): Finding => ({ edgeId, family: 4, health: "up" });
const lost = (edgeId: string, lostAtMs: number, more: Partial<Finding> = {}): Finding => ({
  edgeId,
  family: 4,
  health: "down",
  reason: "timeout",
  lostAtMs,
  ...more,
});
const failing = (edgeId: string, lostAtMs: number): Finding => lost(edgeId, lostAtMs, { health: "up" });

function step(findings: readonly Finding[], nowMs: number, more: Parameters_ = {}) {
  const { panic, rules = RULES, network = QUIET, believedUntilMs = NEVER } = more;
  return stepPanic(panic, findings, rules, network, believedUntilMs, nowMs);
}
interface Parameters_ {
  readonly panic?: Panic;
  readonly rules?: PanicRules;
  readonly network?: Network;
  readonly believedUntilMs?: number;
}

describe("a panic begins", () => {
  it("when more than the threshold go down within one round", () => {
    const findings = [lost("a", 1000), lost("b", 2500), good("c")];
    expect(step(findings, 2500)).toEqual({
      kind: "panic",
      panic: { startedAtMs: 2500, lostFromMs: 1000, isAlarmed: true },
    });
  });

  it("without an alarm while the others only fail, so that the first down never reaches a viewer", () => {
    expect(step([lost("a", 1000), failing("b", 2000), good("c")], 3000)).toMatchObject({
      kind: "panic",
      panic: { isAlarmed: false },
    });
  });

  it.each([
    ["exactly the threshold", [lost("a", 1000), lost("b", 1000), good("c"), good("d")]],
    ["one edge alone", [lost("a", 1000)]],
    ["losses further apart than a round", [lost("a", 1000), lost("b", 4001), good("c")]],
    ["edges that only fail", [failing("a", 1000), failing("b", 1000), good("c")]],
    ["a verdict that is old", [lost("a", 1000), lost("b", 1000), good("c")]],
    [
      "one of those left of a larger loss long ago",
      [lost("a", 10), lost("b", 10), lost("c", 9000), good("d"), good("e")],
    ],
  ])("not for %s", (_, findings) => {
    expect(step(findings, 9000)).toEqual({ kind: "calm" });
  });

  it("not for what is believed already", () => {
    const findings = [lost("a", 1000), lost("b", 1000), good("c")];
    expect(step(findings, 2000, { believedUntilMs: 1000 })).toEqual({ kind: "calm" });
  });

  it("not when all are lost and say so themselves: then whenDown is what the operator wants", () => {
    const refusing = ["a", "b", "c"].map((id) => lost(id, 1000, { reason: "refused" }));
    expect(step(refusing, 2000)).toEqual({ kind: "calm" });
    const oneSilent = [...refusing.slice(1), lost("a", 1000)];
    expect(step(oneSilent, 2000)).toMatchObject({ kind: "panic" });
  });

  it("never at a threshold of 100 %", () => {
    const findings = [lost("a", 1000), lost("b", 1000)];
    expect(step(findings, 2000, { rules: { ...RULES, threshold: 1 } })).toEqual({ kind: "calm" });
  });

  it("for the first down already while nothing answers, the canary neither", () => {
    const network: Network = { isSilent: true, canaryLostAtMs: 5000 };
    const rules = { ...RULES, threshold: 1 };
    expect(step([lost("a", 4000)], 6000, { network, rules })).toMatchObject({
      kind: "panic",
      panic: { lostFromMs: 2000, isAlarmed: true },
    });
    expect(step([lost("a", 1999)], 6000, { network, rules }), "an older loss").toEqual({ kind: "calm" });
    const alone: Network = { isSilent: false, canaryLostAtMs: 5000 };
    expect(step([lost("a", 4000)], 6000, { network: alone }), "edges answer").toEqual({ kind: "calm" });
  });
});

describe("a panic", () => {
  const panic: Panic = { startedAtMs: 2000, lostFromMs: 1000, isAlarmed: false };
  const findings = [lost("a", 1000), failing("b", 1500), good("c")];

  it("is alarmed once more than the threshold are down", () => {
    const worse = [lost("a", 1000), lost("b", 1500), good("c")];
    expect(step(worse, 3000, { panic })).toEqual({ kind: "panic", panic: { ...panic, isAlarmed: true } });
    const alarmed = { ...panic, isAlarmed: true };
    expect(step(findings, 3000, { panic: alarmed }), "and stays it").toEqual({
      kind: "panic",
      panic: alarmed,
    });
  });

  it("ends when the threshold is not passed any more", () => {
    const better = [lost("a", 1000), good("b"), good("c")];
    expect(step(better, 3000, { panic })).toEqual({ kind: "ended", how: "recovered" });
  });

  it("ends when it outlasts the hold", () => {
    expect(step(findings, 31_999, { panic })).toMatchObject({ kind: "panic" });
    expect(step(findings, 32_000, { panic })).toEqual({ kind: "ended", how: "outlasted" });
  });

  it("lasts as long as the canary is silent, and a hold longer", () => {
    const silent: Network = { isSilent: false, canaryLostAtMs: 1500 };
    expect(step(findings, 900_000, { panic, network: silent })).toMatchObject({ kind: "panic" });
    const back: Network = { isSilent: false, canaryBackAtMs: 900_000 };
    expect(step(findings, 929_999, { panic, network: back })).toMatchObject({ kind: "panic" });
    expect(step(findings, 930_000, { panic, network: back })).toEqual({ kind: "ended", how: "outlasted" });
  });

  it("ends when all turn out to answer that they are down", () => {
    const dead = ["a", "b", "c"].map((id) => lost(id, 1500, { reason: "refused" }));
    expect(step(dead, 3000, { panic })).toEqual({ kind: "ended", how: "answered" });
  });

  it("ends at once when the operator raises the threshold", () => {
    const rules = { ...RULES, threshold: 1 };
    expect(step(findings, 3000, { panic, rules })).toEqual({ kind: "ended", how: "recovered" });
  });
});
