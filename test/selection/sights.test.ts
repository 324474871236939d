import { describe, expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import { STATE_DRAIN, UP_IPV4, UP_IPV6, type World } from "../../src/model/world.ts";
import { createAtDoor } from "../../src/selection/at-door.ts";
import { Sights } from "../../src/selection/sights.ts";
import { upFor } from "../../src/selection/up.ts";
import { edgeAt, fieldOf, serviceOf, worldOf } from "./fixture.ts";

const BOTH = UP_IPV4 | UP_IPV6;
const IPV6 = { family: 6, bytes: new Uint8Array(16).fill(1) } as const;
const withIpv6 = (edge: Edge): Edge => ({ ...edge, addresses: [...edge.addresses, IPV6] });
const [one, two] = [withIpv6(edgeAt("one", 0, 0, 0)), withIpv6(edgeAt("two", 1, 0, 5))];
const only6: Edge = { ...edgeAt("only6", 2, 0, 0), addresses: [IPV6] };
const EDGES = [one, two, only6];
const PAIR = serviceOf([one, two]);
const MIXED = serviceOf(EDGES, { id: "mixed", index: 1 });
const WITHOUT = serviceOf([only6], { id: "without", index: 2 });

const FIELD = fieldOf(EDGES);
const AT_DOOR = createAtDoor(EDGES);
const sightsIn = (up: readonly number[], more: Partial<World> = {}): Sights =>
  new Sights(FIELD, AT_DOOR, { ...worldOf(EDGES), up: Uint8Array.from(up), ...more });

describe("who needs IPv4", () => {
  it("sees what all see while it reaches every edge in service", () => {
    const well = sightsIn([BOTH, UP_IPV4, UP_IPV6]);
    for (const door of ["dns", "http"] as const) expect(well.of(PAIR, door, true)).toBe(well.of(PAIR, door));
    const drained = sightsIn([UP_IPV6, BOTH, UP_IPV6], { state: Uint8Array.of(STATE_DRAIN, 0, 0) });
    expect(drained.of(PAIR, "dns", true)).toBe(drained.of(PAIR, "dns"));
  });

  it("sees an edge down whose IPv4 is, through every door, unless the service keeps its last good state", () => {
    const sights = sightsIn([UP_IPV6, BOTH, UP_IPV6], {
      keptUp: new Map([[MIXED.index, Uint8Array.of(UP_IPV4, 0, 0)]]),
    });
    for (const door of ["dns", "http", "steering", undefined] as const) {
      const { service, world, isPastOthers } = sights.of(PAIR, door, true);
      expect([0, 1].map((edge) => upFor(service, world, edge))).toEqual([0, BOTH]);
      expect(isPastOthers).toBe(true);
    }
    const { service, world } = sights.of(MIXED, "dns", true);
    expect([0, 1].map((edge) => upFor(service, world, edge))).toEqual([BOTH, BOTH]);
  });

  it("is named an edge by DNS only if it has an address of IPv4, and by a url all the same", () => {
    const sights = sightsIn([BOTH, BOTH, UP_IPV6]);
    expect(sights.of(MIXED, "dns", true).service.edges).toEqual([0, 1]);
    expect(sights.of(MIXED, "http", true).service.edges).toEqual([0, 1, 2]);
    expect(sights.of(WITHOUT, "dns", true)).toBe(sights.of(WITHOUT, "dns"));
  });

  it("is sent past what IPv4 does not reach by DNS even if it reaches nothing, elsewhere only to something", () => {
    const sights = sightsIn([UP_IPV6, UP_IPV6, UP_IPV6]);
    expect(sights.of(PAIR, "dns", true)).not.toBe(sights.of(PAIR, "dns"));
    expect(sights.of(PAIR, "http", true)).toBe(sights.of(PAIR, "http"));
  });

  it("is decided for by the same service in every world, so that what is prepared for it stays", () => {
    const [before, after] = [sightsIn([UP_IPV6, BOTH, 0]), sightsIn([BOTH, UP_IPV6, 0])];
    expect(before.of(PAIR, "dns", true).service).toBe(after.of(PAIR, "dns", true).service);
    expect(before.of(PAIR, "dns", true).roster).toBe(after.of(PAIR, "dns", true).roster);
    expect(before.of(PAIR, "dns", true).service).not.toBe(before.of(PAIR, "dns").service);
  });
});
