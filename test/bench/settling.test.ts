import { describe, expect, it } from "vitest";
import { parseScenario } from "../../bench/selection/judge.mjs";
import { settling, settlingOf } from "../../bench/selection/settling.mjs";

const STEP_SECOND = 200;

/** A price each second for ten minutes. */
function prices(priceAt: (sinceStepSeconds: number) => number): number[] {
  return Array.from({ length: 600 }, (_, second) => priceAt(second - STEP_SECOND));
}

describe("a price after a step", () => {
  it("is settled at once where it goes to another level", () => {
    expect(
      settling(
        prices((s) => (s < 0 ? 100 : 900)),
        STEP_SECOND,
      ),
    ).toEqual({
      settlesSeconds: 0,
      beforeKm: 0,
      afterKm: 0,
    });
  });

  it("settles when it has gone to and fro for the last time", () => {
    const { settlesSeconds, beforeKm, afterKm } = settling(
      prices((s) => (s < 0 ? 100 : 900 + (s < 25 && s % 10 < 5 ? 300 : 0))),
      STEP_SECOND,
    );
    expect(settlesSeconds).toBe(25);
    expect([beforeKm, afterKm]).toEqual([0, 0]);
  });

  it("does not settle while it goes on", () => {
    const { settlesSeconds, afterKm } = settling(
      prices((s) => (s < 0 ? 100 : 900 + (s % 20 < 10 ? 0 : 200))),
      STEP_SECOND,
    );
    expect(settlesSeconds).toBeGreaterThan(380);
    expect(afterKm).toBe(200);
  });

  it("may move by a tenth, or by 50 km", () => {
    const swinging = (km: number, byKm: number) =>
      settling(
        prices((s) => km + (s >= 0 && s % 20 < 9 ? byKm : 0)),
        STEP_SECOND,
      ).settlesSeconds;
    expect(swinging(100, 49)).toBe(0);
    expect(swinging(100, 51)).toBeGreaterThan(0);
    expect(swinging(5000, 499)).toBe(0);
    expect(swinging(5000, 501)).toBeGreaterThan(0);
  });
});

const THREE_EDGES = `
about: Three edges
duration: 10m
edges:
  - { id: fra1, location: { latitude: 50.11, longitude: 8.68 }, capacity: 1200 }
  - { id: nyc1, location: { latitude: 40.71, longitude: -74.01 }, capacity: 1200 }
  - { id: sha1, location: { latitude: 31.23, longitude: 121.47 }, capacity: 1200 }
demand: { viewers: 1300 }
stays: { shortest: 2m, longest: 20m }
faults: [{ edge: sha1, kind: down, from: 3m, until: 10m }]
`;

/** From the end of the warm-up on. */
const STEP_AT_MS = 180_000;

describe("the engine's prices", () => {
  it("settle within half a minute of a loss", { timeout: 60_000 }, async () => {
    const scenario = parseScenario(THREE_EDGES, "three.yaml");
    if ("problems" in scenario) throw new Error(scenario.problems.join("\n"));
    const settlings = await settlingOf(scenario, STEP_AT_MS);
    const highestKm = Math.max(...settlings.map(({ priceKm }) => priceKm));
    expect(highestKm).toBeGreaterThan(1000);
    for (const { settlesSeconds } of settlings) expect(settlesSeconds).toBeLessThanOrEqual(30);
  });
});
