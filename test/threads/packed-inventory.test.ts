import { expect, it } from "vitest";
import { finished } from "../../src/base/steps.ts";
import type { Inventory } from "../../src/model/inventory.ts";
import { packInventory, unpackInSteps } from "../../src/threads/packed-inventory.ts";
import { edgeAt, serviceOf } from "../selection/fixture.ts";

const EDGES = Array.from({ length: 330 }, (_, i) => edgeAt(`e${i}`, i, i % 90, i % 180));

it("unpacks what was packed, in small steps", () => {
  const services = Array.from({ length: 40 }, (_, index) => serviceOf(EDGES, { id: `s${index}`, index }));
  const inventory = { generation: 3, edges: EDGES, services, dns: {}, zones: [] } as unknown as Inventory;
  const parts = packInventory(inventory);
  expect(parts.length).toBeGreaterThan(10);
  const [largest = 0] = parts.map(({ length }) => length).toSorted((a, b) => b - a);
  expect(largest).toBeLessThan(50_000);
  expect([...unpackInSteps(parts)]).toHaveLength(parts.length);
  expect(finished(unpackInSteps(parts))).toEqual(inventory);
});

it("unpacks an inventory with nothing in it", () => {
  const inventory = { generation: 1, edges: [], services: [], dns: {} } as unknown as Inventory;
  expect(finished(unpackInSteps(packInventory(inventory)))).toEqual(inventory);
});
