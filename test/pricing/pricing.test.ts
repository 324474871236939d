import { describe, expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import type { Location } from "../../src/model/location.ts";
import type { Service } from "../../src/model/service.ts";
import {
  type Facts,
  STATE_DRAIN,
  STATE_OFF,
  UNSTEADY_DOUBT,
  UNSTEADY_RUSH,
  type World,
} from "../../src/model/world.ts";
import { Ledger, newSentCounts } from "../../src/pricing/ledger.ts";
import { poolsOf } from "../../src/pricing/pools.ts";
import { createPrediction } from "../../src/pricing/prediction.ts";
import { createPricing } from "../../src/pricing/pricing.ts";
import { createRamps } from "../../src/pricing/ramps.ts";
import { createRecent } from "../../src/pricing/recent.ts";
import { createSlots } from "../../src/pricing/slots.ts";
import { type Solver, solveHere } from "../../src/pricing/solver.ts";
import { createStays } from "../../src/pricing/stays.ts";
import { liveRatio, usedShare } from "../../src/selection/live.ts";
import { sharesFrom } from "../random.ts";
import { clientOf, edgeAt, serviceOf } from "../selection/fixture.ts";
import { factsOfReports } from "./facts.ts";

const capped = (edge: Edge): Edge => ({ ...edge, capacity: { viewers: 100 } });
const AMS = capped(edgeAt("ams1", 0, 52.37, 4.9));
const FRA = capped(edgeAt("fra1", 1, 50.11, 8.68));
const EDGES = [AMS, FRA];
const UTRECHT: Location = { layer: "city", latitude: 52.09, longitude: 5.12 };

/** What the board says: viewers by edge, NaN for an edge that says nothing. */
function factsOf(viewers: number[], measuredAtMs: number, up = [1, 1]): Facts {
  return {
    generation: 1,
    up: Uint8Array.from(up),
    state: new Uint8Array(2),
    inDoubt: new Uint8Array(2),
    loadRatio: Float64Array.from(viewers, (n) => n / 100),
    viewers: Float64Array.from(viewers),
    perViewer: Float64Array.of(0.01, 0.01),
    viewersAtMs: Float64Array.from(viewers, (n) => (Number.isNaN(n) ? Number.NaN : measuredAtMs)),
    loadAtMs: Float64Array.from(viewers, (n) => (Number.isNaN(n) ? Number.NaN : measuredAtMs)),
  };
}

const USUAL_TTL_SECONDS = 30;

function servedBy(edges: readonly Edge[], ttlSeconds = USUAL_TTL_SECONDS): Service {
  const service = serviceOf(edges);
  return { ...service, dns: { ...service.dns, ttlSeconds } };
}

function setUp(ttlSeconds = USUAL_TTL_SECONDS) {
  const pricing = createPricing({ rampUpMs: 60_000 });
  pricing.take(EDGES, [servedBy(EDGES, ttlSeconds)]);
  let world: World = pricing.world(factsOf([Number.NaN, Number.NaN], 0), 0);
  const ledger = new Ledger(world.sent.counts, 1);
  return {
    pricing,
    ledger,
    world: () => world,
    facts(facts: Facts, nowMs: number): World {
      world = pricing.world(facts, nowMs);
      return world;
    },
    second(facts: Facts, nowMs: number): World {
      pricing.tick(ledger.takeArrivals(), nowMs);
      world = pricing.world(facts, nowMs);
      return world;
    },
    send(viewers: number, edge = AMS): void {
      for (let i = 0; i < viewers; i++) ledger.count("http", 0, edge.index, UTRECHT);
    },
  };
}

describe("pricing", () => {
  it.each([5, 30, 300])(
    "expects whoever asks at once, however long the answer is kept, %d s",
    (ttlSeconds) => {
      const [ANSWERS, REPORT_SECONDS] = [40, 10];
      const set = setUp(ttlSeconds);
      set.facts(factsOf([10, 10], 0), 0);
      for (let i = 0; i < ANSWERS; i++) set.ledger.count("dns", 0, AMS.index, UTRECHT);
      for (let second = 1; second <= REPORT_SECONDS; second++)
        set.second(factsOf([10, 10], 0), second * 1000);
      const expected = set.world().loadRatio[AMS.index];
      const world = set.facts(factsOf([10 + ANSWERS, 10], REPORT_SECONDS * 1000), REPORT_SECONDS * 1000);
      for (const load of [expected, world.loadRatio[AMS.index]]) {
        expect(load).toBeGreaterThan(0.45);
        expect(load).toBeLessThan(0.55);
      }
    },
  );

  it("counts who was sent at once, and until a report that must include him has come", () => {
    const set = setUp();
    set.facts(factsOf([50, 50], 1000), 1000);
    set.send(20);
    expect(liveRatio(set.world(), AMS.index)).toBeCloseTo(0.7, 2);
    expect(set.second(factsOf([50, 50], 1000), 2000).loadRatio[0]).toBeCloseTo(0.7, 2);
    // Measured before they came: they are not in it.
    set.send(10);
    expect(set.second(factsOf([70, 50], 2000), 3000).loadRatio[0]).toBeCloseTo(0.8, 2);
    expect(set.second(factsOf([80, 50], 3500), 4000).loadRatio[0]).toBeCloseTo(0.8, 2);
  });

  it("counts who was sent until what binds includes him, though another source counts viewers", () => {
    const bandwidth = (facts: Facts, ratio: number, atMs: number): Facts => ({
      ...facts,
      loadRatio: Float64Array.of(ratio, 0.5),
      loadAtMs: Float64Array.of(atMs, 1000),
    });
    const set = setUp();
    set.second(bandwidth(factsOf([50, 50], 1000), 0.5, 1000), 1000);
    set.send(20);
    set.second(bandwidth(factsOf([50, 50], 1000), 0.5, 1000), 2000);
    // Counted anew, but the bandwidth is still that of before.
    const counted = set.second(bandwidth(factsOf([70, 50], 3000), 0.5, 1000), 3000);
    expect(counted.loadRatio[0]).toBeCloseTo(0.7, 2);
    expect(set.second(bandwidth(factsOf([70, 50], 3000), 0.7, 4000), 4000).loadRatio[0]).toBeCloseTo(0.7, 2);
    // The other way round: the bandwidth shows them first.
    set.send(10);
    set.second(bandwidth(factsOf([70, 50], 3000), 0.7, 4000), 5000);
    const shown = set.second(bandwidth(factsOf([70, 50], 3000), 0.8, 6000), 6000);
    expect(shown.loadRatio[0]).toBeCloseTo(0.8, 2);
    expect(set.second(bandwidth(factsOf([80, 50], 7000), 0.8, 6000), 7000).loadRatio[0]).toBeCloseTo(0.8, 2);
  });

  it.each([
    ["nobody can locate", { layer: "none" }, true],
    ["nobody told of, as at a reload", UTRECHT, false],
  ] as const)(
    "takes answers for viewers whom %s for load no longer than their reports do",
    (_, place, isTold) => {
      const set = setUp();
      for (let s = 0; s < 600; s++) {
        set.ledger.count("dns", 0, AMS.index, place);
        if (!isTold) set.ledger.takeArrivals();
        set.second(factsOf([10, 10], 5000 * Math.floor(s / 5)), s * 1000);
      }
      expect(set.world().loadRatio[AMS.index]).toBeLessThan(0.2);
    },
  );

  it("learns what answers for viewers bring whom nobody can locate", () => {
    const set = setUp();
    let viewers = 10;
    for (let s = 0; s < 900; s++) {
      if (s % 30 === 0) set.ledger.count("dns", 0, AMS.index, { layer: "none" });
      // Twelve come with each answer, and nobody leaves for long.
      viewers += 0.4 - viewers / 1800;
      set.second(factsOf([Math.round(viewers), 10], 5000 * Math.floor(s / 5)), s * 1000);
    }
    expect(set.world().sent.viewersPerAnswer[AMS.index]).toBeGreaterThan(4);
  });

  it("has an edge without any capacity full, though nothing was ever reported", () => {
    const set = setUp();
    const silent = factsOf([Number.NaN, Number.NaN], 0);
    const world = set.facts(
      { ...silent, loadRatio: Float64Array.of(1, Number.NaN), perViewer: Float64Array.of(1, 0.01) },
      1000,
    );
    expect(world.loadRatio[0]).toBe(1);
  });

  it.each([
    ["holds nobody", 1],
    ["is full of work, of which no viewer is known to be a part", 0],
  ])("counts on no room at an edge that %s", (_, each) => {
    const edges = [AMS, FRA, { ...edgeAt("lon1", 2, 51.51, -0.13), capacity: { viewers: 100 } }];
    const pricing = createPricing({ rampUpMs: 60_000 });
    pricing.take(edges, [servedBy(edges)]);
    const facts = (nowMs: number): Facts => ({
      ...factsOfReports(Float64Array.of(Number.NaN, 90, 10), Float64Array.of(Number.NaN, nowMs, nowMs), 100),
      loadRatio: Float64Array.of(1, 0.9, 0.1),
      perViewer: Float64Array.of(each, 0.01, 0.01),
    });
    const ledger = new Ledger(pricing.world(facts(0), 0).sent.counts, 1);
    for (let s = 1; s <= 60; s++) {
      for (let i = 0; i < 3; i++) ledger.count("http", 0, FRA.index, { ...UTRECHT, longitude: 7 });
      pricing.tick(ledger.takeArrivals(), s * 1000);
      pricing.world(facts(s * 1000), s * 1000);
    }
    const { priceKm } = pricing.world(facts(61_000), 61_000);
    expect(priceKm[AMS.index]).toBe(0);
    expect(priceKm[FRA.index]).toBeGreaterThan(50);
  });

  it("does not take decisions for load where nobody ever reported", () => {
    const set = setUp();
    const unknown = factsOf([Number.NaN, Number.NaN], 0);
    set.send(100_000);
    const world = set.second(unknown, 1000);
    expect(liveRatio(world, AMS.index)).toBeNaN();
    expect([...world.priceKm]).toEqual([0, 0]);
  });

  it("makes an edge dearer whose room is wanted, and free again when nobody wants it", () => {
    const set = setUp();
    for (let s = 1; s <= 30; s++) {
      set.send(3);
      set.second(factsOf([90, 10], s * 1000), s * 1000);
    }
    expect(set.world().priceKm[0]).toBeGreaterThan(200);
    expect(set.world().priceKm[1]).toBeLessThan(50);
    for (let s = 31; s <= 3000; s++) set.second(factsOf([5, 5], s * 1000), s * 1000);
    expect(set.world().priceKm[0]).toBe(0);
  });

  it.each([
    ["as soon as it holds no more than every service leaves free", [0.2], 76, 200],
    ["as if it had no margin, where one service leaves nothing free", [0.2, 0], 76, 0],
  ])("makes an edge dearer %s", (_, margins, viewers, leastKm) => {
    const pricing = createPricing({ rampUpMs: 60_000 });
    pricing.take(
      EDGES,
      margins.map((margin, index) => ({ ...servedBy(EDGES), id: `s${index}`, index, margin })),
    );
    const ledger = new Ledger(pricing.world(factsOf([viewers, 10], 0), 0).sent.counts, 1);
    let priceKm = 0;
    for (let s = 1; s <= 600; s++) {
      if (s % 10 === 0) ledger.count("http", 0, AMS.index, UTRECHT);
      pricing.tick(ledger.takeArrivals(), s * 1000);
      priceKm = pricing.world(factsOf([viewers, 10], s * 1000), s * 1000).priceKm[AMS.index] as number;
    }
    expect(priceKm).toBeGreaterThanOrEqual(leastKm);
    if (leastKm === 0) expect(priceKm).toBe(0);
  });

  it.each([
    ["leaves an edge free of charge whose room nobody wants who goes by prices", 600],
    ["makes an edge dearer that others leave no room at who do not go by prices", 45],
  ])("%s", (_, everySeconds) => {
    const pricing = createPricing({ rampUpMs: 60_000 });
    const weighted: Service = { ...servedBy(EDGES), id: "weighted", index: 1, rank: "weighted" };
    const services = [servedBy(EDGES), weighted];
    pricing.take(EDGES, services);
    const [nearest = 0, others = 0] = poolsOf(services).ofService;
    const facts = (nowMs: number): Facts => factsOf([90, 90], nowMs);
    const ledger = new Ledger(pricing.world(facts(0), 0).sent.counts, 2);
    for (let s = 1; s <= 1800; s++) {
      // Hardly fewer than leave; all of them stand next to one of the two.
      if (s % 22 === 0) ledger.count("http", others, AMS.index, UTRECHT);
      if (s % 22 === 0) ledger.count("http", others, FRA.index, UTRECHT);
      if (s % everySeconds === 0) ledger.count("http", nearest, AMS.index, UTRECHT);
      pricing.tick(ledger.takeArrivals(), s * 1000);
      pricing.world(facts(s * 1000), s * 1000);
    }
    const [price = Number.NaN] = pricing.world(facts(1_801_000), 1_801_000).priceKm;
    if (everySeconds === 600) expect(price).toBe(0);
    else expect(price).toBeGreaterThan(30);
  });

  it("keeps who came for a service with it when another stands before it in a new configuration", () => {
    const set = setUp();
    for (let s = 1; s <= 60; s++) {
      set.send(3);
      set.second(factsOf([90, 10], s * 1000), s * 1000);
    }
    const [before = 0, other = 0] = set.world().priceKm;
    const live = { ...servedBy(EDGES), index: 1 };
    set.pricing.take(EDGES, [{ ...servedBy([FRA]), id: "first" }, live]);
    for (let s = 61; s <= 75; s++) set.second(factsOf([90, 10], s * 1000), s * 1000);
    expect(set.world().priceKm[0]).toBeGreaterThan(0.9 * before);
    expect(set.world().priceKm[1]).toBeLessThan(other + 50);
  });

  it("takes nothing that was sent to an edge for load of another that has come in its place", () => {
    const set = setUp();
    set.facts(factsOf([50, 50], 0), 0);
    for (let i = 0; i < 30; i++) set.ledger.count("dns", 0, AMS.index, UTRECHT);
    set.second(factsOf([50, 50], 0), 1000);
    expect(set.world().loadRatio[AMS.index]).toBeGreaterThan(0.7);
    const successor = { ...AMS, id: "ams2" };
    set.pricing.take([successor, FRA], [servedBy([successor, FRA])]);
    set.second(factsOf([5, 50], 20_000), 20_000);
    expect(set.world().loadRatio[AMS.index]).toBeCloseTo(0.05, 2);
    set.second(factsOf([5, 50], 20_000), 21_000);
    expect(set.world().loadRatio[AMS.index]).toBeCloseTo(0.05, 2);
    // Silent since: as many as were sent, which is nobody.
    const silent = set.second(factsOf([Number.NaN, 50], 22_000), 22_000);
    expect(silent.loadRatio[AMS.index]).toBe(0);
  });

  it("expects back whom an edge lost while a new configuration was taken", () => {
    const set = setUp();
    set.facts(factsOf([0, 50], 0), 0);
    for (let i = 0; i < 40; i++) set.ledger.count("dns", 0, AMS.index, UTRECHT);
    for (let s = 1; s <= 40; s++) set.second(factsOf([s, 50], s * 1000), s * 1000);
    set.pricing.take(EDGES, [servedBy(EDGES)]);
    const { returning } = set.facts(factsOf([40, 50], 40_000, [0, 1]), 41_000);
    expect([...(returning?.values() ?? [])][0]).toBeGreaterThan(30);
  });

  it("has prices looked for only once some edge is known to have an end", () => {
    let asked = 0;
    const solver = { take: () => {}, solve: () => void asked++, stop: async () => {} };
    const pricing = createPricing({ rampUpMs: 60_000, solver });
    pricing.take(EDGES, [servedBy(EDGES)]);
    const nothing = factsOf([Number.NaN, Number.NaN], 0);
    for (let nowMs = 0; nowMs < 20_000; nowMs += 1000) {
      pricing.tick([], nowMs);
      expect(pricing.world(nothing, nowMs).priceKm).toEqual(Float64Array.of(0, 0));
    }
    expect(asked).toBe(0);
    pricing.world(factsOf([Number.NaN, Number.NaN], 20_000, [1, 0]), 20_000);
    expect(asked, "an edge has gone").toBe(1);
    pricing.world(factsOf([50, Number.NaN], 21_000), 21_000);
    expect(asked, "an edge has reported").toBe(2);
  });

  it("has prices looked for at once when an edge is taken out of service, as when it comes back", () => {
    let asked = 0;
    const solver = { take: () => {}, solve: () => void asked++, stop: async () => {} };
    const pricing = createPricing({ rampUpMs: 60_000, solver });
    pricing.take(EDGES, [servedBy(EDGES)]);
    const at = (nowMs: number, state: number): number => {
      pricing.world({ ...factsOf([50, 50], 0), state: Uint8Array.of(state, 0) }, nowMs);
      return asked;
    };
    const first = at(0, 0);
    expect([at(100, 0), at(200, STATE_DRAIN), at(300, STATE_DRAIN), at(400, 0)]).toEqual(
      [0, 1, 1, 2].map((more) => first + more),
    );
  });

  it("forgets a stale report, and what it said with it", () => {
    const set = setUp();
    expect(set.facts(factsOf([100, 10], 1000), 1000).loadRatio[0]).toBe(1);
    const world = set.facts(factsOf([Number.NaN, Number.NaN], 1000), 40_000);
    expect(world.loadRatio[0]).toBeLessThan(0.1);
    expect([...world.priceKm]).toEqual([0, 0]);
  });

  it("lets an edge that comes back take its load step by step also before it reports", () => {
    const set = setUp();
    const silent = (up: number[]): Facts => factsOf([Number.NaN, 10], 1000, up);
    set.facts(factsOf([80, 10], 0), 0);
    set.facts(silent([0, 1]), 1000);
    set.facts(silent([1, 1]), 2000);
    expect(usedShare(set.world(), AMS.index, 0)).toBe(0);
    set.send(6);
    expect(usedShare(set.world(), AMS.index, 0)).toBeGreaterThan(1);
    const world = set.second(silent([1, 1]), 3000);
    expect(world.loadRatio[AMS.index]).toBeCloseTo(0.06, 2);
    // It has no more room than it ever had.
    for (let s = 4; s < 60; s++) {
      set.send(4);
      set.second(silent([1, 1]), s * 1000);
    }
    expect(set.world().priceKm[AMS.index]).toBeGreaterThan(50);
  });

  it("lets an edge that comes back take its load step by step, but none at the start", () => {
    // Three of a hundred stay free for those who are not known of.
    const ALL = 0.97;
    const set = setUp();
    const down = factsOf([10, 10], 1000, [0, 1]);
    set.facts(down, 1000);
    set.facts(factsOf([10, 10], 2000), 2000);
    set.pricing.begin();
    expect(set.facts(factsOf([10, 10], 2000), 2000).limit[0]).toBeCloseTo(ALL);
    set.facts(factsOf([10, 10], 3000, [0, 1]), 3000);
    const back = set.facts(factsOf([0, 10], 4000), 4000);
    expect(back.limit[0]).toBeCloseTo(0.05 * ALL);
    expect(set.facts(factsOf([0, 10], 4000), 34_000).limit[0]).toBeCloseTo(0.55 * ALL);
    expect(set.facts(factsOf([0, 10], 4000), 70_000).limit[0]).toBeCloseTo(ALL);
  });

  it("keeps what it knows of an edge whose index a reload changes", () => {
    const set = setUp();
    set.facts(factsOf([50, 10], 1000), 1000);
    set.send(20);
    const turned = [
      { ...FRA, index: 0 },
      { ...AMS, index: 1 },
    ];
    set.pricing.take(turned, [servedBy(turned)]);
    const world = set.pricing.world(factsOf([10, 50], 1000), 1500);
    expect(liveRatio(world, 1)).toBeCloseTo(0.7, 2);
    expect(liveRatio(world, 0)).toBeCloseTo(0.1, 2);
  });
});

describe("a process that goes on in another one's place", () => {
  const learnedByAnother = () => {
    const set = setUp();
    for (let s = 1; s <= 60; s++) {
      set.send(3);
      for (let i = 0; i < 2; i++) set.ledger.count("dns", 0, FRA.index, UTRECHT, "client-subnet");
      set.second(factsOf([97, 60], s * 1000), s * 1000);
    }
    return { learned: structuredClone(set.pricing.memory()), priceKm: set.world().priceKm };
  };

  it("has its prices and its demand, under whatever indices", () => {
    const { learned, priceKm } = learnedByAnother();
    expect(priceKm[0]).toBeGreaterThan(100);
    const turned = [
      { ...FRA, index: 0 },
      { ...AMS, index: 1 },
    ];
    const pricing = createPricing({ rampUpMs: 60_000 });
    pricing.take(turned, [servedBy(turned)]);
    pricing.world(factsOf([60, 97], 500), 1000);
    pricing.remember(learned);
    expect(pricing.world(factsOf([60, 97], 500), 1500).priceKm[1]).toBe(priceKm[0]);
    expect(pricing.memory().pools).toEqual(learned.pools);
    // Nobody came yet, and the prices found anew are for those who are known to come.
    for (let s = 2; s <= 20; s++) {
      pricing.tick([], s * 1000);
      pricing.world(factsOf([60, 97], s * 1000), s * 1000);
    }
    expect(pricing.world(factsOf([60, 97], 20_000), 20_500).priceKm[1]).toBeGreaterThan(
      0.5 * (priceKm[0] as number),
    );
  });

  it("takes nothing over for a pool that it does not have, nor of an edge that is gone", () => {
    const { learned } = learnedByAnother();
    const pricing = createPricing({ rampUpMs: 60_000 });
    const alone = [{ ...FRA, index: 0 }];
    pricing.take(alone, [servedBy(alone)]);
    pricing.remember(learned);
    const { pools, pricesKm, stays } = pricing.memory();
    expect(Object.values(pools)).toEqual([{ askers: [], cells: [] }]);
    expect(Object.keys(pricesKm)).not.toContain("ams1");
    expect(stays).toEqual(learned.stays);
  });
});

describe("viewers of an edge that is lost", () => {
  /** So many answers for a resolver in Utrecht, each of which brings one viewer. */
  const answer = ({ ledger }: ReturnType<typeof setUp>, answers: number, { index }: Edge): void => {
    for (let i = 0; i < answers; i++) ledger.count("dns", 0, index, UTRECHT, "source");
  };
  const viewersAt = ({ loadRatio }: World, { index }: Edge): number => 100 * (loadRatio[index] as number);

  it("are load where their resolvers' answers take them, as soon as it is noticed", () => {
    const now = setUp();
    answer(now, 30, AMS);
    now.second(factsOf([30, 0], 0), 1000);
    // Half a minute later three ask again: two are told the other edge, nobody knows why.
    answer(now, 1, AMS);
    answer(now, 2, FRA);
    const before = now.second(factsOf([30, 0], 29_000), 32_000);
    expect(viewersAt(before, FRA)).toBeLessThan(5);
    const after = now.facts(factsOf([30, 0], 29_000, [0, 1]), 33_000);
    expect(viewersAt(after, FRA)).toBeGreaterThan(20);
    // Who waits for the third comes with its next answer, once it no longer holds the lost edge.
    expect([...(after.returning ?? [])]).toEqual([]);
    const later = now.second(factsOf([30, 0], 29_000, [0, 1]), 64_000);
    expect([...(later.returning?.values() ?? [])].map(Math.round)).toEqual([10]);
  });

  it("are also where answers were given before it was noticed, and told of only now", () => {
    const now = setUp();
    answer(now, 30, AMS);
    now.second(factsOf([30, 0], 0), 1000);
    now.second(factsOf([30, 0], 31_000), 35_000);
    answer(now, 2, FRA);
    expect(viewersAt(now.facts(factsOf([30, 0], 31_000, [0, 1]), 35_500), FRA)).toBeLessThan(5);
    expect(viewersAt(now.second(factsOf([30, 0], 31_000, [0, 1]), 36_000), FRA)).toBeGreaterThan(25);
  });
});

it("prices follow from second to second while viewers of a lost edge come back, and then no more", () => {
  const asked: boolean[] = [];
  const solver: Solver = {
    ...solveHere(),
    solve(_outcomes, isSudden, onFound) {
      asked.push(isSudden);
      onFound(Float64Array.of(0, 0));
    },
  };
  const pricing = createPricing({ rampUpMs: 60_000, solver });
  pricing.take(EDGES, [servedBy(EDGES)]);
  let nowMs = 0;
  const asksWithin = (seconds: number, up: number[]): { count: number; sudden: number } => {
    asked.length = 0;
    for (let i = 0; i < seconds; i++) {
      nowMs += 1000;
      pricing.world(factsOf([50, 50], nowMs, up), nowMs);
      pricing.tick([], nowMs);
    }
    return { count: asked.length, sudden: asked.filter(Boolean).length };
  };
  asksWithin(10, [1, 1]);
  expect(asksWithin(10, [1, 1])).toEqual({ count: 5, sudden: 0 });
  const { count, sudden } = asksWithin(20, [0, 1]);
  expect(sudden).toBe(count);
  expect(count).toBeGreaterThanOrEqual(20);
  asksWithin(10, [0, 1]);
  expect(asksWithin(10, [0, 1])).toEqual({ count: 5, sudden: 0 });
});

describe("reports that lie", () => {
  it("are believed when the next one says the same: a count that jumps a hundred times", () => {
    const set = setUp();
    set.facts(factsOf([90, 50], 1000), 1000);
    const jumped = set.facts(factsOf([9000, 50], 2000), 2000);
    expect(jumped.loadRatio[0]).toBeCloseTo(0.9, 1);
    expect(set.facts(factsOf([9000, 50], 2000), 2500).loadRatio[0]).toBeCloseTo(0.9, 1);
    expect(set.facts(factsOf([91, 50], 3000), 3000).loadRatio[0]).toBeCloseTo(0.91, 2);
    set.facts(factsOf([9000, 50], 4000), 4000);
    expect(set.facts(factsOf([9100, 50], 5000), 5000).loadRatio[0]).toBeCloseTo(91);
  });

  it("do no harm where all edges report to be full", () => {
    const set = setUp();
    for (let s = 1; s <= 60; s++) {
      set.send(5);
      set.second(factsOf([100, 100], s * 1000), s * 1000);
    }
    const { priceKm, loadRatio } = set.world();
    for (const km of priceKm) expect(km).toBeLessThanOrEqual(20_000);
    expect(loadRatio[0]).toBeGreaterThanOrEqual(1);
  });

  it("do no harm with a clock that is an hour off, either way", () => {
    for (const offMs of [3_600_000, -3_600_000]) {
      const set = setUp();
      set.send(10);
      const world = set.second(factsOf([50, 50], 2000 + offMs), 2000);
      expect(world.loadRatio[0]).toBeGreaterThan(0);
      expect(world.loadRatio[0]).toBeLessThan(1);
      for (const km of world.priceKm) expect(Number.isFinite(km)).toBe(true);
    }
  });

  it("do no harm where capacities are zero", () => {
    const set = setUp();
    const facts = factsOf([0, 0], 1000);
    const none = { ...facts, perViewer: Float64Array.of(1, 1), loadRatio: Float64Array.of(1, 1) };
    set.send(5);
    const { priceKm, loadRatio } = set.second(none, 2000);
    for (const km of priceKm) expect(km).toBeGreaterThanOrEqual(0);
    expect(loadRatio[0]).toBeGreaterThanOrEqual(1);
  });
});

it("prices settle within half a minute of a step", () => {
  const set = setUp();
  let viewers = 0;
  const history: number[] = [];
  for (let s = 1; s <= 150; s++) {
    // From one moment to the next, ams1 has half the room, for good.
    viewers = s < 60 ? 40 : 90;
    set.send(2);
    set.second(factsOf([viewers, 10], s * 1000), s * 1000);
    if (s >= 60 + 30) history.push(set.world().priceKm[0] as number);
  }
  const steps = history.slice(1).map((km, i) => km - (history[i] as number));
  const turns = steps.filter((step, i) => i > 0 && step * (steps[i - 1] as number) < 0).length;
  expect(history[0]).toBeGreaterThan(0);
  expect(turns).toBeLessThanOrEqual(2);
  for (const step of steps) expect(Math.abs(step)).toBeLessThan(60);
});

describe("stays", () => {
  it("learns how long viewers stay and how many an answer brings", () => {
    const stays = createStays();
    let seed = 7;
    const random = () => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      return seed / 2 ** 32;
    };
    let viewers = 1000;
    for (let i = 0; i < 5000; i++) {
      const http = Math.round(random() * 8);
      const answers = Math.round(random() * 8);
      const arrived = http + answers * 2.5;
      const left = viewers * (5 / 1500);
      const change = Math.round(arrived - left + (random() - 0.5) * 6);
      stays.observe({ change, certain: http, answers, viewerSeconds: viewers * 5 });
      viewers = Math.max(0, viewers + change);
    }
    expect(stays.viewersPerAnswer).toBeGreaterThan(2);
    expect(stays.viewersPerAnswer).toBeLessThan(3);
    expect(1 / stays.departureRate).toBeGreaterThan(1250);
    expect(1 / stays.departureRate).toBeLessThan(1800);
  });

  it("learns that answers bring hardly anybody, though every report is a surprise at first", () => {
    const stays = createStays();
    const report = () => stays.observe({ change: 0, certain: 0, answers: 500, viewerSeconds: 5 * 600 });
    for (let i = 0; i < 100; i++) report();
    expect(stays.viewersPerAnswer, "a site that fails does the same").toBe(1);
    for (let i = 0; i < 1000; i++) report();
    // 500 answers bring as many as leave of 600 viewers within five seconds, two or three.
    expect(stays.viewersPerAnswer * 500).toBeCloseTo(stays.departureRate * 5 * 600, 0);
    expect(stays.viewersPerAnswer).toBeLessThan(0.01);
  });

  it("goes on from what another process learned, unless that is no such thing", () => {
    const [one, other, third] = [createStays(), createStays(), createStays()];
    for (let i = 0; i < 2000; i++)
      one.observe({ change: 0, certain: 2, answers: 4, viewerSeconds: (2 + 4 * 3) * 600 });
    other.remember(one.memory());
    expect(other.viewersPerAnswer).toBe(one.viewersPerAnswer);
    expect(other.departureRate).toBe(one.departureRate);
    third.remember([1, Number.NaN, 1, 1, 1]);
    third.remember([1]);
    expect(third.departureRate).toBe(createStays().departureRate);
  });

  it("does not believe a count that jumps by a hundred times", () => {
    const stays = createStays();
    for (let i = 0; i < 50; i++) {
      stays.observe({ change: 99_000, certain: 1, answers: 1, viewerSeconds: 5000 });
      stays.observe({ change: -99_000, certain: 1, answers: 1, viewerSeconds: 500_000 });
    }
    expect(stays.viewersPerAnswer).toBe(1);
    expect(1 / stays.departureRate).toBeCloseTo(1800);
  });
});

describe("prediction", () => {
  it("tells how many had been sent by when, and survives a count that wraps", () => {
    const sent = newSentCounts(1);
    sent[0] = 2 ** 31 - 10;
    const prediction = createPrediction(sent);
    prediction.sample(0);
    Atomics.add(sent, 0, 20);
    prediction.sample(1000);
    expect(prediction.made(0).http).toBe(20);
    expect(prediction.redirectedBy(0, 500)).toBe(10);
    expect(prediction.redirectedBy(0, 5000)).toBe(20);
  });
});

it("an edge keeps its slot over a reload; a new one takes what is free", () => {
  const slots = createSlots();
  const freed: number[] = [];
  const assign = (ids: readonly string[]) => [...slots.assign(ids, (slot) => void freed.push(slot))];
  expect(assign(["a", "b"])).toEqual([0, 1]);
  expect(assign(["c", "b"])).toEqual([0, 1]);
  expect(freed).toEqual([0]);
  const { counts } = slots;
  assign(Array.from({ length: 100 }, (_, i) => `e${i}`));
  expect(slots.counts).not.toBe(counts);
  expect(slots.counts.length).toBeGreaterThanOrEqual(200);
});

it("a client who asks again within the time is not new, unless where it was sent is gone", () => {
  const recent = createRecent();
  const bothUp = Uint8Array.of(1, 1);
  const isNew = (address: string, service: number, nowMs: number, edge = 0, up = bothUp): boolean =>
    recent.isNew(clientOf(address), service, edge, up, 1000, nowMs);
  expect(isNew("192.0.2.7", 0, 0)).toBe(true);
  expect(isNew("192.0.2.7", 0, 999)).toBe(false);
  expect(isNew("192.0.2.7", 1, 999)).toBe(true);
  expect(isNew("192.0.2.8", 0, 999)).toBe(true);
  expect(isNew("192.0.2.7", 0, 1000)).toBe(true);
  expect(isNew("192.0.2.7", 0, 1500, 1)).toBe(false);
  expect(isNew("192.0.2.7", 0, 1550, 0, Uint8Array.of(0, 1))).toBe(false);
  expect(isNew("192.0.2.7", 0, 1600, 1, Uint8Array.of(0, 1))).toBe(true);
  expect(isNew("192.0.2.7", 0, 1700, 1, Uint8Array.of(0, 1))).toBe(false);
});

it("a ramp begins at what the edge carries already", () => {
  const ramps = createRamps();
  ramps.start(3, 0.5, 0, 1000);
  expect(ramps.limit(3, 0)).toBeCloseTo(0.525);
  expect(ramps.limit(3, 2000)).toBe(1);
  expect(ramps.limit(4, 0)).toBe(1);
});

it("an edge takes up load over its own time when it is up, or in service, again", () => {
  const pricing = createPricing({ rampUpMs: 60_000 });
  const edges = [{ ...AMS, rampUpMs: 10_000 }, FRA];
  pricing.take(edges, [servedBy(edges)]);
  /** For three viewers more than are known of. */
  const KEPT_FREE = 0.03;
  const limits = (nowMs: number, said: Partial<Facts> = {}): number[] =>
    [...pricing.world({ ...factsOf([0, 0], nowMs), ...said }, nowMs).limit].map((limit) =>
      Number((limit / (1 - KEPT_FREE)).toFixed(2)),
    );
  limits(0);
  pricing.begin();
  expect(limits(1000)).toEqual([1, 1]);
  limits(2000, { up: Uint8Array.of(0, 0) });
  expect(limits(3000)).toEqual([0.05, 0.05]);
  expect(limits(8000)).toEqual([0.55, 0.13]);
  expect(limits(63_000)).toEqual([1, 1]);

  limits(64_000, { state: Uint8Array.of(STATE_DRAIN, STATE_OFF) });
  expect(limits(65_000)).toEqual([0.05, 0.05]);
  expect(limits(130_000)).toEqual([1, 1]);

  limits(131_000, { state: Uint8Array.of(STATE_DRAIN, STATE_OFF) });
  pricing.take(edges, [servedBy(edges)]);
  expect(limits(132_000), "put in service by the file").toEqual([0.05, 0.05]);
});

it("an edge may soon be full while a great rush comes, wherever it comes from, and some time after", () => {
  const set = setUp();
  let [nowMs, viewers] = [0, 10];
  const minute = (perSecond: number, seconds = 60): number[] => {
    for (let s = 0; s < seconds; s++) {
      set.send(perSecond);
      viewers += perSecond;
      nowMs += 1000;
      set.second(factsOf([viewers / 100, 10], nowMs), nowMs);
    }
    return [...set.world().unsteady];
  };
  for (let i = 0; i < 5; i++) minute(1);
  expect(minute(1)).toEqual([0, 0]);
  expect(minute(60, 10)).toEqual([UNSTEADY_RUSH, UNSTEADY_RUSH]);
  const inDoubt = { ...factsOf([viewers / 100, 10], nowMs), inDoubt: Uint8Array.of(1, 0) };
  expect([...set.facts(inDoubt, nowMs).unsteady]).toEqual([UNSTEADY_DOUBT, UNSTEADY_RUSH]);
  expect(minute(1, 15)).toEqual([UNSTEADY_RUSH, UNSTEADY_RUSH]);
  expect(minute(1)).toEqual([0, 0]);
});

it("learns by answers alone how long viewers stay, how many an answer brings, and how late reports are", () => {
  const LATE_MS = 10_000;
  const STAY_SECONDS = 1200;
  const set = setUp();
  const draw = sharesFrom(9);
  /** A resolver to whom a viewer comes every ten seconds: four with each answer. */
  let [heldUntilMs, viewers] = [0, 40];
  const history: number[] = [];
  const service = () =>
    factsOf([history.at(-1 - LATE_MS / 1000) ?? 40, 10], Math.floor(history.length / 5) * 5000);
  for (let s = 0; s < 3 * 3600; s++) {
    const nowMs = s * 1000;
    if (draw() < 0.2) {
      viewers++;
      if (nowMs >= heldUntilMs) {
        set.ledger.count("dns", 0, AMS.index, UTRECHT);
        heldUntilMs = nowMs + USUAL_TTL_SECONDS * 1000;
      }
    }
    if (draw() < viewers / STAY_SECONDS) viewers--;
    history.push(viewers);
    set.second(service(), nowMs);
  }
  expect(set.world().sent.viewersPerAnswer[AMS.index]).toBeGreaterThan(5);
  expect(set.world().sent.viewersPerAnswer[AMS.index]).toBeLessThan(9);
});

it("an edge is unsteady while its health is in doubt, and while it takes up load after it came back", () => {
  const tested = setUp();
  const at = (nowMs: number, up = [1, 1], inDoubt = [0, 0]): number[] => [
    ...tested.facts({ ...factsOf([50, 50], nowMs, up), inDoubt: Uint8Array.from(inDoubt) }, nowMs).unsteady,
  ];
  tested.pricing.begin();
  expect(at(1000)).toEqual([0, 0]);
  expect(at(2000, [1, 1], [0, 1])).toEqual([0, 1]);
  expect(at(3000, [1, 0])).toEqual([0, 0]);
  expect(at(4000)).toEqual([0, 1]);
  expect(at(70_000)).toEqual([0, 0]);
});
