import { describe, expect, it } from "vitest";
import { backoffMs } from "../../src/agent/backoff.ts";
import type { Delivery } from "../../src/agent/deliver.ts";
import { startPushing } from "../../src/agent/pushing.ts";
import type { LoadReport } from "../../src/model/condition.ts";
import { createFakeClock } from "../base/fake-clock.ts";

function agent(answer: () => Delivery) {
  const clock = createFakeClock();
  const delivered: [ms: number, viewers: number | undefined][] = [];
  const logged: string[] = [];
  let report: LoadReport | undefined = { viewers: 0 };
  const pushing = startPushing({
    deliver: (report) => {
      delivered.push([clock.monotonicMs(), report.viewers]);
      return Promise.resolve(answer());
    },
    newest: () => report,
    intervalMs: 5000,
    log: {
      info: (_, message) => void logged.push(message),
      warn: (_, message) => void logged.push(message),
      error: (_, message) => void logged.push(message),
    },
    clock,
    random: () => 0.5,
  });
  return {
    clock,
    delivered,
    logged,
    pushing,
    set: (next: LoadReport | undefined) => {
      report = next;
    },
  };
}

const TAKEN: Delivery = { kind: "taken" };
const LOST: Delivery = { kind: "unreached", problem: "connection refused" };

describe("pushing", () => {
  it("delivers at once, then at most once per interval, the newest of what was offered", async () => {
    const { clock, delivered, pushing, set } = agent(() => TAKEN);
    for (let i = 1; i <= 12; i++) {
      set({ viewers: i });
      pushing.offer();
      await clock.advance(1000);
    }
    expect(delivered).toEqual([
      [0, 1],
      [5000, 5],
      [10_000, 10],
    ]);
  });

  it("delivers nothing again that nobody offered anew", async () => {
    const { clock, delivered, pushing } = agent(() => TAKEN);
    pushing.offer();
    await clock.advance(60_000);
    expect(delivered).toHaveLength(1);
  });

  it("waits longer after each failure, tells of the first, and then delivers the newest", async () => {
    let isUp = false;
    const { clock, delivered, logged, pushing, set } = agent(() => (isUp ? TAKEN : LOST));
    pushing.offer();
    await clock.advance(5000);
    expect(delivered.map(([ms]) => ms)).toEqual([0, 750, 2250]);
    expect(logged).toEqual(["the service does not take reports; trying on"]);
    isUp = true;
    set({ viewers: 9 });
    await clock.advance(1000);
    expect(delivered.at(-1)).toEqual([5250, 9]);
    expect(logged.at(-1)).toBe("reports are taken again");
  });

  it("tells of each other reason in a row of failures, once", async () => {
    const refusal: Delivery = { kind: "refused", status: 401, problem: "it answers 401" };
    const answers = [LOST, LOST, refusal, refusal, LOST];
    const { clock, delivered, logged, pushing } = agent(() => answers.shift() ?? TAKEN);
    pushing.offer();
    await clock.advance(120_000);
    expect(delivered).toHaveLength(6);
    expect(logged).toEqual([
      ...Array<string>(3).fill("the service does not take reports; trying on"),
      "reports are taken again",
    ]);
  });

  it("delivers nothing when nothing is known any more", async () => {
    const { clock, delivered, pushing, set } = agent(() => LOST);
    pushing.offer();
    await clock.advance(100);
    set(undefined);
    await clock.advance(120_000);
    expect(delivered).toHaveLength(1);
    set({ viewers: 3 });
    pushing.offer();
    await clock.advance(1);
    expect(delivered.at(-1)?.[1]).toBe(3);
  });

  it("stops", async () => {
    const { clock, delivered, pushing } = agent(() => LOST);
    pushing.offer();
    await clock.advance(1);
    pushing.stop();
    pushing.offer();
    await clock.advance(120_000);
    expect(delivered).toHaveLength(1);
  });
});

describe("backoff", () => {
  it("doubles from a second to a minute, half of it by lot", () => {
    expect([1, 2, 3, 6, 7, 50, 1e6].map((failures) => backoffMs(failures, () => 0))).toEqual([
      500, 1000, 2000, 16_000, 30_000, 30_000, 30_000,
    ]);
    expect(backoffMs(1, () => 0.999)).toBeCloseTo(999.5);
  });
});
