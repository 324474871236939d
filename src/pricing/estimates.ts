import type { Facts } from "../model/world.ts";
import type { Answers } from "./answers.ts";
import type { Demand } from "./demand.ts";
import type { Lags } from "./lags.ts";
import type { Known, Reports } from "./reports.ts";
import type { Setting } from "./settings.ts";
import type { Stays } from "./stays.ts";

/** How many viewers an edge has now: its reports show those of some seconds ago. */
export interface Estimates {
  /** As many as we have sent there and who have not left, where its reports do not say. */
  viewersOrSent(edge: number, nowMs: number): number;
  /** As `World.loadRatio`. */
  loadRatio(facts: Facts, edge: number, nowMs: number): number;
  /** How long viewers stay, how many an answer brings, and how late reports are: from two of an edge. */
  learn(edge: number, before: Known, now: Known): void;
}

/** A report that claims to be older, or to be from the future, has a clock that is wrong. */
const REPORT_AGE_MAX_MS = 300_000;

export interface Learners {
  readonly answers: Answers;
  readonly demand: Demand;
  readonly lags: Lags;
  readonly stays: Stays;
}

export function createEstimates(
  setting: () => Setting,
  reports: Reports,
  { answers, demand, lags, stays }: Learners,
): Estimates {
  const slotOf = (edge: number): number => setting().slots[edge] as number;

  /** As reported, less who has left, and those sent since, whether they are there or under way; NaN: never reported. */
  const viewersNow = (edge: number, nowMs: number): number => {
    const report = reports.last(edge);
    if (report === undefined) return Number.NaN;
    const { prediction } = setting();
    const slot = slotOf(edge);
    const made = prediction.made(slot);
    const shownMs = report.atMs - lags.of(slot);
    const ageMs = Math.min(REPORT_AGE_MAX_MS, Math.max(0, nowMs - shownMs));
    const left = Math.exp((-stays.departureRate * ageMs) / 1000);
    // What the serving threads have not told of yet is taken for what came before it.
    const untold = Math.max(0, made.answers - answers.told(slot));
    const came = answers.between(slot, shownMs, nowMs).viewers;
    const coming = answers.between(slot, nowMs, Number.POSITIVE_INFINITY).viewers;
    return (
      report.viewers * left +
      made.http -
      prediction.redirectedBy(slot, shownMs) +
      answers.backAfter(slot, shownMs) +
      came +
      coming +
      (untold > 0 ? untold * answers.sizes(slot, nowMs).mean : 0)
    );
  };

  /** Viewers who came between two moments of measuring; less than 0 where the first is later. */
  const cameBetween = (slot: number, fromMs: number, toMs: number): number => {
    if (fromMs > toMs) return -cameBetween(slot, toMs, fromMs);
    const { prediction } = setting();
    const lagMs = lags.of(slot);
    const [beginMs, endMs] = [fromMs - lagMs, toMs - lagMs];
    const redirected = prediction.redirectedBy(slot, endMs) - prediction.redirectedBy(slot, beginMs);
    return redirected + answers.between(slot, beginMs, endMs).viewers;
  };

  return {
    viewersOrSent(edge, nowMs) {
      const viewers = reports.last(edge)?.stale === false ? viewersNow(edge, nowMs) : Number.NaN;
      return Number.isNaN(viewers) ? demand.presentAt(slotOf(edge)) : viewers;
    },
    loadRatio(facts, edge, nowMs) {
      const reported = facts.loadRatio[edge] as number;
      const each = facts.perViewer[edge] as number;
      const report = reports.last(edge);
      if (!reports.hasReported(edge) || (report === undefined && !Number.isNaN(reported))) return reported;
      // It used to report and has fallen silent.
      if (report === undefined || report.stale) return demand.presentAt(slotOf(edge)) * each;
      if (reports.isDoubted(edge)) return viewersNow(edge, nowMs) * each;
      const loadAtMs = facts.loadAtMs[edge] as number;
      const unlikeLoad = loadAtMs === report.atMs ? 0 : cameBetween(slotOf(edge), loadAtMs, report.atMs);
      return reported + (viewersNow(edge, nowMs) - report.viewers + unlikeLoad) * each;
    },
    learn(edge, before, now) {
      const { prediction } = setting();
      const slot = slotOf(edge);
      const change = now.viewers - before.viewers;
      const lagMs = lags.of(slot);
      const [fromMs, toMs] = [before.atMs - lagMs, now.atMs - lagMs];
      /** Of a running count, had it been of so much earlier. */
      const grown = (countAt: (atMs: number) => number, lagMs: number): number =>
        countAt(now.atMs - lagMs) - countAt(before.atMs - lagMs);
      const redirects = (atMs: number): number => prediction.redirectedBy(slot, atMs);
      const given = (atMs: number): number => prediction.answeredBy(slot, atMs);
      const http = grown(redirects, lagMs);
      const { viewers: byAnswers, slope } = answers.between(slot, fromMs, toMs);
      const viewerSeconds = (((before.viewers + now.viewers) / 2) * (now.atMs - before.atMs)) / 1000;
      const { viewersPerAnswer, departureRate } = stays;
      const certain = http + byAnswers - slope * viewersPerAnswer;
      stays.observe({ change, certain, answers: slope, viewerSeconds });
      const left = viewerSeconds * departureRate;
      const missing = change - http - byAnswers + left;
      const variance = 1 + http + byAnswers + left;
      answers.learn(slot, fromMs, toMs, missing, variance);
      const { atOnce } = answers.sizes(slot, now.atMs);
      const sent = (lagMs: number): number => grown(redirects, lagMs) + grown(given, lagMs) * atOnce;
      lags.observe(slot, change, sent, http + byAnswers - sent(lagMs) - left, variance);
    },
  };
}
