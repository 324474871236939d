import { expect, it } from "vitest";
import { createEarlyWorlds } from "../src/early-worlds.ts";
import type { Inventory } from "../src/model/inventory.ts";
import type { World } from "../src/model/world.ts";
import { answerBy, type Now } from "../src/parts.ts";
import { plainInventory } from "./inventory.ts";
import { worldOf } from "./selection/fixture.ts";

const engine = { take: () => {} };

function opening(inventory: Inventory): { now: Now; first: World; told: World[] } {
  const first = worldOf(inventory.edges);
  const early = createEarlyWorlds(inventory, first);
  const told: World[] = [];
  early.follow((world) => told.push(world));
  return { now: { inventory, doors: {}, opening: early }, first, told };
}

it("doors that open are told of every world, and one that comes later of the newest", () => {
  const { now, first, told } = opening(plainInventory({}));
  const next = worldOf(now.inventory.edges);
  answerBy(next, now, engine);
  expect(told).toEqual([first, next]);
  const later: World[] = [];
  now.opening?.follow((world) => later.push(world));
  expect(later[0]).toBe(next);
});

it("doors that open are not told of worlds of a configuration that was reloaded meanwhile", () => {
  const { now, first, told } = opening(plainInventory({}));
  const reloaded = plainInventory({ generation: 2 });
  answerBy(worldOf(reloaded.edges), { ...now, inventory: reloaded }, engine);
  expect(told).toEqual([first]);
});
