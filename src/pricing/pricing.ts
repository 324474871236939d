import { finished, type Steps } from "../base/steps.ts";
import type { Edge } from "../model/edge.ts";
import { type Facts, STATE_ACTIVE, type World } from "../model/world.ts";
import { answersOf } from "./answered.ts";
import { joinArrivals } from "./arrivals.ts";
import { createAnswers } from "./answers.ts";
import { createDemand, type ViewersPerAnswer } from "./demand.ts";
import type { Service } from "../model/service.ts";
import type { Learned } from "./learned.ts";
import type { Arrivals } from "./ledger.ts";
import { poolName, poolsOf, successorsOf } from "./pools.ts";
import { isIncredible } from "./incredible.ts";
import { createLags } from "./lags.ts";
import { isFull, marginsOf } from "./margins.ts";
import { createPrices, type EdgeOutlook } from "./prices.ts";
import { createPrediction } from "./prediction.ts";
import { createRamps } from "./ramps.ts";
import { type Bound, createReturns, type Returned } from "./returns.ts";
import { createRushes } from "./rushes.ts";
import { createSlots } from "./slots.ts";
import { solveHere, type Solver } from "./solver.ts";
import { createStays } from "./stays.ts";
import type { Pool } from "./transport.ts";

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
/** The serving threads tell of their decisions about once a second; what they have not told of by then they never will. */
const TOLD_WITHIN_MS = 3000;
/** So many viewers more or less than are known of may be there, */
const RESERVE_VIEWERS = 2;
/** or one more, which an edge notices that is smaller than this. */
const SMALL_EDGE_VIEWERS = 500;
/** At most this share of an edge is kept free for what one more answer may bring. */
const RESERVE_MAX = 0.05;

const NOBODY: Returned = new Map();

export function createPricing(options: PricingOptions): Pricing {
  const { rampUpMs: usualRampUpMs, solver = solveHere(), onSudden = () => {} } = options;
  const table = createSlots();
  let { counts } = table;
  let prediction = createPrediction(counts);
  const demand = createDemand((pool) => pools[pool]?.isPriced !== false);
  const rushes = createRushes();
  const answers = createAnswers((pool) => (pools[pool]?.ttlSeconds ?? 0) * 1000, rushes);
  const returns = createReturns();
  const stays = createStays();
  const lags = createLags();
  const ramps = createRamps();
  const prices = createPrices(solver, onSudden);
  let slots: Uint16Array = new Uint16Array(0);
  let edges: readonly Edge[] = [];
  /** By `Edge.index`: share of the capacity that every service leaves free there. */
  let margins: Float64Array = new Float64Array(0);
  let pools: readonly Pool[] = [];
  /** By the service's id. */
  let poolOfService: ReadonlyMap<string, number> = new Map();
  let known: (Known | undefined)[] = [];
  /** Whether it ever said how many viewers it has: one that is back says so soon, and is known to be empty till then. */
  let hasReported: (boolean | undefined)[] = [];
  /** Whether it was up in the last facts, of whatever configuration; undefined for one that was in none. */
  let wereUp: (boolean | undefined)[] = [];
  /** Whether it took viewers in them. */
  let inService: (boolean | undefined)[] = [];
  /** What the last report said, where nobody believes it yet. */
  let doubted: (number | undefined)[] = [];
  let doubtedAtMs: number[] = [];
  let facts: Facts | undefined;
  let solvedAtMs = Number.NEGATIVE_INFINITY;
  let tickedAtMs: number | undefined;
  let stir = true;
  /** Since the last tick. */
  let hasLost = false;

  /** Viewers there now and under way: as reported, less who has left, and those sent since. */
  const viewersNow = (edge: number, nowMs: number): number => {
    const report = known[edge];
    if (report === undefined) return Number.NaN;
    const slot = slots[edge] as number;
    const made = prediction.made(slot);
    const shownMs = report.atMs - lags.of(slot);
    const ageMs = Math.min(REPORT_AGE_MAX_MS, Math.max(0, nowMs - shownMs));
    const left = Math.exp((-stays.departureRate * ageMs) / 1000);
    // What the serving threads have not told of yet is taken for what came before it.
    const untold = Math.max(0, made.answers - answers.told(slot)) * answers.sizes(slot, nowMs).mean;
    const underWay =
      answers.between(slot, shownMs, nowMs) + answers.between(slot, nowMs, Number.POSITIVE_INFINITY);
    return (
      report.viewers * left +
      made.http -
      prediction.redirectedBy(slot, shownMs) +
      answers.backAfter(slot, shownMs) +
      (underWay + untold) * stays.viewersPerAnswer
    );
  };

  /** Viewers who came between two moments of measuring; less than 0 where the first is later. */
  const cameBetween = (slot: number, fromMs: number, toMs: number): number => {
    if (fromMs > toMs) return -cameBetween(slot, toMs, fromMs);
    const lagMs = lags.of(slot);
    const [beginMs, endMs] = [fromMs - lagMs, toMs - lagMs];
    const redirected = prediction.redirectedBy(slot, endMs) - prediction.redirectedBy(slot, beginMs);
    return redirected + answers.between(slot, beginMs, endMs) * stays.viewersPerAnswer;
  };

  const learn = (edge: number, before: Known, now: Known): void => {
    const slot = slots[edge] as number;
    const change = now.viewers - before.viewers;
    const lagMs = lags.of(slot);
    const [fromMs, toMs] = [before.atMs - lagMs, now.atMs - lagMs];
    const redirected = (lagMs: number): number =>
      prediction.redirectedBy(slot, now.atMs - lagMs) - prediction.redirectedBy(slot, before.atMs - lagMs);
    const http = redirected(lagMs);
    const came = answers.between(slot, fromMs, toMs);
    const viewerSeconds = (((before.viewers + now.viewers) / 2) * (now.atMs - before.atMs)) / 1000;
    const { viewersPerAnswer, departureRate } = stays;
    stays.observe({ change, http, answers: came, viewerSeconds });
    const left = viewerSeconds * departureRate;
    const missing = change - http - came * viewersPerAnswer + left;
    const variance = 1 + http + came * viewersPerAnswer + left;
    answers.learn(slot, fromMs, toMs, missing / viewersPerAnswer, variance / viewersPerAnswer ** 2);
    lags.observe(slot, change, redirected, came * viewersPerAnswer - left, variance);
  };

  /** Its last report says best who is lost: who asks again for an edge that fails is no other viewer. */
  const lose = (slot: number, report: Known | undefined, nowMs: number): void => {
    const held = answers.heldUntilMs(slot, nowMs);
    const lost = demand.lose(slot, report?.viewers ?? Number.NaN);
    returns.lose(
      lost.map((place) => ({ ...place, heldUntilMs: held.get(place.askers) ?? [] })),
      nowMs,
    );
    const others = [...slots].filter((other) => other !== slot);
    bind(returns.bind(new Map(others.map((other) => [other, answers.held(other, nowMs)]))), nowMs);
    hasLost = true;
  };

  /** They are load as if they had been sent now, and come within seconds. */
  const bind = (bound: readonly Bound[], nowMs: number): void => {
    const bySlot = new Map<number, number>();
    for (const one of bound) {
      demand.bind(one);
      bySlot.set(one.edge, (bySlot.get(one.edge) ?? 0) + one.viewers);
    }
    for (const [slot, viewers] of bySlot) {
      Atomics.add(counts, slot, Math.round(viewers));
      answers.bind(slot, viewers, nowMs);
    }
    prediction.sample(nowMs);
  };

  const takeFacts = (next: Facts, nowMs: number): void => {
    for (let edge = 0; edge < edges.length; edge++) {
      const up = next.up[edge] !== 0;
      const wasUp = wereUp[edge] ?? up;
      wereUp[edge] = up;
      const viewers = viewersIn(next, edge);
      const atMs = next.viewersAtMs[edge] as number;
      const before = known[edge];
      if (wasUp && !up) {
        lose(slots[edge] as number, before, nowMs);
        known[edge] = undefined;
        stir = true;
      }
      if (!wasUp && up) stir = true;
      const isIn = up && next.state[edge] === STATE_ACTIVE;
      if (isIn && inService[edge] === false) {
        const { rampUpMs = usualRampUpMs } = edges[edge] as Edge;
        ramps.start(slots[edge] as number, next.loadRatio[edge] as number, nowMs, rampUpMs);
        stir = true;
      }
      if (!isIn && inService[edge] === true) stir = true;
      inService[edge] = isIn;
      if (Number.isNaN(viewers) || Number.isNaN(atMs) || !up) {
        if (before?.stale === false && up) {
          known[edge] = { ...before, stale: true };
          stir = true;
        }
        continue;
      }
      if (before !== undefined && atMs <= before.atMs) continue;
      if (atMs === doubtedAtMs[edge]) continue;
      const now = { viewers, atMs, stale: false };
      if (before?.stale === false && isIncredible(before.viewers, viewers, doubted[edge])) {
        doubted[edge] = viewers;
        doubtedAtMs[edge] = atMs;
        continue;
      }
      doubted[edge] = undefined;
      if (before === undefined || before.stale) stir = true;
      if (before !== undefined && !before.stale && wasUp) learn(edge, before, now);
      known[edge] = now;
      hasReported[edge] = true;
    }
    facts = next;
  };

  function* takeArrivals(arrivals: Iterable<Arrivals>, seconds: number, nowMs: number): Steps<void> {
    let portions = arrivals;
    let returned: Returned = NOBODY;
    if (hasLost || returns.areAwaited()) {
      const all = [...arrivals];
      returned = takeReturns(joinArrivals(all), nowMs);
      portions = all;
      yield;
    }
    const perAnswer: ViewersPerAnswer = (pool, latitude, longitude, nameSubnets) =>
      stays.viewersPerAnswer * answers.factor(pool, latitude, longitude, nameSubnets);
    demand.pass(seconds, stays.departureRate);
    for (const some of portions) {
      rushes.add(some, returned);
      answers.add(some, returned, nowMs);
      demand.add(some, returned, perAnswer);
      yield;
    }
    rushes.pass(nowMs);
  }

  const takeReturns = (arrivals: Arrivals, nowMs: number): Returned => {
    // Most of these answers were given before the loss was known.
    if (hasLost) bind(returns.bind(answersOf(arrivals)), nowMs);
    hasLost = false;
    return returns.take(arrivals, nowMs);
  };

  /** Share of an edge that is kept free in a rush, when one answer more may be many viewers too many. */
  const reserveOf = (edge: number, each: number, nowMs: number): number => {
    const { greatest, rush } = answers.sizes(slots[edge] as number, nowMs);
    const reserve = greatest * stays.viewersPerAnswer * each * (1 - 1 / rush);
    const unknown = each * SMALL_EDGE_VIEWERS > 1 ? RESERVE_VIEWERS + 1 : RESERVE_VIEWERS;
    return Math.min(RESERVE_MAX, Math.max(reserve, unknown * each));
  };

  const outlookOf = ({ up, state, perViewer, loadRatio }: Facts, nowMs: number): EdgeOutlook[] =>
    edges.map((_, edge) => {
      const margin = margins[edge] as number;
      if (up[edge] === 0 || state[edge] !== STATE_ACTIVE) return { capacity: 0, margin, viewers: 0 };
      const each = perViewer[edge] as number;
      // Who has never reported may be empty whatever we decided: unknown is not full. But who is full takes nobody, whatever fills it.
      if (each === 0 || hasReported[edge] !== true)
        return {
          capacity: isFull(loadRatio[edge] as number, margin) ? 0 : Number.POSITIVE_INFINITY,
          margin,
          viewers: 0,
        };
      return { capacity: 1 / each, margin, viewers: viewersOrSent(edge, nowMs) };
    });

  const waitingAt = (square: number): number => returns.waitingAt(square);

  const solveNow = (nowMs: number): void => {
    if (facts === undefined) return;
    const { departureRate } = stays;
    const regions = (seconds: number) => demand.forecast(seconds, departureRate, waitingAt);
    const unpriced = (edge: number, seconds: number) =>
      demand.unpricedAt(slots[edge] as number, seconds, departureRate);
    prices.solve({ regions, edges: outlookOf(facts, nowMs), unpriced, departureRate }, stir, nowMs);
    solvedAtMs = nowMs;
    stir = false;
  };

  const viewersOrSent = (edge: number, nowMs: number): number => {
    const viewers = known[edge]?.stale === false ? viewersNow(edge, nowMs) : Number.NaN;
    return Number.isNaN(viewers) ? demand.presentAt(slots[edge] as number) : viewers;
  };

  function* tickInSteps(arrivals: Iterable<Arrivals>, nowMs: number): Steps<void> {
    prediction.sample(nowMs);
    const seconds = tickedAtMs === undefined ? 1 : (nowMs - tickedAtMs) / 1000;
    tickedAtMs = nowMs;
    if (seconds > 0) yield* takeArrivals(arrivals, seconds, nowMs);
    for (const slot of slots)
      answers.settleTold(
        slot,
        prediction.answeredBy(slot, nowMs - TOLD_WITHIN_MS),
        prediction.made(slot).answers,
      );
    yield;
    if (stir || nowMs - solvedAtMs >= SOLVE_EVERY_MS) solveNow(nowMs);
  }

  /** Who came for a service stays with it, whichever number its pool has. */
  const takePools = (services: readonly Service[]): void => {
    const next = poolsOf(services);
    const byService = new Map(services.map(({ id }, i) => [id, next.ofService[i] as number]));
    const successors = successorsOf(poolOfService, byService);
    const areSame = pools.every((_, pool) => successors.get(pool) === pool);
    if (!areSame)
      for (const known of [demand, rushes, answers, returns]) known.renumber((pool) => successors.get(pool));
    pools = next.pools;
    poolOfService = byService;
  };

  return {
    take(nextEdges, services) {
      const index = new Map(edges.map((edge) => [edge.id, edge.index]));
      const from = nextEdges.map(({ id }) => index.get(id) ?? -1);
      [known, inService] = [from.map((i) => known[i]), from.map((i) => inService[i])];
      [wereUp, hasReported] = [from.map((i) => wereUp[i]), from.map((i) => hasReported[i])];
      [doubted, doubtedAtMs] = [[], []];
      edges = nextEdges;
      takePools(services);
      margins = marginsOf(edges.length, services);
      prices.take(edges, pools, from);
      slots = table.assign(
        edges.map(({ id }) => id),
        (slot) => {
          for (const kept of [demand, answers, lags, ramps]) kept.forget(slot);
        },
      );
      if (table.counts !== counts) prediction = createPrediction(table.counts);
      counts = table.counts;
      facts = undefined;
      stir = true;
    },
    memory() {
      const ids = edges.map(({ id }) => id);
      const bySlot = new Map(ids.map((id, edge) => [slots[edge] as number, id]));
      const priced = edges.filter(({ index }) => (prices.km[index] as number) > 0);
      return {
        stays: stays.memory(),
        pricesKm: Object.fromEntries(priced.map(({ id, index }) => [id, prices.km[index] as number])),
        pools: Object.fromEntries(
          pools.map((pool, i) => [
            poolName(pool, ids),
            { askers: answers.memory(i), cells: demand.memory(i, (slot) => bySlot.get(slot)) },
          ]),
        ),
      };
    },
    remember(learned) {
      const ids = edges.map(({ id }) => id);
      const slotOf = new Map(ids.map((id, edge) => [id, slots[edge] as number]));
      stays.remember(learned.stays);
      prices.remember(Float64Array.from(ids, (id) => learned.pricesKm[id] ?? 0));
      for (const [i, pool] of pools.entries()) {
        const { askers = [], cells = [] } = learned.pools[poolName(pool, ids)] ?? {};
        answers.remember(i, askers);
        demand.remember(i, cells, (id) => slotOf.get(id));
      }
    },
    begin: () => ramps.clear(),
    tick: (arrivals, nowMs) => finished(tickInSteps([arrivals], nowMs)),
    tickInSteps,
    world(next, nowMs) {
      prediction.sample(nowMs);
      takeFacts(next, nowMs);
      if (stir) solveNow(nowMs);
      const ramp = Float64Array.from(slots, (slot) => ramps.limit(slot, nowMs));
      return {
        generation: next.generation,
        up: next.up,
        state: next.state,
        unsteady: next.inDoubt.map((doubt, edge) => (doubt === 1 || (ramp[edge] as number) < 1 ? 1 : 0)),
        loadRatio: Float64Array.from(edges, (_, edge) => {
          const reported = next.loadRatio[edge] as number;
          const each = next.perViewer[edge] as number;
          const report = known[edge];
          // It used to report and has fallen silent: as many as we have sent there and who have not left.
          if (hasReported[edge] !== true || (report === undefined && !Number.isNaN(reported)))
            return reported;
          if (report === undefined || report.stale) return demand.presentAt(slots[edge] as number) * each;
          if (doubted[edge] !== undefined) return viewersNow(edge, nowMs) * each;
          const loadAtMs = next.loadAtMs[edge] as number;
          const unlikeLoad =
            loadAtMs === report.atMs ? 0 : cameBetween(slots[edge] as number, loadAtMs, report.atMs);
          return reported + (viewersNow(edge, nowMs) - report.viewers + unlikeLoad) * each;
        }),
        staleStreams: NO_STREAMS,
        returning: returns.next(nowMs),
        priceKm: prices.km,
        perViewer: Float64Array.from(next.perViewer, (each, edge) => (hasReported[edge] === true ? each : 0)),
        limit: Float64Array.from(
          next.perViewer,
          (each, edge) => (ramp[edge] as number) * (1 - reserveOf(edge, each, nowMs)),
        ),
        sent: {
          counts,
          before: counts.slice(),
          slot: slots,
          viewersPerAnswer: Float32Array.from(
            slots,
            (slot) => answers.sizes(slot, nowMs).mean * stays.viewersPerAnswer,
          ),
        },
      };
    },
  };
}

const NO_STREAMS: World["staleStreams"] = new Map();

/** A report that claims to be older, or to be from the future, has a clock that is wrong. */
const REPORT_AGE_MAX_MS = 300_000;

/** As reported, or by what they take; NaN where neither is known. */
function viewersIn({ viewers, loadRatio, perViewer }: Facts, edge: number): number {
  const reported = viewers[edge] as number;
  const each = perViewer[edge] as number;
  return Number.isNaN(reported) && each > 0 ? (loadRatio[edge] as number) / each : reported;
}

/** The last report of an edge's viewers. */
interface Known {
  readonly viewers: number;
  readonly atMs: number;
  /** It is too old to be believed; kept to know that this edge does report. */
  readonly stale: boolean;
}
