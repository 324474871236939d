import { describe, expect, it } from "vitest";
import type { Location } from "../../src/model/location.ts";
import { select } from "../../src/selection/select.ts";
import { clientOf, edgeAt, fieldOf, locatedAt, serviceOf, worldOf } from "./fixture.ts";

/** About 0, 111, 222 and 3,300 km away. */
const NEAREST = edgeAt("e0", 0, 0, 0);
const NEXT = edgeAt("e1", 1, 0, 1);
const EDGES = [NEAREST, NEXT, edgeAt("e2", 2, 0, 2), edgeAt("e3", 3, 0, 30)];

function sharesOf(location: Partial<Location>, said: Parameters<typeof worldOf>[1] = {}) {
  const [field, world, service] = [fieldOf(EDGES), worldOf(EDGES, said), serviceOf(EDGES)];
  const firsts = new Map<string, number>();
  for (let i = 0; i < 400; i++) {
    const client = clientOf(`10.${i >> 8}.${i & 255}.1`);
    const located = locatedAt({ latitude: 0, longitude: 0, ...location }, 24);
    const id = select(service, { client, located }, field, world).edges[0]?.edge.id ?? "-";
    firsts.set(id, (firsts.get(id) ?? 0) + 1);
  }
  return Object.fromEntries(firsts);
}

describe("a place that is known with an accuracy radius", () => {
  it("is a point where the radius is small", () => {
    expect(sharesOf({ accuracyRadiusKm: 50 })).toEqual({ e0: 400 });
  });

  it("makes edges equals whose distances differ by less than the radius", () => {
    const shares = sharesOf({ accuracyRadiusKm: 150 });
    expect(new Set(Object.keys(shares))).toEqual(new Set(["e0", "e1"]));
    expect(Math.abs((shares["e0"] ?? 0) - 200)).toBeLessThan(50);
  });

  it("shares them by the room they have", () => {
    const { e0 = 0, e1 = 0 } = sharesOf(
      { accuracyRadiusKm: 150 },
      {
        load: [
          [NEAREST, 0.9],
          [NEXT, 0.1],
        ],
      },
    );
    expect(e1 / (e0 + e1)).toBeGreaterThan(0.8);
  });

  it("does not send far what only a price would justify", () => {
    expect(sharesOf({ accuracyRadiusKm: 150 }, { price: [[NEXT, 200]] })).toEqual({ e0: 400 });
  });
});

describe("a place of which only the country is known", () => {
  const decide = (address: string) => {
    const located = locatedAt({ layer: "country", latitude: 0, longitude: 0, accuracyRadiusKm: 1000 }, 8);
    return select(serviceOf(EDGES), { client: clientOf(address), located }, fieldOf(EDGES), worldOf(EDGES));
  };

  it("draws lots by /24, though the record is wider, and the scope says so", () => {
    const firsts = new Set<string | undefined>();
    for (let i = 0; i < 50; i++) {
      const decision = decide(`10.0.${i}.1`);
      expect(decision.scopePrefixLength).toBe(24);
      expect(decide(`10.0.${i}.200`).edges).toEqual(decision.edges);
      firsts.add(decision.edges[0]?.edge.id);
    }
    expect(firsts).toEqual(new Set(["e0", "e1", "e2"]));
  });
});
