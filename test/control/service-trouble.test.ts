import { expect, it } from "vitest";
import type { Service } from "../../src/model/service.ts";
import type { World } from "../../src/model/world.ts";
import { troubleMetric, troubles, troubleText } from "../../src/control/service-trouble.ts";
import { plainInventory } from "../inventory.ts";
import { AMSTERDAM, NEW_YORK, serviceOf, SINGAPORE, THREE_EDGES, worldOf } from "../selection/fixture.ts";

const ALL = [AMSTERDAM, SINGAPORE, NEW_YORK];

function textsOf(world: World, rules: Partial<Service> = {}): string[] {
  const inventory = plainInventory({ edges: ALL, services: [serviceOf(ALL, { id: "live", ...rules })] });
  return troubles(inventory, world).map(troubleText);
}

it.each([
  ["one has room", worldOf(ALL, { down: [AMSTERDAM], load: [[SINGAPORE, 1]] }), {}, []],
  [
    "one is full, and the rest is down",
    worldOf(ALL, { down: [AMSTERDAM, NEW_YORK], load: [[SINGAPORE, 1]] }),
    {},
    ["service live: every edge that is up is full; viewers go to the least full (whenFull: spill)"],
  ],
  [
    "all are full, and nobody is to be beyond that",
    worldOf(ALL, { load: ALL.map((edge) => [edge, 1.1]) }),
    { whenFull: "refuse" },
    ["service live: every edge that is up is full; viewers are refused (whenFull: refuse)"],
  ],
  [
    "all that nobody has drained are down",
    worldOf(ALL, { down: [AMSTERDAM, SINGAPORE], drain: [NEW_YORK] }),
    { whenDown: "refuse" },
    ["service live: every edge is down; viewers are refused (whenDown: refuse)"],
  ],
  [
    "operators have taken out each",
    worldOf(ALL, { off: [AMSTERDAM], drain: [SINGAPORE, NEW_YORK] }),
    { fallback: { addresses: [] } },
    ["service live: every edge is drained or off; viewers get the fallback"],
  ],
  ["there is none", worldOf(ALL, { down: ALL }), { edges: [] }, []],
] as const)("tells operators of a service when %s", (_when, world, rules, texts) => {
  expect(textsOf(world, rules)).toEqual(texts);
});

it("tells nothing of edges that are not those of the configuration", () => {
  expect(textsOf({ ...worldOf(ALL, { down: ALL }), generation: 2 })).toEqual([]);
});

it("is measured, and seen to end", () => {
  const inventory = plainInventory({ edges: THREE_EDGES, services: [serviceOf(ALL, { id: "live" })] });
  const samples = (world: World) =>
    Object.fromEntries(
      troubleMetric(inventory, world).samples.map(({ labels, value }) => [labels["reason"], value]),
    );
  expect(samples(worldOf(ALL, { down: ALL }))).toEqual({ full: 0, down: 1, out: 0 });
  expect(samples(worldOf(ALL))).toEqual({ full: 0, down: 0, out: 0 });
});
