import { describe, expect, it } from "vitest";
import { createDrains, type Draining } from "../../src/draining/drains.ts";
import { movedShare } from "../../src/draining/pace.ts";

const START_MS = 1_700_000_000_000;
const MINUTE_MS = 60_000;

/** As both clocks show it. */
const moment = (wallMs: number) => ({ wallMs, monotonicMs: wallMs - START_MS });

const drainOf = (rest: Partial<Draining> = {}): Draining => ({
  edgeId: "ams1",
  sinceMs: START_MS,
  room: Number.POSITIVE_INFINITY,
  keptForMs: 20_000,
  ...rest,
});

describe("the share that is to leave", () => {
  const at = (seconds: number, rest: Partial<Parameters<typeof movedShare>[0]> = {}) =>
    movedShare({
      movedShare: 0,
      startMs: START_MS,
      wallMs: START_MS + seconds * 1000,
      seconds: 1,
      left: 100,
      room: Number.POSITIVE_INFINITY,
      ...rest,
    });

  it("is everyone at once, without a deadline and with room enough", () => {
    expect(at(0)).toBe(1);
  });

  it("grows evenly towards a deadline, and is everyone so early that the last can still ask", () => {
    const deadlineMs = START_MS + 60 * MINUTE_MS;
    const minutes = [0, 15, 30, 45, 58.75, 60].map((minute) => at(minute * 60, { deadlineMs }));
    expect(minutes.map((share) => Number(share.toFixed(2)))).toEqual([0, 0.26, 0.51, 0.77, 1, 1]);
    expect(at(0, { deadlineMs: START_MS - 1 })).toBe(1);
    expect(at(30, { deadlineMs: START_MS + MINUTE_MS })).toBe(1);
  });

  it("never falls", () => {
    expect(at(0, { movedShare: 0.7, deadlineMs: START_MS + MINUTE_MS })).toBe(0.7);
  });

  it("grows no faster than the others take viewers up", () => {
    // 20 seconds for what they have room for: 40 of 100 viewers in 20 s are 2 % a second.
    expect(at(0, { room: 40 })).toBeCloseTo(0.02);
    expect(at(0, { room: 0 })).toBe(0);
    expect(at(0, { room: 40, movedShare: 0.5, left: 50 })).toBeCloseTo(0.52);
    expect(at(0, { room: 0, left: undefined })).toBe(1);
  });
});

describe("a drain", () => {
  /** Viewers who ask every 10 s, an edge that they go to with so much room, and reports of both. */
  function simulate(options: { viewers: number; room: number; deadlineMs?: number; seconds: number }) {
    const drains = createDrains();
    const lots = Array.from({ length: options.viewers }, (_, i) => (i + 0.5) / options.viewers);
    let playing = lots;
    let mostPerTick = 0;
    for (let second = 0; second < options.seconds; second++) {
      const wallMs = START_MS + second * 1000;
      const taken = options.viewers - playing.length;
      const { deadlineMs } = options;
      const draining = drainOf({
        viewers: playing.length,
        room: Math.max(0, options.room - taken),
        ...(deadlineMs === undefined ? {} : { deadlineMs }),
      });
      drains.tick([draining], moment(wallMs));
      const before = playing.length;
      playing = playing.filter((lot, i) => {
        if (i % 10 !== second % 10) return true;
        drains.seen("ams1", lot, wallMs - START_MS);
        return !drains.isToLeave("ams1", lot);
      });
      mostPerTick = Math.max(mostPerTick, before - playing.length);
    }
    return {
      left: playing.length,
      taken: options.viewers - playing.length,
      mostPerTick,
      view: drains.view("ams1"),
    };
  }

  it("ends by its deadline, evenly", () => {
    const deadlineMs = START_MS + 10 * MINUTE_MS;
    const half = simulate({ viewers: 600, room: 10_000, deadlineMs, seconds: 300 });
    expect(half.left).toBeGreaterThan(200);
    expect(half.left).toBeLessThan(400);
    expect(half.mostPerTick).toBeLessThan(20);
    const { emptyAtMs = 0 } = half.view ?? {};
    expect(Math.abs(emptyAtMs - deadlineMs)).toBeLessThan(5 * MINUTE_MS);
    const end = simulate({ viewers: 600, room: 10_000, deadlineMs, seconds: 601 });
    expect(end.left).toBe(0);
    expect(end.view).toMatchObject({ viewersLeft: 0, movedShare: 1 });
    expect(end.view?.emptySinceMs).toBeLessThanOrEqual(deadlineMs);
  });

  it("fills the others no further than they have room, whatever the deadline", () => {
    const deadlineMs = START_MS + 2 * MINUTE_MS;
    const { taken, left, view } = simulate({ viewers: 600, room: 100, deadlineMs, seconds: 1200 });
    expect(taken).toBeGreaterThan(50);
    expect(taken).toBeLessThanOrEqual(110);
    expect(view).toMatchObject({ viewersLeft: left });
    expect(view).not.toHaveProperty("emptySinceMs");
  });

  it("is told to be done once, when nobody is left and no answer that names it is kept any more", () => {
    const told: string[] = [];
    const drains = createDrains({ onEmpty: (id) => told.push(id) });
    const tick = (second: number, viewers: number): void =>
      drains.tick([drainOf({ viewers })], moment(START_MS + second * 1000));
    tick(0, 0);
    tick(19, 0);
    expect(told).toEqual([]);
    expect(drains.view("ams1")?.keptUntilMs).toBe(START_MS + 20_000);
    tick(20, 0);
    expect(drains.view("ams1")).not.toHaveProperty("keptUntilMs");
    tick(21, 0);
    expect(told).toEqual(["ams1"]);
    expect(drains.view("ams1")?.emptySinceMs).toBe(START_MS + 20_000);
    tick(22, 1);
    expect(drains.view("ams1")).not.toHaveProperty("emptySinceMs");
    drains.tick([], moment(START_MS + 23_000));
    expect(drains.view("ams1")).toBeUndefined();
    expect(drains.isToLeave("ams1", 0)).toBe(false);
  });

  it("counts by steering calls where nothing is reported, without anybody who plays elsewhere or has gone", () => {
    const drains = createDrains();
    const tick = (second: number): void => drains.tick([drainOf()], moment(START_MS + second * 1000));
    tick(0);
    expect(drains.view("ams1")).not.toHaveProperty("viewersLeft");
    for (const lot of [0.1, 0.2, 0.3, 0.1]) drains.seen("ams1", lot, 0);
    tick(1);
    expect(drains.view("ams1")).toMatchObject({ viewersLeft: 3, steeredHere: 3 });
    expect([...drains.all()]).toEqual([["ams1", drains.view("ams1")]]);
    drains.seen("sin1", 0.1, 2000);
    drains.seen(undefined, 0.2, 2000);
    tick(3);
    expect(drains.view("ams1")).toMatchObject({ viewersLeft: 2 });
    tick(151);
    expect(drains.view("ams1")).toMatchObject({ viewersLeft: 0, emptySinceMs: START_MS + 151_000 });
  });

  it("wants players to ask soon: at first, or towards the deadline, until it is empty", () => {
    const hasty = (second: number, rest: Partial<Draining>): boolean => {
      const drains = createDrains();
      drains.tick([drainOf(rest)], moment(START_MS + second * 1000));
      return drains.isHasty(["sin1", "ams1"], second * 1000);
    };
    expect(hasty(0, {})).toBe(true);
    expect(hasty(601, {})).toBe(false);
    expect(hasty(0, { deadlineMs: START_MS + 3_600_000 })).toBe(false);
    expect(hasty(3001, { deadlineMs: START_MS + 3_600_000 })).toBe(true);
    expect(hasty(30, { viewers: 0 })).toBe(false);
    const { sinceMs: _, ...byFile } = drainOf();
    const drains = createDrains();
    drains.tick([byFile], moment(START_MS));
    expect(drains.isHasty(["ams1"], 0)).toBe(false);
    expect(drains.isToLeave("ams1", 0.99)).toBe(true);
  });

  it("starts anew when it is set anew", () => {
    const drains = createDrains();
    const deadlineMs = START_MS + 60 * MINUTE_MS;
    drains.tick([drainOf()], moment(START_MS));
    expect(drains.isToLeave("ams1", 0.9)).toBe(true);
    drains.tick([drainOf({ sinceMs: START_MS + 1000, deadlineMs })], moment(START_MS + 1000));
    expect(drains.isToLeave("ams1", 0.9)).toBe(false);
  });

  it.each([10 * 365 * 86_400_000, -86_400_000])(
    "goes on as before when the wall clock jumps by %i ms",
    (jumpMs) => {
      const told: string[] = [];
      const drains = createDrains({ onEmpty: (id) => told.push(id) });
      const draining = [drainOf({ deadlineMs: START_MS + 60 * MINUTE_MS })];
      drains.tick(draining, { wallMs: START_MS, monotonicMs: 0 });
      drains.seen("ams1", 0.5, 0);
      drains.tick(draining, { wallMs: START_MS + 30 * MINUTE_MS + jumpMs, monotonicMs: 100_000 });
      drains.seen("ams1", 0.25, 100_000);
      expect(told).toEqual([]);
      expect(drains.view("ams1")).toMatchObject({ viewersLeft: 1 });
      expect(drains.isToLeave("ams1", 0.25)).toBe(false);
      drains.tick(draining, { wallMs: START_MS + 31 * MINUTE_MS + jumpMs, monotonicMs: 30 * MINUTE_MS });
      expect(drains.isToLeave("ams1", 0.25)).toBe(true);
      expect(told, "both have been silent for long").toEqual(["ams1"]);
    },
  );
});
