import { describe, expect, it } from "vitest";
import { newTripleTable } from "../../src/base/triple-table.ts";
import { firstBits } from "../../src/base/network-group.ts";
import { ANY_EDGE, GROUP_BITS } from "../../src/model/corrections.ts";
import type { Decision } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import type { World } from "../../src/model/world.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { keepPlaying } from "../../src/selection/keep.ts";
import { select } from "../../src/selection/select.ts";
import { plainInventory } from "../inventory.ts";
import { clientOf, edgeAt, fieldOf, locatedAt, serviceOf, worldOf } from "./fixture.ts";

const [NEAR, FAR, AWAY] = [edgeAt("near", 0, 50, 0), edgeAt("far", 1, 50, 3), edgeAt("away", 2, 50, 30)];
const EDGES = [NEAR, FAR, AWAY];
const RULES = { index: 3, experience: { maxKm: 1000, networks: 5 } };
const HERE = locatedAt({ latitude: 50, longitude: 0 }, 12);

/** Kilometres for the group of 192.0.0.0/18, or that of an IPv6 address, in the service of index 3. */
function correctedWorld(km: readonly (readonly [Edge, number])[], of = "192.0.2.1"): World {
  const { address } = clientOf(of);
  const group = firstBits(address, GROUP_BITS[address.family]);
  const service = 6 + (address.family === 6 ? 1 : 0);
  const corrections = newTripleTable([
    { key: [service, group, ANY_EDGE], value: 1 },
    ...km.map(([edge, value]) => ({ key: [service, group, edge.index] as const, value })),
  ]);
  return { ...worldOf(EDGES), corrections };
}

function choose(world: World, from = "192.0.2.1", rules: Partial<Service> = RULES, bits?: number): Decision {
  return select(
    serviceOf(EDGES, rules),
    { client: clientOf(from, bits), located: HERE },
    fieldOf(EDGES),
    world,
  );
}
const ids = ({ edges }: Decision): string[] => edges.map(({ edge }) => edge.id);

describe("what players' reports add", () => {
  const world = correctedWorld([
    [NEAR, 500],
    [AWAY, 40],
  ]);

  it("counts as distance for their group, and is told", () => {
    const decision = choose(world);
    expect(ids(decision)).toEqual(["far", "near", "away"]);
    expect(decision.edges.map(({ correctionKm }) => correctionKm)).toEqual([undefined, 500, 40]);
    expect(decision.edges.map(({ distanceKm }) => Math.round(distanceKm))).toEqual([214, 0, 2130]);
  });

  it.each([
    ["another group", "192.0.64.1", RULES],
    ["IPv6", "2001:db8::1", RULES],
    ["a service without it", "192.0.2.1", { index: 3 }],
    ["another service", "192.0.2.1", { ...RULES, index: 2 }],
  ])("is nothing for %s", (_who, from, rules) => {
    const decision = choose(world, from, rules);
    expect(ids(decision)).toEqual(["near", "far", "away"]);
    expect(decision.edges.every(({ correctionKm }) => correctionKm === undefined)).toBe(true);
  });

  it("goes by the first bits of IPv6 too, and needs to see them", () => {
    const six = correctedWorld([[NEAR, 500]], "2001:db8:1::1");
    expect(ids(choose(six, "2001:db8:ffff::9"))[0]).toBe("far");
    expect(ids(choose(six, "2001:db9::9"))[0]).toBe("near");
    expect(ids(choose(six, "2001:db8::", RULES, 31))[0]).toBe("near");
    expect(ids(choose(world, "192.0.0.0", RULES, 18))[0]).toBe("far");
    expect(ids(choose(world, "192.0.0.0", RULES, 17))[0]).toBe("near");
  });

  it("narrows the scope to its groups, for everyone while there is any", () => {
    expect(choose(worldOf(EDGES)).scopePrefixLength).toBe(12);
    for (const from of ["192.0.2.1", "10.0.0.1"]) expect(choose(world, from).scopePrefixLength).toBe(18);
    expect(choose(world, "2001:db8::1").scopePrefixLength).toBe(32);
    expect(choose(world, "192.0.2.1", { index: 3 }).scopePrefixLength).toBe(12);
  });

  it("moves who plays there, and keeps away who does not", () => {
    const stay = (playing: Edge, rules: Partial<Service>): string | undefined => {
      const client = clientOf("192.0.2.1");
      const decision = choose(world, "192.0.2.1", rules);
      return ids(keepPlaying(decision, { edge: playing, mayStay: false }, client, world, undefined))[0];
    };
    expect([stay(NEAR, RULES), stay(NEAR, { index: 3 })]).toEqual(["far", "near"]);
    expect([stay(FAR, RULES), stay(FAR, { index: 3 })]).toEqual(["far", "near"]);
  });

  it("ends what was decided before it came", () => {
    const redirector = createRedirector(() => HERE);
    const service = serviceOf(EDGES, { ...RULES, index: 0 });
    const inventory = plainInventory({ edges: EDGES, services: [service] });
    const first = (): string | undefined =>
      redirector.decide({ hostname: "live.example.net", client: clientOf("192.0.2.1") }, "dns")?.edges[0]
        ?.edge.id;
    redirector.take(inventory, worldOf(EDGES));
    expect(first()).toBe("near");
    const { address } = clientOf("192.0.2.1");
    const corrections = newTripleTable([
      { key: [0, firstBits(address, 18), ANY_EDGE], value: 1 },
      { key: [0, firstBits(address, 18), NEAR.index], value: 500 },
    ]);
    redirector.take(inventory, { ...worldOf(EDGES), corrections });
    expect(first()).toBe("far");
    redirector.take(inventory, worldOf(EDGES));
    expect(first()).toBe("near");
  });
});
