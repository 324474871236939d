import { describe, expect, it, vi } from "vitest";
import { distanceKm, unitVector } from "../../src/base/sphere.ts";
import { finished } from "../../src/base/steps.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import type { Edge } from "../../src/model/edge.ts";
import { Nearest } from "../../src/selection/nearest.ts";
import { KEPT_EDGES } from "../../src/selection/nearest-table.ts";
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

/** With distances. */
function rowIn(nearest: Nearest, members: readonly number[], latitude: number, longitude: number) {
  const row = nearest.rowOf(nearest.poolOf(members), latitude, longitude);
  const count = Math.min(KEPT_EDGES, members.length);
  return [nearest.edges, nearest.km].map((all) => Array.from(all.subarray(row, row + count)));
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

  it("is put right wherever edges have come, gone and moved, some of them to one place", () => {
    const random = wordsFrom(5);
    const newEdge = (id: number): Edge =>
      edgeAt(`n${id}`, 0, (random() % 9) * 12 - 50, (random() % 12) * 30 - 170);
    const indexed = (edges: readonly Edge[]): Edge[] => edges.map((edge, index) => ({ ...edge, index }));
    const places = Array.from({ length: 40 }, (_, i) => [7.3 * (i % 11) - 30, 9.7 * i - 170] as const);
    let edges = indexed(Array.from({ length: 30 }, (_, i) => newEdge(i)));
    let served = [...edges.keys()].map((index) => [index % 2 === 0, index % 3 === 0, index < 14]);
    let nearest = Nearest.of(edges);
    for (let round = 1; round < 60; round++) {
      // Each comes, goes or moves seldom, and often none does.
      const rare = round % 3 === 0 ? 8 : 200;
      const stays = edges.map(() => random() % rare !== 0);
      const moved = edges.map((edge) => (random() % rare === 0 ? newEdge(Number(edge.id.slice(1))) : edge));
      const at = random() % (edges.length + 1);
      const come = [newEdge(1000 + round)];
      const isServed = Array.from({ length: 3 }, () => random() % 2 === 0);
      const pairs = moved.map((edge, i) => ({ edge, by: served[i] as boolean[] })).filter((_, i) => stays[i]);
      pairs.splice(at, 0, ...come.map((edge) => ({ edge, by: isServed })));
      edges = indexed(pairs.map(({ edge }) => edge));
      served = pairs.map(({ by }) => by);
      nearest = Nearest.of(edges, nearest);
      for (let service = 0; service < 4; service++) {
        const members = [...edges.keys()].filter(
          (index) => service === 3 || served[index]?.[service] === true,
        );
        const fresh = Nearest.of(edges);
        for (const [latitude, longitude] of places.filter(() => random() % 8 !== 0)) {
          const all = [nearest, fresh].map((one) => rowIn(one, members, latitude, longitude));
          expect(all[0]).toEqual(all[1]);
        }
      }
    }
  });

  it("costs no look at those who were there before, where one has come", () => {
    const edges = Array.from({ length: 400 }, (_, i) =>
      edgeAt(`e${i}`, i, ((i * 37) % 120) - 60, (i * 53) % 360),
    );
    const more = [...edges, edgeAt("new", 400, 52.1, 5.1)];
    const before = Nearest.of(edges);
    const members = [...edges.keys()];
    const row = before.rowOf(before.poolOf(members), 52, 5);
    const after = Nearest.of(more, before);
    expect(after.edges).toBe(before.edges);
    const pool = after.poolOf([...members, 400]);
    expect(pool.heritage).toMatchObject({ sizeBefore: 400, newcomers: Uint16Array.of(400) });
    expect(after.rowOf(pool, 52, 5)).toBe(row);
    expect(after.edges[row]).toBe(400);
    // Who still goes by the inventory before does not see it.
    const again = before.rowOf(before.poolOf(members), 52, 5);
    expect(before.edges.subarray(again, again + KEPT_EDGES)).not.toContain(400);
  });

  it("is told apart where one service has the edge that has come, and another has not", () => {
    const before = Nearest.of(EDGES);
    nearestIn(before, ALL, 52, 5);
    const edges = [...EDGES, edgeAt("new", EDGES.length, 52.1, 5.1)];
    const after = Nearest.of(edges, before);
    for (const members of [[...ALL, EDGES.length], ALL, [...ALL, EDGES.length]])
      expect(nearestIn(after, members, 52, 5)).toEqual(dueIn(edges, members, 52, 5));
  });

  it("is found anew where edges have changed places in the inventory", () => {
    const here = Array.from({ length: 20 }, (_, i) => edgeAt(`e${i}`, i, 52, 5));
    const before = Nearest.of(here);
    nearestIn(before, [...here.keys()], 50, 5);
    const edges = [edgeAt("new", 0, 0, 0), ...here.toReversed()].map((edge, index) => ({ ...edge, index }));
    const after = nearestIn(Nearest.of(edges, before), [...edges.keys()], 50, 5);
    expect(after).toEqual(Array.from({ length: KEPT_EDGES }, (_, i) => i + 1));
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
