import { finished, type Steps } from "../base/steps.ts";
import type { Edge } from "../model/edge.ts";
import type { Service } from "../model/service.ts";
import type { Facts, World } from "../model/world.ts";
import { createAnswers } from "./answers.ts";
import { joinArrivals } from "./arrivals.ts";
import { createAskers, type PerAnswer } from "./askers.ts";
import { createCrowding } from "./crowding.ts";
import { type Brought, createDemand, type Growth } from "./demand.ts";
import { createEstimates } from "./estimates.ts";
import { createLags } from "./lags.ts";
import type { Learned } from "./learned.ts";
import type { Arrivals } from "./ledger.ts";
import { createLosses } from "./losses.ts";
import { memoryOf, rememberIn } from "./memory.ts";
import { createPrices } from "./prices.ts";
import { createRamps } from "./ramps.ts";
import { createReports } from "./reports.ts";
import { createReturns, type Returned } from "./returns.ts";
import { createRoom } from "./room.ts";
import { createRushes } from "./rushes.ts";
import { createSettings } from "./settings.ts";
import { solveHere, type Solver } from "./solver.ts";
import { createStays } from "./stays.ts";
import { createTurns } from "./turns.ts";
import { createWorldMaker } from "./world-maker.ts";

/**
 * Makes worlds from facts: predicts the load that no report shows yet, and sets the prices at which demand meets
 * capacity.
 *
 * ```
 * decisions ─► ledger ─┬─► prediction ─► load now ──────────────┐
 *                      └─► demand by region ─┐                  ├─► World
 * reports ──► stays (how long, how many) ────┼─► solve ─► prices┘
 *                       room by edge ────────┘
 * ```
 */
export interface Pricing {
  /** A new configuration; what is known of edges that stay, stays. */
  take(edges: readonly Edge[], services: readonly Service[]): void;
  /** For a process that goes on in this one's place. */
  memory(): Learned;
  /** What such a process knew. */
  remember(learned: Learned): void;
  /** The first round of probes is complete: who is up now did not come back. */
  begin(): void;
  /** Call on every change of the facts and about once a second. */
  world(facts: Facts, nowMs: number): World;
  /** About once a second, with what the serving threads counted since the last time. */
  tick(arrivals: Arrivals, nowMs: number): void;
  /** The same in portions, one for each step; nothing else may be called before the last. */
  tickInSteps(arrivals: Iterable<Arrivals>, nowMs: number): Steps<void>;
}

export interface PricingOptions {
  /** How long an edge that comes back takes to be full again, milliseconds; 0: at once. */
  readonly rampUpMs: number;
  /** Left out: prices are found here and at once. */
  readonly solver?: Solver;
  /** An edge has come or gone, and the prices have followed. */
  readonly onSudden?: () => void;
}

/** Prices are solved anew this often, unless an edge came or went. */
const SOLVE_EVERY_MS = 2000;
/**
 * The serving threads tell of their decisions about once a second; what they have not told of by then they never
 * will.
 */
const TOLD_WITHIN_MS = 3000;
const NOBODY: Returned = new Map();

export function createPricing(options: PricingOptions): Pricing {
  const { rampUpMs: usualRampUpMs, solver = solveHere(), onSudden = () => {} } = options;
  const settings = createSettings();
  const setting = () => settings.now();
  const [stays, lags, ramps, returns] = [createStays(), createLags(), createRamps(), createReturns()];
  const [reports, turns, crowding] = [createReports(), createTurns(), createCrowding()];
  const demand = createDemand((pool) => setting().pools[pool]?.isPriced !== false);
  const ttlMsOf = (pool: number): number => (setting().pools[pool]?.ttlSeconds ?? 0) * 1000;
  const keptShare: Brought["keptShare"] = (pool, { dns, shortSeconds = 0 }) =>
    shortSeconds > 0 ? 1 - (shortSeconds * 1000) / (dns * ttlMsOf(pool)) : 1;
  const perAnswer: PerAnswer = (...of) => stays.viewersPerAnswer * answers.factor(...of);
  const rushes = createRushes(createAskers(ttlMsOf, keptShare, perAnswer), ttlMsOf, stays);
  const answers = createAnswers(ttlMsOf, rushes, stays);
  const brought: Brought = { viewers: (...of) => answers.viewers(...of), keptShare };
  const estimates = createEstimates(setting, reports, { answers, demand, lags, stays });
  const losses = createLosses(setting, { answers, demand, returns });
  const room = createRoom(setting, reports, estimates);
  const prices = createPrices(solver, onSudden);
  const worldOf = createWorldMaker(setting, {
    answers,
    crowding,
    estimates,
    prices,
    ramps,
    reports,
    returns,
    rushes,
  });
  let facts: Facts | undefined;
  let solvedAtMs = Number.NEGATIVE_INFINITY;
  let tickedAtMs: number | undefined;
  let stir = true;

  const takeReport = (next: Facts, edge: number): void => {
    const news = reports.receive(next, edge);
    if (news.kind === "silent" || news.kind === "first") stir = true;
    if (news.kind === "next") estimates.learn(edge, news.before, news.now);
  };

  const takeFacts = (next: Facts, nowMs: number): void => {
    const { edges, slots } = setting();
    for (let edge = 0; edge < edges.length; edge++) {
      const slot = slots[edge] as number;
      const { isUp, isLost, isBack, isSudden } = turns.of(next, edge);
      if (isLost) {
        losses.lose(slot, reports.last(edge)?.viewers ?? Number.NaN, nowMs);
        reports.forget(edge);
      }
      const { rampUpMs = usualRampUpMs } = edges[edge] as Edge;
      if (isBack) ramps.start(slot, next.loadRatio[edge] as number, nowMs, rampUpMs);
      if (isSudden) stir = true;
      if (isUp) takeReport(next, edge);
    }
    facts = next;
  };

  function* takeArrivals(arrivals: Iterable<Arrivals>, seconds: number, nowMs: number): Steps<void> {
    let portions = arrivals;
    let returned: Returned = NOBODY;
    if (losses.areReturnsAwaited()) {
      const all = [...arrivals];
      returned = losses.takeReturns(joinArrivals(all), nowMs);
      portions = all;
      yield;
    }
    demand.pass(seconds, stays.departureRate);
    for (const some of portions) {
      rushes.add(some, returned, nowMs);
      answers.add(some, returned, nowMs);
      demand.add(some, returned, brought);
      yield;
    }
    rushes.pass(nowMs);
  }

  const isSudden = (nowMs: number): boolean => stir || losses.areReturning(nowMs);

  const solveNow = (nowMs: number): void => {
    if (facts === undefined) return;
    const { slots } = setting();
    const { departureRate } = stays;
    const outlook = {
      regions: (seconds: number, growth: Growth) =>
        demand.forecast(seconds, departureRate, growth, (square) => returns.waitingAt(square)),
      edges: room.outlooks(facts, nowMs),
      unpriced: (edge: number, seconds: number) =>
        demand.unpricedAt(slots[edge] as number, seconds, departureRate),
      departureRate,
    };
    prices.solve(outlook, isSudden(nowMs), nowMs);
    solvedAtMs = nowMs;
    stir = false;
  };

  function* tickInSteps(arrivals: Iterable<Arrivals>, nowMs: number): Steps<void> {
    const { prediction, slots } = setting();
    prediction.sample(nowMs);
    const seconds = tickedAtMs === undefined ? 1 : (nowMs - tickedAtMs) / 1000;
    tickedAtMs = nowMs;
    if (seconds > 0) yield* takeArrivals(arrivals, seconds, nowMs);
    for (const slot of slots) {
      const told = prediction.answeredBy(slot, nowMs - TOLD_WITHIN_MS);
      answers.settleTold(slot, told, prediction.made(slot).answers);
    }
    yield;
    if (isSudden(nowMs) || nowMs - solvedAtMs >= SOLVE_EVERY_MS) solveNow(nowMs);
  }

  return {
    take(edges, services) {
      const { from, freed, poolOf } = settings.take(edges, services);
      for (const known of [reports, turns]) known.take(from);
      if (poolOf !== undefined)
        for (const known of [demand, rushes, answers, returns]) known.renumber(poolOf);
      prices.take(edges, setting().pools, from);
      for (const slot of freed)
        for (const kept of [demand, answers, lags, ramps, crowding]) kept.forget(slot);
      facts = undefined;
      stir = true;
    },
    memory: () => memoryOf(setting(), { answers, demand, prices, stays }),
    remember: (learned) => rememberIn(learned, setting(), { answers, demand, prices, stays }),
    begin: () => ramps.clear(),
    tick: (arrivals, nowMs) => finished(tickInSteps([arrivals], nowMs)),
    tickInSteps,
    world(next, nowMs) {
      setting().prediction.sample(nowMs);
      takeFacts(next, nowMs);
      if (stir) solveNow(nowMs);
      return worldOf(next, nowMs);
    },
  };
}
