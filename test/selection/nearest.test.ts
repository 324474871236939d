import { describe, expect, it, vi } from "vitest";
import { distanceKm, unitVector } from "../../src/base/sphere.ts";
import { finished } from "../../src/base/steps.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import type { Edge } from "../../src/model/edge.ts";
import { KEPT_EDGES, Nearest } from "../../src/selection/nearest.ts";
import { wordsFrom } from "../random.ts";
import { plainInventory } from "../inventory.ts";
import { edgeAt, serviceOf, worldOf } from "./fixture.ts";

const EDGES = Array.from({ length: 40 }, (_, i) => edgeAt(`e${i}`, i, ((i * 37) % 120) - 60, i * 9 - 180));
const ALL = EDGES.map(({ index }) => index);

function nearestIn(nearest: Nearest, members: readonly number[], latitude: number, longitude: number) {
  const row = nearest.rowOf(nearest.poolOf(members), latitude, longitude);
  const count = Math.min(KEPT_EDGES, members.length);
  return Array.from(nearest.edges.subarray(row, row + count));
}

function dueIn(edges: readonly Edge[], members: readonly number[], latitude: number, longitude: number) {
  const here = unitVector({ latitude, longitude });
  const kmTo = (edge: number): number => distanceKm(here, unitVector((edges[edge] as Edge).location));
  return members.toSorted((a, b) => kmTo(a) - kmTo(b)).slice(0, KEPT_EDGES);
}

describe("what is known of distances, by the next configuration,", () => {
  it("is kept where no edge has moved", () => {
    const before = Nearest.of(EDGES);
    const row = before.rowOf(before.poolOf(ALL), 52, 5);
    const after = Nearest.of(
      EDGES.map((edge) => ({ ...edge, weight: 3 })),
      before,
    );
    expect(after).toBe(before);
    expect(after.rowOf(after.poolOf(ALL), 52, 5)).toBe(row);
  });

  it("is what the engine goes by when a configuration is taken, prepared or not", () => {
    const of = vi.spyOn(Nearest, "of");
    const inventories = [1, 2, 3].map((generation) =>
      plainInventory({ generation, edges: EDGES, services: [serviceOf(EDGES)] }),
    );
    const redirector = createRedirector(() => ({ location: { layer: "none" }, prefixLength: 24 }));
    for (const inventory of inventories) {
      const { generation } = inventory;
      if (generation === 2) finished(redirector.prepareInSteps(inventory));
      redirector.take(inventory, { ...worldOf(EDGES), generation });
    }
    expect(new Set(of.mock.results.map(({ value }) => value)).size).toBe(1);
    expect(of).toHaveBeenCalledTimes(inventories.length);
    of.mockRestore();
  });

  it("is right for whichever edges a service has now", () => {
    const random = wordsFrom(3);
    let nearest = Nearest.of(EDGES);
    for (let round = 0; round < 20; round++) {
      nearest = Nearest.of(EDGES, nearest);
      for (let service = 0; service < 4; service++) {
        const members = ALL.filter(() => random() % 3 === 0);
        for (let i = 0; i < 10; i++) {
          const [latitude, longitude] = [7.3 * i - 30, 31.7 * i - 170];
          expect(nearestIn(nearest, members, latitude, longitude)).toEqual(
            dueIn(EDGES, members, latitude, longitude),
          );
        }
      }
    }
  });

  it.each<[string, readonly Edge[]]>([
    ["moved", EDGES.map((edge) => (edge.index === 7 ? edgeAt("e7", 7, 52.1, 5.1) : edge))],
    ["come", [...EDGES, edgeAt("new", EDGES.length, 52.1, 5.1)]],
    ["gone", EDGES.slice(0, -1)],
  ])("is found anew where an edge has %s", (_what, edges) => {
    const before = Nearest.of(EDGES);
    nearestIn(before, ALL, 52, 5);
    const members = edges.map(({ index }) => index);
    expect(nearestIn(Nearest.of(edges, before), members, 52, 5)).toEqual(dueIn(edges, members, 52, 5));
  });
});
