import { expect, it } from "vitest";
import { situationIn } from "../../src/rehearsal/situations.ts";
import { plainInventory, plainZone } from "../inventory.ts";
import { serviceOf, THREE_EDGES, worldOf } from "../selection/fixture.ts";

const INVENTORY = plainInventory({
  dns: { identity: "here", queryLog: { destination: "stdout", sample: 1, wholeAddresses: false } },
  edges: THREE_EDGES,
  services: [serviceOf(THREE_EDGES)],
});
const WORLD = { ...worldOf(THREE_EDGES), heat: new Int32Array(8) };
const ACTS = Array.from({ length: 12 }, (_, act) => situationIn({ inventory: INVENTORY, world: WORLD }, act));

it("have the edges that are configured, and in every other act more, each with its place in every array", () => {
  for (const [act, { inventory, world }] of ACTS.entries()) {
    const { length } = inventory.edges;
    expect(length === THREE_EDGES.length).toBe(act % 2 === 0);
    expect(inventory.edges.map(({ index }) => index)).toEqual([...inventory.edges.keys()]);
    expect(inventory.services[0]?.edges).toHaveLength(length);
    const arrays = [world.up, world.state, world.unsteady, world.loadRatio, world.priceKm, world.limit];
    expect(new Set([...arrays, world.sent.slot].map((array) => array.length))).toEqual(new Set([length]));
    expect(world.sent.counts).toHaveLength(2 * length);
  }
});

it("differ: in some acts edges have prices, in some they are down, in others neither", () => {
  const worlds = ACTS.map(({ world }) => world);
  for (const of of [
    worlds.map(({ up }) => up.includes(0)),
    worlds.map(({ priceKm }) => priceKm.some((km) => km > 0)),
  ])
    expect(new Set(of)).toEqual(new Set([true, false]));
});

it("count in memory of their own, and neither log nor limit", () => {
  for (const { inventory, world } of ACTS) {
    expect(inventory.dns).toEqual({ identity: "here" });
    world.sent.counts.fill(1);
    world.heat?.fill(1);
  }
  expect(WORLD.sent.counts).toEqual(new Int32Array(6));
  expect(WORLD.heat).toEqual(new Int32Array(8));
});

it("are of some services and records, where there are thousands", () => {
  const services = Array.from({ length: 5000 }, (_, index) => serviceOf(THREE_EDGES, { index }));
  const records = Array.from({ length: 5000 }, (_, i) => ({
    name: `a${i}.example.net`,
    ttlSeconds: 60,
    data: { type: "TXT" as const, strings: [Uint8Array.of(97)] },
  }));
  const zones = [plainZone("example.net", { records })];
  const { inventory } = situationIn({ inventory: { ...INVENTORY, services, zones }, world: WORLD }, 1);
  expect(inventory.zones[0]?.records.length).toBeLessThan(200);
  expect(inventory.services.length).toBeGreaterThan(0);
  expect(inventory.services.length).toBeLessThan(100);
});
