import { describe, expect, it } from "vitest";
import { levelOf } from "../../src/condition/load-level.ts";
import { bindingOf, mergeReports, type Received } from "../../src/condition/merge.ts";
import type { Capacity } from "../../src/model/edge.ts";
import type { LoadReport } from "../../src/model/condition.ts";

const received = (report: LoadReport, atMs = 0, staleAfterMs = 100): Received => ({
  report,
  atMs,
  staleAfterMs,
});

describe("several sources", () => {
  it("are merged field by field, the first that knows one wins", () => {
    const sources = [
      received({ viewers: 0, cpu: 0.1 }),
      undefined,
      received({ viewers: 9, bandwidth: 5, streams: [] }),
    ];
    expect(mergeReports(sources, 50)).toEqual({ viewers: 0, cpu: 0.1, bandwidth: 5, streams: [] });
  });

  it("give way to the next when they are stale", () => {
    const sources = [received({ viewers: 1 }, 0, 100), received({ viewers: 2 }, 0, 1000)];
    expect(mergeReports(sources, 99)).toEqual({ viewers: 1 });
    expect(mergeReports(sources, 100)).toEqual({ viewers: 2 });
    expect(mergeReports(sources, 1000)).toEqual({});
  });
});

describe("capacities that servers state", () => {
  it("are merged field by field, too", () => {
    const sources = [
      received({ viewers: 1, capacity: { viewers: 10 } }),
      received({ capacity: { viewers: 99, bandwidth: 5 } }, 0, 1000),
    ];
    expect(mergeReports(sources, 50)).toEqual({ viewers: 1, capacity: { viewers: 10, bandwidth: 5 } });
    expect(mergeReports(sources, 500)).toEqual({ capacity: { viewers: 99, bandwidth: 5 } });
  });

  it("serve where the operator gave none", () => {
    const load = { viewers: 50, bandwidth: 30, capacity: { viewers: 100, bandwidth: 40 } };
    expect(bindingOf(load, {}).ratio).toBe(0.75);
    expect(bindingOf(load, { bandwidth: 300 }).ratio).toBe(0.5);
    expect(bindingOf(load, { viewers: 1000, bandwidth: 300 }).ratio).toBe(0.1);
  });
});

describe("the load ratio", () => {
  it.each<[string, LoadReport, Capacity, number]>([
    ["the processors', where they strain", { viewers: 10, cpu: 0.95 }, { viewers: 100 }, 1],
    ["the memory's, where it strains", { viewers: 10, memory: 0.9 }, { viewers: 100, memory: 0.9 }, 1],
    ["by the limit that was configured", { cpu: 0.45 }, { cpu: 0.5 }, 0.9],
    ["not the processors', where they do not", { viewers: 10, cpu: 0.7, memory: 0.7 }, { viewers: 100 }, 0.1],
    ["unknown where only processors are known, and do not strain", { cpu: 0.3 }, {}, Number.NaN],
    ["the one that binds", { viewers: 10, bandwidth: 90 }, { viewers: 100, bandwidth: 100 }, 0.9],
    ["the one that is known", { viewers: 10 }, { viewers: 100, bandwidth: 100 }, 0.1],
    ["the one that is limited", { viewers: 10, bandwidth: 90 }, { viewers: 100 }, 0.1],
    ["more than full under overload", { viewers: 150 }, { viewers: 100 }, 1.5],
    ["unknown without a report", {}, { viewers: 100 }, Number.NaN],
    ["unknown without a limit", { viewers: 10 }, {}, Number.NaN],
    ["full where there is no room at all", {}, { viewers: 0 }, 1],
    ["empty at nothing", { viewers: 0 }, { viewers: 100 }, 0],
  ])("is %s", (_, load, capacity, ratio) => {
    expect(bindingOf(load, capacity).ratio).toBe(ratio);
  });

  it("makes news when an edge is full, and again only when it has room to speak of", () => {
    expect(levelOf(1, "room")).toBe("full");
    expect(levelOf(0.99, "full")).toBe("full");
    expect(levelOf(0.99, "room")).toBe("room");
    expect(levelOf(0.94, "full")).toBe("room");
    expect(levelOf(Number.NaN, "full")).toBe("unknown");
  });
});
