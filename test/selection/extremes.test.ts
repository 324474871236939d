import { describe, expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import type { Located } from "../../src/model/location.ts";
import { select } from "../../src/selection/select.ts";
import { AMSTERDAM, clientOf, edgeAt, fieldOf, LONDON, serviceOf, THREE_EDGES, worldOf } from "./fixture.ts";

const at = (latitude: number, longitude: number): Located => ({
  location: { layer: "city", latitude, longitude },
  prefixLength: 24,
});
const choose = (edges: readonly Edge[], located: Located, address = "192.0.2.7", world = worldOf(edges)) =>
  select(serviceOf(edges), { client: clientOf(address), located }, fieldOf(edges), world);

describe("places at the ends of the map", () => {
  const POLAR = [edgeAt("north", 0, 90, 0), edgeAt("south", 1, -90, 170), edgeAt("equator", 2, 0, 0)];

  it.each([
    ["the north pole, whatever its longitude", at(90, -137), "north", 0],
    ["near the north pole, on the other side", at(89, 180), "north", 111],
    ["the south pole", at(-90, 0), "south", 0],
    ["just north of the equator on its far side", at(1, 180), "north", 9897],
  ])("%s", (_, located, id, km) => {
    const [first] = choose(POLAR, located).edges;
    expect(first?.edge.id).toBe(id);
    expect(first?.distanceKm).toBeCloseTo(km, -1);
  });

  it("the date line is no border", () => {
    const edges = [
      edgeAt("fiji", 0, -18, 178.4),
      edgeAt("apia", 1, -13.8, -171.8),
      edgeAt("lima", 2, -12, -77),
    ];
    for (const longitude of [179.999, 180, -180, -179.999]) {
      const [first, second] = choose(edges, at(-17, longitude)).edges;
      expect([first?.edge.id, second?.edge.id]).toEqual(["fiji", "apia"]);
      expect(first?.distanceKm).toBeLessThan(250);
    }
  });
});

describe("services of unusual size", () => {
  it("with one edge name it, until it is down", () => {
    expect(choose([AMSTERDAM], LONDON).edges.map(({ edge }) => edge.id)).toEqual(["ams1"]);
    const down = worldOf([AMSTERDAM], { down: [AMSTERDAM] });
    expect(choose([AMSTERDAM], LONDON, "192.0.2.7", down).outcome.kind).toBe("fail-open");
  });

  it("with none refuse", () => {
    const decision = choose([], LONDON);
    expect(decision.edges).toEqual([]);
    expect(decision.outcome).toEqual({ kind: "refused", reason: "no-edges" });
  });

  it("with 500 edges at one place share viewers among all of them", () => {
    const edges = Array.from({ length: 500 }, (_, i) => edgeAt(`e${i}`, i, 50, 8));
    const field = fieldOf(edges);
    const world = worldOf(edges);
    const service = serviceOf(edges);
    const counts = new Uint32Array(edges.length);
    const VIEWERS = 10_000;
    for (let i = 0; i < VIEWERS; i++) {
      const viewer = {
        client: clientOf(`10.${i >> 8}.${i & 255}.1`),
        located: { ...LONDON, prefixLength: 24 },
      };
      const index = select(service, viewer, field, world).edges[0]?.edge.index as number;
      counts[index] = (counts[index] as number) + 1;
    }
    expect(counts.filter((count) => count === 0)).toHaveLength(0);
    expect(Math.max(...counts)).toBeLessThan((3 * VIEWERS) / edges.length);
  });
});

it("edges without any capacity are full from the first viewer on, and refuse where the service says so", () => {
  const world = {
    ...worldOf(THREE_EDGES, { load: THREE_EDGES.map((edge) => [edge, 1]) }),
    perViewer: new Float64Array(THREE_EDGES.length).fill(1),
  };
  expect(choose(THREE_EDGES, LONDON, "192.0.2.7", world).outcome.kind).toBe("overload");
  const refusing = serviceOf(THREE_EDGES, { whenFull: "refuse" });
  const viewer = { client: clientOf("192.0.2.7"), located: LONDON };
  expect(select(refusing, viewer, fieldOf(THREE_EDGES), world).outcome).toEqual({
    kind: "refused",
    reason: "full",
  });
});
