import { describe, expect, it } from "vitest";
import { createAnswers } from "../../src/pricing/answers.ts";
import type { Arrivals, Arrived } from "../../src/pricing/ledger.ts";
import { createAskers } from "../../src/pricing/askers.ts";
import { createRushes, type Rushes } from "../../src/pricing/rushes.ts";
import type { Returned } from "../../src/pricing/returns.ts";
import { areaOf, askersKey, squareKey } from "../../src/pricing/squares.ts";
import type { Location } from "../../src/model/location.ts";
import { sharesFrom } from "../random.ts";

const PARIS: Location = { layer: "none", latitude: 48.9, longitude: 2.4 };
const LYON: Location = { layer: "none", latitude: 45.8, longitude: 4.8 };
const TTL_MS = 30_000;
const NOBODY: Returned = new Map();
const USUAL = { at: () => 1, between: () => 1 };
const ONE = { viewersPerAnswer: 1 };
const FOUR = { viewersPerAnswer: 4 };
const TTL_SECONDS = TTL_MS / 1000;

const arrivalsOf = (...places: [Location, Arrived][]): Arrivals => [
  new Map(places.map(([place, arrived]) => [place, new Map([[0, arrived]])])),
];

describe("answers", () => {
  it("bring who asked at once, and the others evenly over their time to live", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, FOUR);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 4 }]), NOBODY, 0);
    expect(answers.told(0)).toBe(4);
    expect(answers.between(0, -1000, 0).viewers).toBeCloseTo(4);
    expect(answers.between(0, 0, TTL_MS / 4).viewers).toBeCloseTo(3);
    expect(answers.between(0, -1000, TTL_MS).viewers).toBeCloseTo(16);
    expect(answers.between(0, TTL_MS, 2 * TTL_MS).viewers).toBe(0);
    expect(answers.between(1, -1000, TTL_MS).viewers).toBe(0);
    // One viewer more for each, all of whom would come while it is kept.
    expect(answers.between(0, 0, TTL_MS).slope).toBeCloseTo(4);
    expect(answers.between(0, -1000, 0).slope).toBe(0);
  });

  it("bring no more than who asked, or fewer than one each, at once", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, { viewersPerAnswer: 0.5 });
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 4 }]), NOBODY, 0);
    expect(answers.between(0, -1000, 0)).toEqual({ viewers: 2, slope: 4 });
    expect(answers.between(0, 0, TTL_MS)).toEqual({ viewers: 0, slope: 0 });
  });

  it("bring the fewer the shorter they are kept, but for who asked", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, FOUR);
    const shortSeconds = 4 * (TTL_SECONDS - 5);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 4, shortSeconds }]), NOBODY, 0);
    expect(answers.between(0, -1000, 5000).viewers).toBeCloseTo(4 + (4 * 3) / 6);
    expect(answers.between(0, 5000, TTL_MS).viewers).toBe(0);
    expect([...answers.held(0, 4000).values()]).toEqual([4]);
    expect(answers.held(0, 6000).size).toBe(0);
    expect(answers.viewers(0, 48.9, 2.4, false, 1 / 6)).toBeCloseTo(1.5);
    expect(answers.sizes(0, 1000)).toMatchObject({ mean: 1.5, atOnce: 1, greatest: 1.5 });
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 4 }]), NOBODY, 1000);
    expect(answers.sizes(0, 1000).mean).toBeCloseTo((1.5 + 4) / 2);
  });

  it("bring them over the time to live of their own pool", () => {
    const answers = createAnswers((pool) => (pool === 0 ? 5000 : 300_000), USUAL, { viewersPerAnswer: 2 });
    const [given = new Map()] = arrivalsOf([PARIS, { http: 0, dns: 3 }]);
    answers.add([given, given], NOBODY, 1000);
    const at = (seconds: number): number => answers.between(0, 1000, 1000 + seconds * 1000).viewers;
    expect([2.5, 5, 150, 300].map(at).map((n) => Number(n.toFixed(3)))).toEqual([1.525, 3.05, 4.5, 6]);
    const held = (seconds: number): readonly number[] => [...answers.held(0, 1000 + seconds * 1000).values()];
    expect([held(4), held(6), held(299), held(301)]).toEqual([[3, 3], [3], [3], []]);
    const until = [...answers.heldUntilMs(0, 2000).values()].map(([untilMs]) => untilMs);
    expect(until).toEqual([4000, 299_000]);
    answers.add([], NOBODY, 200_000);
    expect(answers.between(0, 1000, 400_000).viewers).toBeCloseTo(3);
  });

  it("are learned apart: what a report shows too much belongs to whoever answered then", () => {
    const [answers, truth] = [
      createAnswers(() => TTL_MS, USUAL, ONE),
      createAnswers(() => TTL_MS, USUAL, ONE),
    ];
    const surely = { nameSubnets: false, variance: 0.01 };
    truth.remember(0, [
      { ...surely, latitude: 48.9, longitude: 2.4, factor: 4 },
      { ...surely, latitude: 45.8, longitude: 4.8, factor: 0.25 },
    ]);
    for (let s = 5; s < 1200; s += 5) {
      // Paris brings four viewers and asks every minute, one of Lyon comes with each fourth answer, and it asks all
      // the time.
      const paris = s % 60 === 0 ? 1 : 0;
      const arrivals = arrivalsOf([PARIS, { http: 0, dns: paris }], [LYON, { http: 0, dns: 1 }]);
      for (const told of [answers, truth]) told.add(arrivals, NOBODY, s * 1000);
      const [from, to] = [(s - 5) * 1000, s * 1000];
      const missing = truth.between(0, from, to).viewers - answers.between(0, from, to).viewers;
      answers.learn(0, from, to, missing, 0.05);
    }
    expect(answers.factor(0, 48.9, 2.4, false)).toBeGreaterThan(3);
    expect(answers.factor(0, 45.8, 4.8, false)).toBeLessThan(0.4);
    expect(answers.sizes(0, 1_200_000).greatest).toBeGreaterThan(3);
  });

  it("are learned apart for a resolver and for those who name their subnet at the same place", () => {
    const [answers, truth] = [
      createAnswers(() => TTL_MS, USUAL, ONE),
      createAnswers(() => TTL_MS, USUAL, ONE),
    ];
    const paris = { latitude: 48.9, longitude: 2.4, variance: 0.01 };
    truth.remember(0, [
      { ...paris, nameSubnets: false, factor: 3 },
      { ...paris, nameSubnets: true, factor: 0.25 },
    ]);
    for (let s = 5; s < 1200; s += 5) {
      const arrivals = arrivalsOf([PARIS, { http: 0, dns: 1, subnets: s % 120 < 60 ? 0 : 1 }]);
      for (const told of [answers, truth]) told.add(arrivals, NOBODY, s * 1000);
      const [from, to] = [(s - 5) * 1000, s * 1000];
      const missing = truth.between(0, from, to).viewers - answers.between(0, from, to).viewers;
      answers.learn(0, from, to, missing, 0.05);
    }
    expect(answers.factor(0, 48.9, 2.4, false)).toBeGreaterThan(2.5);
    expect(answers.factor(0, 48.9, 2.4, true)).toBeLessThan(0.4);
  });

  it("are held until they run out, and bring whom they are told to", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, { viewersPerAnswer: 2 });
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 3, subnets: 1 }]), NOBODY, 1000);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 1 }]), NOBODY, 9000);
    const paris = squareKey(0, 48.9, 2.4);
    expect([...answers.held(0, 10_000)]).toEqual([
      [askersKey(paris, false), 3],
      [askersKey(paris, true), 1],
    ]);
    expect([...answers.held(0, 32_000)]).toEqual([[askersKey(paris, false), 1]]);
    expect(answers.held(1, 10_000).size).toBe(0);

    answers.bind(0, 60, 10_000);
    expect(answers.backAfter(0, 10_000)).toBeCloseTo(60);
    expect(answers.backAfter(0, 15_000)).toBeCloseTo(30);
    expect(answers.between(0, 10_000, 11_000).viewers).toBeCloseTo(4 / 30);
  });

  it("bring who had been waiting for them within seconds, and are held by whoever asked", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, { viewersPerAnswer: 2 });
    const back = new Map([[askersKey(squareKey(0, 48.9, 2.4), false), { httpShare: 0, perAnswer: 40 }]]);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 2 }], [LYON, { http: 0, dns: 1 }]), back, 1000);
    expect(answers.backAfter(0, 500)).toBe(0); // not given yet: counted as viewers sent
    expect(answers.backAfter(0, 1000)).toBeCloseTo(80);
    expect(answers.backAfter(0, 6000)).toBeCloseTo(40);
    expect(answers.backAfter(0, 12_000)).toBe(0);
    // Who comes beside them is as many as ever.
    expect(answers.between(0, 1000, 1000 + TTL_MS).viewers).toBeCloseTo(3);
    const held = [...answers.heldUntilMs(0, 2000).values()];
    expect(held.map(({ length }) => length)).toEqual([2, 1]);
    for (const untilMs of held.flat()) expect(untilMs).toBeLessThanOrEqual(1000 + TTL_MS);
    expect(answers.heldUntilMs(0, 1000 + TTL_MS).size).toBe(0);
  });

  it("bring as many as there was a rush while they were cached", () => {
    // Tenfold for the first third of the time to live, as usual afterwards.
    const between = (_area: number, fromMs: number, toMs: number): number =>
      (toMs - fromMs + 9 * Math.max(0, Math.min(10_000, toMs) - fromMs)) / (toMs - fromMs);
    const answers = createAnswers(() => TTL_MS, { at: () => 1, between }, { viewersPerAnswer: 2 });
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 3 }]), NOBODY, 0);
    expect(answers.between(0, 0, 10_000).viewers).toBeCloseTo(10);
    expect(answers.between(0, 0, TTL_MS).viewers).toBeCloseTo(12);
    expect(answers.between(0, 20_000, TTL_MS).viewers).toBeCloseTo(1);
  });

  it("and what they bring stay with their pool where another stands before it, and the surer of two is kept where both become one", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, { viewersPerAnswer: 2 });
    const [given = new Map()] = arrivalsOf([PARIS, { http: 0, dns: 3 }]);
    answers.add([given], NOBODY, 0);
    answers.learn(0, 0, TTL_MS, 6, 0.01);
    const learned = answers.factor(0, 48.9, 2.4, false);
    // Two more for each: four in place of two.
    expect(learned).toBeCloseTo(2, 1);
    answers.renumber((pool) => pool + 1);
    expect([answers.factor(0, 48.9, 2.4, false), answers.factor(1, 48.9, 2.4, false)]).toEqual([1, learned]);
    expect([...answers.held(0, 1000)]).toEqual([[askersKey(squareKey(1, 48.9, 2.4), false), 3]]);
    expect(answers.between(0, 0, TTL_MS).viewers).toBeCloseTo(3 * (2 * learned - 1));
    answers.add([given], NOBODY, 0);
    answers.renumber(() => 0);
    expect(answers.factor(0, 48.9, 2.4, false)).toBe(learned);
    expect([...answers.held(0, 1000).values()]).toEqual([6]);
    answers.renumber(() => undefined);
    expect([answers.between(0, 0, TTL_MS).viewers, answers.held(0, 1000).size]).toEqual([0, 0]);
  });

  it("learn nothing from what no answer can explain", () => {
    const answers = createAnswers(() => TTL_MS, USUAL, { viewersPerAnswer: 2 });
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 1 }]), NOBODY, 0);
    answers.learn(0, 0, 5000, 5000, 1);
    expect(answers.factor(0, 48.9, 2.4, false)).toBe(1);
  });
});

const rushesOf = (perAnswer: number): Rushes =>
  createRushes(
    createAskers(
      () => TTL_MS,
      () => 1,
      () => perAnswer,
    ),
    () => TTL_MS,
    { viewersPerAnswer: 1 },
  );

describe("a rush", () => {
  it("is many more than usual, and chance is not", () => {
    const rushes = rushesOf(1);
    let nowMs = 0;
    const second = (http: number, returned: Returned = NOBODY): number => {
      nowMs += 1000;
      rushes.add(arrivalsOf([PARIS, { http, dns: 0 }]), returned, nowMs);
      rushes.pass(nowMs);
      return nowMs;
    };
    for (let s = 0; s < 300; s++) second(2);
    const key = areaOf(0, 48.9, 2.4);
    expect(rushes.at(key, nowMs)).toBe(1);
    second(5);
    expect(rushes.at(key, nowMs)).toBe(1);
    for (let s = 0; s < 10; s++) second(100);
    expect(rushes.at(key, nowMs)).toBeGreaterThan(8);
    expect(rushes.at(key, nowMs - 20_000)).toBe(1);
    expect(rushes.between(key, nowMs - 60_000, nowMs - 20_000)).toBe(1);
    const during = rushes.between(key, nowMs - 10_000, nowMs);
    expect(during).toBeGreaterThan(4);
    for (let s = 0; s < 30; s++) second(2);
    expect(rushes.at(key, nowMs)).toBe(1);
    // What was, stays.
    expect(rushes.between(key, nowMs - 40_000, nowMs - 30_000)).toBeCloseTo(during, 1);
    expect(rushes.at(areaOf(0, -40, 150), nowMs)).toBe(1);
    // Who lost his edge is expected.
    const back = new Map([[askersKey(squareKey(0, 48.9, 2.4), false), { httpShare: 0.98, perAnswer: 0 }]]);
    for (let s = 0; s < 10; s++) second(100, back);
    expect(rushes.at(key, nowMs)).toBe(1);
  });

  it("stays with its pool, and with what is usual there, where another stands before it", () => {
    const rushes = rushesOf(1);
    for (let s = 1; s <= 310; s++) {
      rushes.add(arrivalsOf([PARIS, { http: s > 300 ? 100 : 2, dns: 0 }]), NOBODY, s * 1000);
      rushes.pass(s * 1000);
    }
    const [before, after] = [areaOf(0, 48.9, 2.4), areaOf(1, 48.9, 2.4)];
    const rush = rushes.at(before, 310_000);
    const during = rushes.between(before, 300_000, 310_000);
    rushes.renumber((pool) => pool + 1);
    expect([rushes.at(after, 310_000), rushes.between(after, 300_000, 310_000)]).toEqual([rush, during]);
    expect([rushes.at(before, 310_000), rushes.between(before, 300_000, 310_000)]).toEqual([1, 1]);
    rushes.renumber(() => undefined);
    expect(rushes.at(after, 310_000)).toBe(1);
  });

  it("shows in who asks: those who seldom did ask often, and those who hold an answer most of the time at once when it runs out", () => {
    const rushes = rushesOf(4);
    const key = areaOf(0, 48.9, 2.4);
    /** By resolver: when the answer that it holds runs out. */
    const untilMs = Array.from({ length: 200 }, () => 0);
    const draw = sharesFrom(4);
    const second = (nowMs: number, perSecond: number): number => {
      const asked = untilMs.filter((until, i) => {
        const isAsking = until <= nowMs && draw() < 1 - Math.exp(-perSecond);
        if (isAsking) untilMs[i] = nowMs + TTL_MS;
        return isAsking;
      });
      rushes.add(arrivalsOf([PARIS, { http: 0, dns: asked.length }]), NOBODY, nowMs);
      rushes.pass(nowMs);
      return rushes.at(key, nowMs);
    };
    let nowMs = 0;
    const greatest = (seconds: number, perSecond: number): number =>
      Math.max(...Array.from({ length: seconds }, () => second((nowMs += 1000), perSecond)));
    // A viewer every ten seconds: four with each answer that is kept for thirty.
    greatest(1200, 0.1);
    expect(greatest(300, 0.1)).toBeLessThan(1.5);
    expect(rushes.beyond().size).toBe(0);
    expect(greatest(90, 10)).toBeGreaterThan(10);
  });

  it("is none where those ask who come back after a loss", () => {
    const rushes = rushesOf(1);
    const back = new Map([[askersKey(squareKey(0, 48.9, 2.4), false), { httpShare: 0, perAnswer: 3 }]]);
    for (let s = 1; s <= 320; s++) {
      rushes.add(arrivalsOf([PARIS, { http: 0, dns: s > 300 ? 60 : 1 }]), s > 300 ? back : NOBODY, s * 1000);
      rushes.pass(s * 1000);
    }
    expect(rushes.at(areaOf(0, 48.9, 2.4), 320_000)).toBe(1);
  });

  it("that is great brings so many within the time that answers are kept", () => {
    const rushes = rushesOf(1);
    for (let s = 1; s <= 320; s++) {
      rushes.add(arrivalsOf([PARIS, { http: s > 300 ? 100 : 2, dns: 0 }]), NOBODY, s * 1000);
      rushes.pass(s * 1000);
    }
    const [[pool, viewers] = []] = rushes.beyond();
    expect(pool).toBe(0);
    expect(viewers).toBeGreaterThan(50 * TTL_SECONDS);
    expect(viewers).toBeLessThan(100 * TTL_SECONDS);
  });
});
