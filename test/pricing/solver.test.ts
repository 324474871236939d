import { afterEach, describe, expect, it } from "vitest";
import type { Look } from "../../src/pricing/look-ahead.ts";
import { type Solver, solveHere } from "../../src/pricing/solver.ts";
import { solveInThread } from "../../src/pricing/solver-thread.ts";

const AMSTERDAM = { latitude: 52.37, longitude: 4.9 };
const FRANKFURT = { latitude: 50.11, longitude: 8.68 };
const POOLS = [{ edges: [0, 1], maxDistanceKm: Number.POSITIVE_INFINITY, ttlSeconds: 30, isPriced: true }];

/** Amsterdam has room for so many of the hundred who want to go there. */
function lookOf(room: number): Look {
  const utrecht = { pool: 0, latitude: 52.09, longitude: 5.12, viewers: 100 };
  const cologne = { pool: 0, latitude: 50.94, longitude: 6.96, viewers: 10 };
  return { regions: [utrecht, cologne], room: Float64Array.of(room, 1000) };
}

let solver: Solver;
afterEach(() => solver.stop());

describe.each([
  ["here", solveHere],
  [
    "in a thread",
    () =>
      solveInThread(() => {
        throw new Error("the thread has died");
      }),
  ],
] as const)("a solver %s", (_, create) => {
  const ask = (looks: Look[], isSudden = false) =>
    new Promise<Float64Array>((resolve) => solver.solve([looks], isSudden, resolve));

  it("finds prices, and goes on from them", async () => {
    solver = create();
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    const [amsterdam = 0, frankfurt] = await ask([lookOf(60)]);
    // As much nearer as Amsterdam is to Utrecht.
    expect(amsterdam).toBeGreaterThan(250);
    expect(amsterdam).toBeLessThan(400);
    expect(frankfurt).toBe(0);
    // With room for all it becomes free again, step by step.
    const [next = 0] = await ask([lookOf(1000)]);
    expect(next).toBeCloseTo(amsterdam - 45);
  });

  it("goes on from none where something has come or gone", async () => {
    solver = create();
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    const [before = 0] = await ask([lookOf(60)]);
    expect((await ask([lookOf(1000)], true))[0]).toBe(0);
    const [again = 0] = await ask([lookOf(60)], true);
    expect(Math.abs(again - before)).toBeLessThan(45);
    // It is what the next goes on from.
    expect((await ask([lookOf(1000)]))[0]).toBeCloseTo(again - 45);
  });

  it("gives the mean of what several outcomes cost, of which a new one goes on from the first", async () => {
    solver = create();
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    const [full = 0] = await ask([lookOf(60)]);
    const free = full - 45;
    const both = () =>
      new Promise<Float64Array>((resolve) => solver.solve([[lookOf(1000)], [lookOf(60)]], false, resolve));
    expect((await both())[0]).toBeCloseTo((free + full) / 2, -1);
    expect((await both())[0]).toBeCloseTo((free - 45 + full) / 2, -1);
    expect((await ask([lookOf(1000)]))[0]).toBeCloseTo(free - 90);
  });

  it("takes what it knows of an edge along to another index", async () => {
    solver = create();
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    const [before = 0] = await ask([lookOf(60)]);
    solver.take([FRANKFURT, AMSTERDAM], POOLS, [1, 0]);
    const turned = { ...lookOf(1000), room: Float64Array.of(1000, 1000) };
    const [frankfurt, amsterdam] = await ask([turned]);
    expect(amsterdam).toBeCloseTo(before - 45);
    expect(frankfurt).toBe(0);
  });
});

describe("a solver in a thread", () => {
  it("answers the last question where they come faster than it answers", async () => {
    solver = solveInThread(() => {});
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    const answered: string[] = [];
    await new Promise<void>((resolve) => {
      solver.solve([[lookOf(90)]], false, () => answered.push("first"));
      solver.solve([[lookOf(60)]], false, () => answered.push("second"));
      solver.solve([[lookOf(30)]], false, () => {
        answered.push("third");
        resolve();
      });
    });
    expect(answered).toEqual(["first", "third"]);
  });

  it("does not answer what was asked before other edges were taken", async () => {
    solver = solveInThread(() => {});
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    const answered: number[] = [];
    solver.solve([[lookOf(60)]], false, ({ length }) => answered.push(length));
    solver.take([AMSTERDAM], [{ edges: [0], maxDistanceKm: 1000, ttlSeconds: 30, isPriced: true }], [0]);
    const one = { ...lookOf(60), room: Float64Array.of(1000) };
    await new Promise<void>((resolve) => {
      solver.solve([[one]], false, ({ length }) => {
        answered.push(length);
        resolve();
      });
    });
    expect(answered).toEqual([1]);
  });

  it("has another thread where one dies, and goes on", async () => {
    const deaths: string[] = [];
    solver = solveInThread(({ reason }) => deaths.push(reason));
    solver.take([AMSTERDAM, FRANKFURT], POOLS, [-1, -1]);
    // No room at all for an edge that is not there: the thread fails on it.
    solver.solve([[{ regions: [], room: undefined as unknown as Float64Array }]], false, () =>
      deaths.push("answered"),
    );
    while (deaths.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(deaths[0]).not.toBe("answered");
    const found: (number | undefined)[] = [];
    while (found.length === 0) {
      solver.solve([[lookOf(60)]], false, ([amsterdam]) => found.push(amsterdam));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(found[0]).toBeGreaterThan(250);
  });
});
