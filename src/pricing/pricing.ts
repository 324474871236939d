import type { Edge } from "../model/edge.ts";
import { type Facts, STATE_ACTIVE, type World } from "../model/world.ts";
import { createDemand } from "./demand.ts";
import type { Service } from "../model/service.ts";
import type { Arrivals } from "./ledger.ts";
import { poolsOf } from "./pools.ts";
import { createPrediction } from "./prediction.ts";
import { createRamps } from "./ramps.ts";
import { createSlots } from "./slots.ts";
import { solve } from "./solve.ts";
import { createStays } from "./stays.ts";
import { createTransports, type Pool } from "./transport.ts";

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
  /** The first round of probes is complete: who is up now did not come back. */
  begin(): void;
  /** Call on every change of the facts and about once a second. */
  world(facts: Facts, nowMs: number): World;
  /** About once a second, with what the serving threads counted since the last time. */
  tick(arrivals: Arrivals, nowMs: number): void;
}

export interface PricingOptions {
  /** How long a DNS answer is cached, milliseconds. */
  readonly ttlMs: number;
  /** How long an edge that comes back takes to be full again, milliseconds; 0: at once. */
  readonly rampUpMs: number;
}

/** How far ahead the prices look. */
const HORIZON_SECONDS = 600;
/** Prices are solved anew this often, unless an edge came or went. */
const SOLVE_EVERY_MS = 2000;
/** Share of a new solution that is taken, so that a region does not move to and fro. */
const SMOOTHING = 0.3;
/** Changes smaller than this are not worth moving anybody for. */
const STEADY_KM = 5;
/** Share of an edge that the prices leave free for what they do not know. */
const MARGIN = 0.004;

export function createPricing({ ttlMs, rampUpMs }: PricingOptions): Pricing {
  const table = createSlots();
  let { counts } = table;
  let prediction = createPrediction(counts);
  const demand = createDemand();
  const stays = createStays();
  const ramps = createRamps(rampUpMs);
  const transports = createTransports();
  let slots: Uint16Array = new Uint16Array(0);
  let edges: readonly Edge[] = [];
  let pools: readonly Pool[] = [];
  let solution = new Float64Array(0);
  let prices = new Float64Array(0);
  let known: (Known | undefined)[] = [];
  let facts: Facts | undefined;
  let solvedAtMs = Number.NEGATIVE_INFINITY;
  let tickedAtMs: number | undefined;
  let stir = true;

  const viewersPerAnswer = (edge: number): number =>
    stays.viewersPerAnswer * prediction.rush(slots[edge] as number);

  /** Viewers there now: as reported, less who has left, and those sent since. */
  const viewersNow = (edge: number, nowMs: number): number => {
    const report = known[edge];
    if (report === undefined) return Number.NaN;
    const slot = slots[edge] as number;
    const arrived = prediction.arrivedBy(slot, report.atMs, ttlMs);
    const made = prediction.made(slot);
    const left = Math.exp((-stays.departureRate * (nowMs - report.atMs)) / 1000);
    return (
      report.viewers * left +
      made.http -
      arrived.http +
      (made.answers - arrived.answers) * viewersPerAnswer(edge)
    );
  };

  const learn = (edge: number, before: Known, now: Known): void => {
    const slot = slots[edge] as number;
    const from = prediction.arrivedBy(slot, before.atMs, ttlMs);
    const until = prediction.arrivedBy(slot, now.atMs, ttlMs);
    stays.observe({
      change: now.viewers - before.viewers,
      http: until.http - from.http,
      answers: until.answers - from.answers,
      viewerSeconds: (((before.viewers + now.viewers) / 2) * (now.atMs - before.atMs)) / 1000,
    });
  };

  const takeFacts = (next: Facts, nowMs: number): void => {
    for (let edge = 0; edge < edges.length; edge++) {
      const up = next.up[edge] !== 0;
      const wasUp = facts === undefined ? up : facts.up[edge] !== 0;
      const viewers = viewersIn(next, edge);
      const atMs = next.measuredAtMs[edge] as number;
      const before = known[edge];
      if (wasUp && !up) {
        demand.lose(slots[edge] as number, viewersNow(edge, nowMs));
        known[edge] = undefined;
        stir = true;
      }
      if (!wasUp && up) {
        ramps.start(slots[edge] as number, next.loadRatio[edge] as number, nowMs);
        stir = true;
      }
      if (Number.isNaN(viewers) || !up) {
        if (before?.stale === false && up) {
          known[edge] = { ...before, stale: true };
          stir = true;
        }
        continue;
      }
      if (before !== undefined && atMs <= before.atMs) continue;
      const now = { viewers, atMs, stale: false };
      if (before === undefined || before.stale) stir = true;
      if (before !== undefined && !before.stale && wasUp) learn(edge, before, now);
      known[edge] = now;
    }
    facts = next;
  };

  const solveNow = (nowMs: number): void => {
    if (facts === undefined) return;
    const { up, state, perViewer } = facts;
    const room = Float64Array.from(edges, (_, edge) => {
      if (up[edge] === 0 || state[edge] !== STATE_ACTIVE) return 0;
      const each = perViewer[edge] as number;
      // Who has never reported may be empty whatever we decided: unknown is not full.
      if (each === 0 || known[edge] === undefined) return Number.POSITIVE_INFINITY;
      const left = Math.exp(-stays.departureRate * HORIZON_SECONDS);
      return Math.max(0, (1 - MARGIN) / each - viewersOrSent(edge, nowMs) * left);
    });
    const regions = demand.forecast(HORIZON_SECONDS, stays.departureRate);
    const { priceKm } = solve(transports.of(regions, room, edges, pools));
    const keep = stir ? 0 : 1 - SMOOTHING;
    solution = solution.map((price, edge) => {
      const next = price * keep + (priceKm[edge] as number) * (1 - keep);
      return next < 1 ? 0 : next;
    });
    prices = prices.map((price, edge) => {
      const next = solution[edge] as number;
      return Math.abs(next - price) < STEADY_KM && next > STEADY_KM ? price : next;
    });
    solvedAtMs = nowMs;
    stir = false;
  };

  const viewersOrSent = (edge: number, nowMs: number): number => {
    const viewers = known[edge]?.stale === false ? viewersNow(edge, nowMs) : Number.NaN;
    return Number.isNaN(viewers) ? demand.presentAt(slots[edge] as number) : viewers;
  };

  return {
    take(nextEdges, services) {
      const index = new Map(edges.map((edge) => [edge.id, edge.index]));
      const old = { solution, prices, known };
      const from = nextEdges.map(({ id }) => index.get(id) ?? -1);
      solution = Float64Array.from(from, (i) => old.solution[i] ?? 0);
      prices = Float64Array.from(from, (i) => old.prices[i] ?? 0);
      known = from.map((i) => old.known[i]);
      [edges, pools] = [nextEdges, poolsOf(services).pools];
      slots = table.assign(edges.map(({ id }) => id));
      if (table.counts !== counts) prediction = createPrediction(table.counts);
      counts = table.counts;
      transports.forget();
      facts = undefined;
      stir = true;
    },
    begin: () => ramps.clear(),
    tick(arrivals, nowMs) {
      prediction.sample(nowMs);
      const seconds = tickedAtMs === undefined ? 1 : (nowMs - tickedAtMs) / 1000;
      tickedAtMs = nowMs;
      if (seconds > 0) demand.add(arrivals, seconds, stays.viewersPerAnswer, stays.departureRate);
      if (stir || nowMs - solvedAtMs >= SOLVE_EVERY_MS) solveNow(nowMs);
    },
    world(next, nowMs) {
      prediction.sample(nowMs);
      takeFacts(next, nowMs);
      if (stir) solveNow(nowMs);
      const limit = Float64Array.from(edges, (_, edge) => ramps.limit(slots[edge] as number, nowMs));
      return {
        generation: next.generation,
        up: next.up,
        state: next.state,
        unsteady: next.inDoubt.map((doubt, edge) => (doubt === 1 || (limit[edge] as number) < 1 ? 1 : 0)),
        loadRatio: Float64Array.from(edges, (_, edge) => {
          const reported = next.loadRatio[edge] as number;
          const each = next.perViewer[edge] as number;
          const report = known[edge];
          // It used to report and has fallen silent: as many as we have sent there and who have not left.
          if (report?.stale === true) return demand.presentAt(slots[edge] as number) * each;
          if (report === undefined) return reported;
          return reported + (viewersNow(edge, nowMs) - report.viewers) * each;
        }),
        staleStreams: NO_STREAMS,
        priceKm: prices,
        perViewer: Float64Array.from(next.perViewer, (each, edge) => (known[edge] === undefined ? 0 : each)),
        limit,
        sent: {
          counts,
          before: counts.slice(),
          slot: slots,
          viewersPerAnswer: Float32Array.from(edges, (_, edge) => viewersPerAnswer(edge)),
        },
      };
    },
  };
}

const NO_STREAMS: World["staleStreams"] = new Map();

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
