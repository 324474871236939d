import { expect, it } from "vitest";
import { edgesMetric, lossTexts } from "../../src/control/service-edges.ts";
import type { World } from "../../src/model/world.ts";
import { plainInventory } from "../inventory.ts";
import { AMSTERDAM, edgeAt, NEW_YORK, serviceOf, SINGAPORE, worldOf } from "../selection/fixture.ts";

const FRANKFURT = edgeAt("fra1", 3, 50.1, 8.7);
const ALL = [AMSTERDAM, SINGAPORE, NEW_YORK, FRANKFURT];
const inventory = plainInventory({ edges: ALL, services: [serviceOf(ALL, { id: "live" })] });

it.each([
  ["half are down", { down: [AMSTERDAM, SINGAPORE] }, []],
  [
    "more than half are down",
    { down: [AMSTERDAM, SINGAPORE, NEW_YORK] },
    ["service live: 3 of 4 edges are down; viewers go to the rest"],
  ],
  [
    "of those that nobody has taken out, more than half are down",
    { down: [AMSTERDAM, SINGAPORE], drain: [NEW_YORK] },
    ["service live: 2 of 3 edges are down; viewers go to the rest"],
  ],
  [
    "the one that is left is full",
    { down: [AMSTERDAM, SINGAPORE, NEW_YORK], load: [[FRANKFURT, 1]] as [typeof FRANKFURT, number][] },
    ["service live: 3 of 4 edges are down; viewers go to the rest"],
  ],
  ["all are down, which has an alarm of its own", { down: ALL }, []],
])("tells operators of a service when %s", (_when, said, texts) => {
  expect(lossTexts(inventory, worldOf(ALL, said))).toEqual(texts);
});

it("counts the edges of each service by what they do, and those that are kept as taking viewers", () => {
  const world = worldOf(ALL, { down: [AMSTERDAM], drain: [SINGAPORE], load: [[NEW_YORK, 1]] });
  const counted = (of: World) =>
    Object.fromEntries(
      edgesMetric(inventory, of).samples.map(({ labels, value }) => [labels["condition"], value]),
    );
  expect(counted(world)).toEqual({ taking: 1, full: 1, down: 1, out: 1 });
  const keptUp = new Map([[0, Uint8Array.of(1, 0, 0, 0)]]);
  expect(counted({ ...world, keptUp })).toEqual({ taking: 2, full: 1, down: 0, out: 1 });
  expect(counted({ ...world, generation: 2 })).toEqual({});
});
