import { expect, it } from "vitest";
import type { Edge } from "../../src/model/edge.ts";
import type { Service } from "../../src/model/service.ts";
import type { ViewerRule } from "../../src/model/viewer-rule.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { plainInventory } from "../inventory.ts";
import { AMSTERDAM, clientOf, LONDON, serviceOf, THREE_EDGES, worldOf } from "./fixture.ts";

const NL: ViewerRule = { countries: ["NL"], continents: [], networks: [], asns: [] };

it.each<[string, Edge[], Partial<Service>, boolean]>([
  ["in the order that is listed", THREE_EDGES, { rank: "failover" }, true],
  ["a single edge", [AMSTERDAM], {}, true],
  ["the nearest of three", THREE_EDGES, {}, false],
  ["drawn by weight", THREE_EDGES, { rank: "weighted" }, false],
  ["a single edge for the Dutch", [AMSTERDAM], { allow: NL }, false],
  ["a single edge for all but the Dutch", [AMSTERDAM], { deny: NL }, false],
  ["a single edge for who is near", [AMSTERDAM], { maxDistanceKm: 500 }, false],
])(
  "RFC 7871 7.2.1: %s: has scope 0 only where it does not matter who asks",
  (_name, edges, rules, isForAll) => {
    const locate = () => ({ ...LONDON, prefixLength: 16 });
    for (const down of [[], edges]) {
      const redirector = createRedirector(locate);
      redirector.take(
        plainInventory({ edges, services: [serviceOf(edges, rules)] }),
        worldOf(edges, { down }),
      );
      const question = { hostname: "live.example.net", client: clientOf("192.0.2.7") };
      const scopes = [
        redirector.decide(question, "dns"),
        redirector.decide(question, "dns"),
        redirector.explain(question, { reject: () => undefined }),
      ].map((decision) => decision?.scopePrefixLength);
      expect(scopes.every((scope) => (scope === 0) === isForAll)).toBe(true);
    }
  },
);
