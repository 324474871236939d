import { expect, it } from "vitest";
import { createRedirector } from "../../src/engine/redirector.ts";
import type { Outcome } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import { STATE_ACTIVE, STATE_DRAIN, UP_IPV4 } from "../../src/model/world.ts";
import { plainInventory } from "../inventory.ts";
import { edgeAt, serviceOf, worldOf } from "../selection/fixture.ts";

const FOUR = edgeAt("four", 0, 52, 5);
const SIX: Edge = {
  ...edgeAt("six", 1, 52, 5),
  addresses: [{ family: 6, bytes: new Uint8Array(16).fill(0x20) }],
};
const OTHER_FOUR = edgeAt("other4", 2, 40, -74);
const EDGES = [FOUR, SIX, OTHER_FOUR];
const FALLBACK = { addresses: [{ family: 4, bytes: Uint8Array.of(192, 0, 2, 200) }] } as const;
const RULES = {
  refuse: { whenDown: "refuse" },
  "refuse, with a fallback": { whenDown: "refuse", fallback: FALLBACK },
  fallback: { whenDown: "fallback", fallback: FALLBACK },
  "fail-open": { whenDown: "fail-open" },
  "fail-open, with a fallback": { whenDown: "fail-open", fallback: FALLBACK },
} as const;

/** Of A and of AAAA, while the first edge drains and the others are down. */
function outcomes(whenDown: keyof typeof RULES, edges: readonly Edge[]): Outcome["kind"][] {
  const service = serviceOf(edges, { hostnames: ["live.example.net"], ...RULES[whenDown] });
  const inventory = plainInventory({ edges: EDGES, services: [service] });
  const redirector = createRedirector(() => ({ location: { layer: "none" }, prefixLength: 16 }));
  redirector.take(inventory, {
    ...worldOf(EDGES),
    state: Uint8Array.of(STATE_DRAIN, STATE_ACTIVE, STATE_ACTIVE),
    up: Uint8Array.of(UP_IPV4, 0, 0),
  });
  const address = { family: 4, bytes: Uint8Array.of(100, 64, 7, 0) } as const;
  const client = { address, prefixLength: 24, from: "client-subnet" } as const;
  return [true, false].map((needsIpv4) => {
    const decision = redirector.decide({ hostname: "live.example.net", client, needsIpv4 }, "dns");
    return decision?.outcome.kind ?? "refused";
  });
}

it.each([
  ["refuse", "refused", "refused"],
  ["refuse, with a fallback", "refused", "refused"],
  ["fallback", "fallback", "fallback"],
  ["fail-open", "fail-open", "fail-open"],
  ["fail-open, with a fallback", "fallback", "fail-open"],
] as const)("RFC 4074 4.3: %s is no failure for one family alone", (whenDown, ipv4, ipv6) => {
  expect(outcomes(whenDown, [FOUR, SIX])).toEqual([ipv4, ipv6]);
});

it("an edge that is down and has an address of IPv4 is looked at for that family", () => {
  expect(outcomes("fail-open", EDGES)).toEqual(["fail-open", "fail-open"]);
});
