import { describe, expect, it } from "vitest";
import { parsePrefix } from "../../src/base/address.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Located } from "../../src/model/location.ts";
import type { Service } from "../../src/model/service.ts";
import type { ViewerRule } from "../../src/model/viewer-rule.ts";
import { PREFERRED_KM } from "../../src/selection/preferred.ts";
import { select } from "../../src/selection/select.ts";
import { AMSTERDAM, clientOf, fieldOf, LONDON, SINGAPORE, serviceOf, NEW_YORK, worldOf } from "./fixture.ts";

const NOBODY: ViewerRule = { countries: [], continents: [], networks: [], asns: [] };
const network = (text: string) => {
  const prefix = parsePrefix(text);
  if (prefix === undefined) throw new Error(text);
  return prefix;
};

/** In Singapore, of an ISP whose viewers may be anywhere. */
const inside: Edge = {
  ...SINGAPORE,
  preferredFor: { ...NOBODY, asns: [64500], networks: [network("198.51.100.0/25")], countries: ["LU"] },
};
const edges = [AMSTERDAM, inside, NEW_YORK];

function chosenBy(located: Located, said: Parameters<typeof worldOf>[1] = {}, rules: Partial<Service> = {}) {
  const client = clientOf("198.51.100.200");
  return select(serviceOf(edges, rules), { client, located }, fieldOf(edges), worldOf(edges, said));
}
const ids = ({ edges }: ReturnType<typeof chosenBy>): string[] => edges.map(({ edge }) => edge.id);

describe("a preferred edge", () => {
  it("comes first for the viewers of its ISP, however far and dear, and says why", () => {
    const decision = chosenBy({ ...LONDON, asn: 64500 }, { price: [[inside, 900]] });
    expect(ids(decision)).toEqual(["sin1", "ams1", "nyc1"]);
    expect(decision.edges[0]?.favour).toEqual({ km: PREFERRED_KM, why: "preferred" });
    expect(decision.edges[1]?.favour).toBeUndefined();
  });

  it("is one of many for all others", () => {
    expect(ids(chosenBy(LONDON))).toEqual(["ams1", "nyc1", "sin1"]);
    expect(ids(chosenBy({ ...LONDON, asn: 64501 }))).toEqual(["ams1", "nyc1", "sin1"]);
  });

  it("can be preferred for a country", () => {
    const located = { ...LONDON, location: { ...LONDON.location, country: "LU" } };
    expect(ids(chosenBy(located))[0]).toBe("sin1");
  });

  it("spills when it is full, and is left when it is down or drained", () => {
    const ours = { ...LONDON, asn: 64500 };
    expect(ids(chosenBy(ours, { load: [[inside, 1]] }))).toEqual(["ams1", "nyc1"]);
    expect(ids(chosenBy(ours, { down: [inside] }))[0]).toBe("ams1");
    expect(ids(chosenBy(ours, { drain: [inside] }))[0]).toBe("ams1");
  });

  it("is no longer preferred by an answer with which more come back than it holds", () => {
    const world = { ...worldOf(edges, { load: [[inside, 0.9]] }), perViewer: Float64Array.of(0, 0.001, 0) };
    const bestFor = (brings: number) =>
      select(
        serviceOf(edges),
        { client: clientOf("192.0.2.1"), located: { ...LONDON, asn: 64500 }, brings },
        fieldOf(edges),
        world,
      ).edges[0]?.edge.id;
    expect([0, 90, 110].map(bestFor)).toEqual(["sin1", "sin1", "ams1"]);
  });

  it("is the nearest of several that are preferred", () => {
    const both = [AMSTERDAM, inside, { ...NEW_YORK, preferredFor: { ...NOBODY, asns: [64500] } }];
    const viewer = { client: clientOf("192.0.2.1"), located: { ...LONDON, asn: 64500 } };
    const { edges: chosen } = select(serviceOf(both), viewer, fieldOf(both), worldOf(both));
    expect(chosen.map(({ edge }) => edge.id)).toEqual(["nyc1", "sin1", "ams1"]);
  });

  it.each(["failover", "weighted", "least-loaded"] as const)("comes first with rank %s too", (rank) => {
    expect(ids(chosenBy({ ...LONDON, asn: 64500 }, { load: [[inside, 0.9]] }, { rank }))[0]).toBe("sin1");
  });

  it("narrows the scope to where its networks begin and end", () => {
    const scopeOf = (address: string) =>
      select(
        serviceOf(edges),
        { client: clientOf(address), located: { ...LONDON, prefixLength: 8 } },
        fieldOf(edges),
        worldOf(edges),
      );
    expect(scopeOf("198.51.100.5")).toMatchObject({
      scopePrefixLength: 25,
      edges: [{ edge: { id: "sin1" } }, {}, {}],
    });
    expect(scopeOf("198.51.100.200")).toMatchObject({
      scopePrefixLength: 25,
      edges: [{ edge: { id: "ams1" } }, {}, {}],
    });
    expect(scopeOf("203.0.113.1").scopePrefixLength).toBe(8);
  });
});
