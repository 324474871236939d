import { afterEach, beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { createBoard } from "../../src/condition/board.ts";
import type { World } from "../../src/model/world.ts";
import { createWorlds } from "../../src/control/worlds.ts";
import type { Solver } from "../../src/pricing/solver.ts";
import { createFakeClock } from "../base/fake-clock.ts";
import { plainEdge, plainInventory, plainService } from "../inventory.ts";

/** The world of each second is made by none of these. */
beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const NOBODY = (): [] => [];
/** Prices that are found would make a world whenever a thread is as far. */
const neverAnswers = (): Solver => ({ take() {}, solve() {}, stop: async () => {} });

/** One edge for a hundred viewers that reports its load, the board that knows it and the worlds made of that. */
function worldsOfOneEdge() {
  const inventory = plainInventory({
    edges: [
      plainEdge("ams1", { capacity: { viewers: 100 }, load: [{ type: "push", staleAfterMs: 30_000 }] }),
    ],
    services: [plainService()],
  });
  const clock = createFakeClock();
  const made: World[] = [];
  const board = createBoard({ clock, onFacts: (facts) => worlds.learn(facts) });
  const worlds = createWorlds({
    board,
    takeArrivals: NOBODY,
    staleStreams: () => new Map(),
    kept: NOBODY,
    heat: () => undefined,
    corrections: () => undefined,
    onWorld: (world) => void made.push(world),
    log: { error() {} },
    newSolver: neverAnswers,
  });
  onTestFinished(async () => {
    board.stop();
    await worlds.stop();
  });
  board.take(inventory);
  worlds.take(inventory);
  return { board, worlds, clock, made };
}

it("tells at once who is up, who drains and who is full or nearly; other loads with the next world", async () => {
  const { board, clock, made } = worldsOfOneEdge();
  const worldsAfter = async (change: () => void): Promise<number> => {
    const before = made.length;
    change();
    await clock.advance(100);
    return made.length - before;
  };
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 40 })), "known").toBe(1);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 41 }))).toBe(0);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 40 }))).toBe(0);
  expect(await worldsAfter(() => board.health("ams1", { family: 4, health: "up" }))).toBe(1);
  expect(made.at(-1)?.loadRatio[0]).toBeCloseTo(0.4, 2);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 60 }))).toBe(0);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 96 })), "nearly full").toBe(1);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 98 }))).toBe(0);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 100 })), "full").toBe(1);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 101 }))).toBe(0);
  expect(await worldsAfter(() => board.report("ams1", 0, { viewers: 99 }))).toBe(1);
  expect(await worldsAfter(() => board.setState("ams1", { state: "drain", by: "eva", reason: "disk" }))).toBe(
    1,
  );
  expect(await worldsAfter(() => board.health("ams1", { family: 4, health: "up", inDoubt: true }))).toBe(1);
});

it("hands over the viewers whom no report shows yet, and expects those of another process", async () => {
  const first = worldsOfOneEdge();
  first.board.health("ams1", { family: 4, health: "up" });
  first.board.report("ams1", 0, { viewers: 40 });
  await first.clock.advance(100);
  expect(first.worlds.unseen()).toEqual({});
  const { counts, slot } = first.worlds.current().sent;
  Atomics.add(counts, slot[0] as number, 7);
  const { ams1 } = first.worlds.unseen();
  expect(ams1).toBeCloseTo(7, 0);

  const next = worldsOfOneEdge();
  next.board.remember(first.board.memory());
  next.board.health("ams1", { family: 4, health: "up" });
  await next.clock.advance(100);
  expect(next.worlds.current().loadRatio[0]).toBeCloseTo(0.4, 2);
  next.worlds.expect({ ams1: 7, gone: 3 });
  next.worlds.refresh();
  expect(next.worlds.current().loadRatio[0]).toBeCloseTo(0.47, 2);
});

it("hands over what the prices go by", () => {
  const [first, next] = [worldsOfOneEdge(), worldsOfOneEdge()];
  const learned = { ...first.worlds.learned(), pricesKm: { ams1: 70, gone: 7 } };
  next.worlds.remember(learned);
  next.worlds.refresh();
  expect([...next.worlds.current().priceKm]).toEqual([70]);
  expect(next.worlds.learned()).toEqual({ ...learned, pricesKm: { ams1: 70 } });
});

it("takes in what a second brought with pauses, and at once where a world is wanted before", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "setTimeout", "clearTimeout"] });
  const { worlds, made } = worldsOfOneEdge();
  const before = made.length;
  vi.advanceTimersByTime(1001);
  expect(made.length, "not in the turn of the tick").toBe(before);
  vi.advanceTimersByTime(100);
  expect(made.length, "but soon").toBe(before + 1);
  vi.advanceTimersByTime(901);
  worlds.refresh();
  expect(made.length).toBe(before + 2);
  vi.advanceTimersByTime(100);
  expect(made.length, "nothing was left to be taken in").toBe(before + 2);
});
