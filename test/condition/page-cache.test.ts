import { describe, expect, it } from "vitest";
import { bindingLoad, withoutPageCache } from "../../src/condition/page-cache.ts";
import type { Capacity, LoadSource } from "../../src/model/edge.ts";

const polled = { url: "http://192.0.2.1/", intervalMs: 5000, timeoutMs: 1000, staleAfterMs: 30_000 } as const;
const NIMBLE: LoadSource = { type: "nimble", ...polled };
const EXPORTER: LoadSource = { type: "node-exporter", ...polled };

/** What can fill an edge whose sources each told this share of their memory a second ago, or nothing. */
function binding(told: readonly (readonly [LoadSource, number | undefined])[], capacity: Capacity = {}) {
  const reports = told.map(([{ staleAfterMs }, memory]) => ({
    report: { viewers: 5, ...(memory === undefined ? {} : { memory }) },
    atMs: 1000,
    staleAfterMs,
  }));
  const memory = told.find(([, memory]) => memory !== undefined)?.[1] ?? 0;
  return bindingLoad(
    { viewers: 5, memory },
    { capacity, load: told.map(([source]) => source) },
    reports,
    2000,
  );
}

describe("memory that holds the page cache", () => {
  it("does not fill an edge, whatever there is of it", () => {
    expect(binding([[NIMBLE, 0.99]])).toEqual({ viewers: 5 });
  });

  it("does where the operator says at how much", () => {
    expect(binding([[NIMBLE, 0.99]], { memory: 0.9 })).toEqual({ viewers: 5, memory: 0.99 });
  });

  it("is that of the source which tells it", () => {
    const [first, second] = [
      [NIMBLE, undefined],
      [EXPORTER, 0.99],
    ] as const;
    expect(binding([first, second])).toEqual({ viewers: 5, memory: 0.99 });
    expect(binding([[NIMBLE, 0.5], second])).toEqual({ viewers: 5 });
  });

  it("is not brought by an agent", () => {
    const report = { viewers: 5, cpu: 0.5, memory: 0.99 };
    expect(withoutPageCache(report, NIMBLE)).toEqual({ viewers: 5, cpu: 0.5 });
    expect(withoutPageCache(report, EXPORTER)).toBe(report);
  });
});
