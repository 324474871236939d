import { expect, it } from "vitest";
import { stillMetric, stillTexts } from "../../src/control/still-streams.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { StreamChecks } from "../../src/model/service.ts";
import type { World } from "../../src/model/world.ts";
import { plainInventory } from "../inventory.ts";
import { AMSTERDAM, NEW_YORK, serviceOf, SINGAPORE, worldOf } from "../selection/fixture.ts";

const ALL = [AMSTERDAM, SINGAPORE, NEW_YORK];
const streams = { probe: "hls", path: "/{stream}.m3u8" } as StreamChecks;
const inventory = plainInventory({
  edges: ALL,
  services: [serviceOf(ALL, { id: "live", streams }), serviceOf(ALL, { id: "unchecked", index: 1 })],
});

function worldWith(stale: readonly [Edge, ...string[]][], said: Parameters<typeof worldOf>[1] = {}): World {
  const staleStreams = new Map(stale.map(([edge, ...names]) => [edge.index, new Set(names)]));
  return { ...worldOf(ALL, said), staleStreams };
}

it.each([
  [
    "at some",
    worldWith([
      [AMSTERDAM, "cup"],
      [SINGAPORE, "cup"],
    ]),
    0,
  ],
  [
    "at each",
    worldWith([
      [AMSTERDAM, "cup", "a"],
      [SINGAPORE, "cup", "b"],
      [NEW_YORK, "cup", "a", "b"],
    ]),
    1,
  ],
  [
    "at each that is up and nobody has taken out",
    worldWith([[NEW_YORK, "cup", "a"]], { down: [AMSTERDAM], drain: [SINGAPORE] }),
    2,
  ],
  ["at none that is up", worldWith([[AMSTERDAM, "cup"]], { down: ALL }), 0],
  ["at each of another configuration", { ...worldWith(ALL.map((edge) => [edge, "cup"])), generation: 2 }, 0],
] as const)("counts streams that stand still %s", (_where, world, count) => {
  expect(stillTexts(inventory, world)).toHaveLength(count === 0 ? 0 : 1);
  if (world.generation === inventory.generation)
    expect(stillMetric(inventory, world).samples).toEqual([{ labels: { service: "live" }, value: count }]);
});

it("says how many, and no names", () => {
  const [one] = stillTexts(inventory, worldWith(ALL.map((edge) => [edge, "cup"])));
  expect(one).toBe(
    "service live: 1 stream stands still at every edge: look at the source; edgeward edges names them",
  );
  const [two] = stillTexts(inventory, worldWith(ALL.map((edge) => [edge, "cup", "final"])));
  expect(two).toContain("2 streams stand still");
});
