import { describe, expect, it } from "vitest";
import { createAnswers } from "../../src/pricing/answers.ts";
import type { Arrivals, Arrived } from "../../src/pricing/ledger.ts";
import { areaOf, createRushes } from "../../src/pricing/rushes.ts";
import type { Returned } from "../../src/pricing/returns.ts";
import { askersKey, squareKey } from "../../src/pricing/squares.ts";
import type { Location } from "../../src/model/location.ts";

const PARIS: Location = { layer: "none", latitude: 48.9, longitude: 2.4 };
const LYON: Location = { layer: "none", latitude: 45.8, longitude: 4.8 };
const TTL_MS = 30_000;
const NOBODY: Returned = new Map();
const USUAL = { at: () => 1, between: () => 1 };

const arrivalsOf = (...places: [Location, Arrived][]): Arrivals => [
  new Map(places.map(([place, arrived]) => [place, new Map([[0, arrived]])])),
];

describe("answers", () => {
  it("bring their viewers evenly over their time to live", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 4 }]), NOBODY, 0);
    expect(answers.told(0)).toBe(4);
    expect(answers.between(0, 0, TTL_MS)).toBeCloseTo(4);
    expect(answers.between(0, 0, TTL_MS / 4)).toBeCloseTo(1);
    expect(answers.between(0, TTL_MS, 2 * TTL_MS)).toBe(0);
    expect(answers.between(1, 0, TTL_MS)).toBe(0);
  });

  it("bring them over the time to live of their own pool", () => {
    const answers = createAnswers((pool) => (pool === 0 ? 5000 : 300_000), USUAL);
    const [given = new Map()] = arrivalsOf([PARIS, { http: 0, dns: 3 }]);
    answers.add([given, given], NOBODY, 1000);
    const at = (seconds: number): number => answers.between(0, 0, 1000 + seconds * 1000);
    expect([2.5, 5, 150, 300].map(at).map((n) => Number(n.toFixed(3)))).toEqual([1.525, 3.05, 4.5, 6]);
    const held = (seconds: number): readonly number[] => [...answers.held(0, 1000 + seconds * 1000).values()];
    expect([held(4), held(6), held(299), held(301)]).toEqual([[3, 3], [3], [3], []]);
    const until = [...answers.heldUntilMs(0, 2000).values()].map(([untilMs]) => untilMs);
    expect(until).toEqual([4000, 299_000]);
    answers.add([], NOBODY, 200_000);
    expect(answers.between(0, 0, 400_000)).toBeCloseTo(3);
  });

  it("are learned apart: what a report shows too much belongs to whoever answered then", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
    for (let s = 0; s < 1200; s += 5) {
      // Paris brings four times the average and asks every minute, Lyon a fourth of it and asks all the time.
      const paris = s % 60 === 0 ? 1 : 0;
      answers.add(
        arrivalsOf([PARIS, { http: 0, dns: paris }], [LYON, { http: 0, dns: 1 }]),
        NOBODY,
        s * 1000,
      );
      const [from, to] = [s * 1000, (s + 5) * 1000];
      const isParis = s % 60 < 30;
      const lyon = Math.min(6, s / 5 + 1) * (5 / 30);
      const truth = (isParis ? 4 * (5 / 30) : 0) + 0.25 * lyon;
      answers.learn(0, from, to, truth - answers.between(0, from, to), 0.05);
    }
    expect(answers.factor(0, 48.9, 2.4, false)).toBeGreaterThan(3);
    expect(answers.factor(0, 45.8, 4.8, false)).toBeLessThan(0.6);
    expect(answers.sizes(0, 1_200_000).greatest).toBeGreaterThan(3);
  });

  it("are learned apart for a resolver and for those who name their subnet at the same place", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
    for (let s = 0; s < 1200; s += 5) {
      // A resolver's bring eight times as many as those for a subnet, in turns of a minute.
      const isResolver = s % 120 < 60;
      answers.add(arrivalsOf([PARIS, { http: 0, dns: 1, subnets: isResolver ? 0 : 1 }]), NOBODY, s * 1000);
      const [from, to] = [s * 1000, (s + 5) * 1000];
      const expected = answers.between(0, from, to);
      // Those of the last half a minute: all of one kind in the second half of each turn.
      if (s % 60 >= 30) answers.learn(0, from, to, (isResolver ? 2 : 0.25) - expected, 0.05);
    }
    expect(answers.told(0)).toBe(240);
    expect(answers.factor(0, 48.9, 2.4, false)).toBeGreaterThan(1.8);
    expect(answers.factor(0, 48.9, 2.4, true)).toBeLessThan(0.4);
  });

  it("are held until they run out, and bring whom they are told to", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
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
    expect(answers.between(0, 10_000, 11_000)).toBeCloseTo(4 / 30);
  });

  it("bring who had been waiting for them within seconds, and are held by whoever asked", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
    const back = new Map([[askersKey(squareKey(0, 48.9, 2.4), false), { httpShare: 0, perAnswer: 40 }]]);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 2 }], [LYON, { http: 0, dns: 1 }]), back, 1000);
    expect(answers.backAfter(0, 500)).toBe(0); // not given yet: counted as viewers sent
    expect(answers.backAfter(0, 1000)).toBeCloseTo(80);
    expect(answers.backAfter(0, 6000)).toBeCloseTo(40);
    expect(answers.backAfter(0, 12_000)).toBe(0);
    // Who comes beside them is as many as ever.
    expect(answers.between(0, 1000, 1000 + TTL_MS)).toBeCloseTo(3);
    const held = [...answers.heldUntilMs(0, 2000).values()];
    expect(held.map(({ length }) => length)).toEqual([2, 1]);
    for (const untilMs of held.flat()) expect(untilMs).toBeLessThanOrEqual(1000 + TTL_MS);
    expect(answers.heldUntilMs(0, 1000 + TTL_MS).size).toBe(0);
  });

  it("bring as many as there was a rush while they were cached", () => {
    // Tenfold for the first third of the time to live, as usual afterwards.
    const between = (_area: number, fromMs: number, toMs: number): number =>
      (toMs - fromMs + 9 * Math.max(0, Math.min(10_000, toMs) - fromMs)) / (toMs - fromMs);
    const answers = createAnswers(() => TTL_MS, { at: () => 1, between });
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 3 }]), NOBODY, 0);
    expect(answers.between(0, 0, 10_000)).toBeCloseTo(10);
    expect(answers.between(0, 0, TTL_MS)).toBeCloseTo(12);
    expect(answers.between(0, 20_000, TTL_MS)).toBeCloseTo(1);
  });

  it("and what they bring stay with their pool where another stands before it, and the surer of two is kept where both become one", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
    const [given = new Map()] = arrivalsOf([PARIS, { http: 0, dns: 3 }]);
    answers.add([given], NOBODY, 0);
    answers.learn(0, 0, TTL_MS, 6, 0.01);
    const learned = answers.factor(0, 48.9, 2.4, false);
    expect(learned).toBeCloseTo(3, 1);
    answers.renumber((pool) => pool + 1);
    expect([answers.factor(0, 48.9, 2.4, false), answers.factor(1, 48.9, 2.4, false)]).toEqual([1, learned]);
    expect([...answers.held(0, 1000)]).toEqual([[askersKey(squareKey(1, 48.9, 2.4), false), 3]]);
    expect(answers.between(0, 0, TTL_MS)).toBeCloseTo(3 * learned);
    answers.add([given], NOBODY, 0);
    answers.renumber(() => 0);
    expect(answers.factor(0, 48.9, 2.4, false)).toBe(learned);
    expect([...answers.held(0, 1000).values()]).toEqual([6]);
    answers.renumber(() => undefined);
    expect([answers.between(0, 0, TTL_MS), answers.held(0, 1000).size]).toEqual([0, 0]);
  });

  it("learn nothing from what no answer can explain", () => {
    const answers = createAnswers(() => TTL_MS, USUAL);
    answers.add(arrivalsOf([PARIS, { http: 0, dns: 1 }]), NOBODY, 0);
    answers.learn(0, 0, 5000, 5000, 1);
    expect(answers.factor(0, 48.9, 2.4, false)).toBe(1);
  });
});

describe("a rush", () => {
  it("is many more than usual, and chance is not", () => {
    const rushes = createRushes();
    let nowMs = 0;
    const second = (http: number, returned: Returned = NOBODY): number => {
      nowMs += 1000;
      rushes.add(arrivalsOf([PARIS, { http, dns: 0 }]), returned);
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
    const rushes = createRushes();
    for (let s = 1; s <= 310; s++) {
      rushes.add(arrivalsOf([PARIS, { http: s > 300 ? 100 : 2, dns: 0 }]), NOBODY);
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
});
