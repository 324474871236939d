import { describe, expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import type { World } from "../../src/model/world.ts";
import { select } from "../../src/selection/select.ts";
import { clientOf, edgeAt, fieldOf, locatedAt, LONDON, NOWHERE, serviceOf, worldOf } from "./fixture.ts";

const AMSTERDAM = edgeAt("ams1", 0, 52.37, 4.9);
const BRUSSELS = edgeAt("bru1", 1, 50.85, 4.35);
const NEW_YORK = edgeAt("nyc1", 2, 40.71, -74.01);
const EDGES = [AMSTERDAM, BRUSSELS, NEW_YORK];
const WITHIN = { km: 500, share: 0.2 };

function answersFor(rules: Partial<Service>, said: Parameters<typeof worldOf>[1] = {}, located = LONDON) {
  const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 3, answersWithin: WITHIN };
  const service = serviceOf(EDGES, { dns, ...rules });
  const world: World = worldOf(EDGES, said);
  const decision = select(service, { client: clientOf("192.0.2.7"), located }, fieldOf(EDGES), world);
  return decision.edges.slice(0, decision.answers).map(({ edge }) => edge.id);
}

describe("a DNS answer names", () => {
  it("edges that are about as good as the best, not the second best at any distance", () => {
    expect(answersFor({})).toEqual(["bru1", "ams1"]);
  });

  it("only the best where nobody else is near", () => {
    expect(answersFor({}, { down: [BRUSSELS] })).toEqual(["ams1"]);
  });

  it("nobody whose load makes him worse by more than the band", () => {
    expect(answersFor({}, { price: [[AMSTERDAM, 600]] })).toEqual(["bru1"]);
  });

  it("by a share of the distance where all are far away", () => {
    const sydney = locatedAt({ latitude: -33.87, longitude: 151.21 });
    // 16,636 and 16,743 km, and 15,990 to New York.
    expect(answersFor({}, {}, sydney)).toHaveLength(3);
  });

  it("as many as the service says where there is no band, and for who cannot be located", () => {
    expect(answersFor({ dns: { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 3 } })).toHaveLength(3);
    expect(answersFor({}, {}, NOWHERE)).toHaveLength(3);
  });

  it.each(["failover", "weighted", "least-loaded"] as const)("as many with rank %s", (rank) => {
    expect(answersFor({ rank })).toHaveLength(3);
  });

  it.each(["weighted", "nearest"] as const)(
    "nobody drawn by a weight of 0 beside others, with rank %s",
    (rank) => {
      const edges = EDGES.map((edge, i) => ({ ...edge, weight: i === 1 ? 1 : 0 }));
      const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 3 };
      const viewer = { client: clientOf("192.0.2.7"), located: NOWHERE };
      const answerOf = (those: Edge[], said: Parameters<typeof worldOf>[1] = {}) => {
        const service = serviceOf(those, { dns, rank });
        const { edges, answers, ttlSeconds } = select(service, viewer, fieldOf(those), worldOf(those, said));
        return { ids: edges.slice(0, answers).map(({ edge }) => edge.id), ttlSeconds };
      };
      expect(answerOf(edges)).toEqual({ ids: ["bru1"], ttlSeconds: 20 });
      expect(answerOf(edges, { drain: [edges[2] as Edge] }).ttlSeconds).toBe(20);
      const { ids, ttlSeconds } = answerOf(edges.map((edge) => ({ ...edge, weight: 0 })));
      expect(ids).toHaveLength(1);
      expect(ttlSeconds).toBe(20);
    },
  );

  it("nobody beside a preferred edge", () => {
    const preferred: Edge = {
      ...NEW_YORK,
      preferredFor: { countries: ["GB"], continents: [], networks: [], asns: [] },
    };
    const edges = [AMSTERDAM, BRUSSELS, preferred];
    const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 3, answersWithin: WITHIN };
    const viewer = { client: clientOf("192.0.2.7"), located: LONDON };
    const decision = select(serviceOf(edges, { dns }), viewer, fieldOf(edges), worldOf(edges));
    expect(decision.edges.slice(0, decision.answers).map(({ edge }) => edge.id)).toEqual(["nyc1"]);
  });
});
