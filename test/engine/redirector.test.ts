import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { placeTable } from "../../src/geo/places.ts";
import type { Client } from "../../src/model/client.ts";
import type { Place } from "../../src/model/inventory.ts";
import type { Location } from "../../src/model/location.ts";
import { UP_IPV4, UP_IPV6, type World } from "../../src/model/world.ts";
import type { Decision, DoorName, Playing } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import { askersKey, squareKey } from "../../src/pricing/squares.ts";
import { createMistContext } from "../../src/engine/mist-balancer.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { edgeAt, serviceOf, worldOf } from "../selection/fixture.ts";
import { plainInventory } from "../inventory.ts";

const EDGES = Array.from({ length: 12 }, (_, i) => edgeAt(`e${i}`, i, ((i * 37) % 120) - 60, i * 30 - 180));
const RANKS = ["nearest", "weighted", "least-loaded", "failover"] as const;
const SERVICES = RANKS.map((rank, index) =>
  serviceOf(EDGES, { id: rank, index, rank, hostnames: [`${rank}.example.net`] }),
);

describe("decisions that are kept for networks", () => {
  const octet = fc.integer({ min: 0, max: 7 });
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ ask: fc.constantFrom(...RANKS), network: octet, host: octet }) },
    {
      weight: 1,
      arbitrary: fc.record({
        down: fc.subarray(EDGES),
        priced: octet,
        full: fc.subarray(EDGES, { maxLength: 2 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ shift: octet }) },
  );

  it("are those that would be made anew, whatever changes in between", () => {
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
        let places = placesFrom(0);
        let world = worldOf(EDGES);
        const locate = (client: Client) => locatedBy(places, client);
        const keeping = createRedirector(locate);
        keeping.take(INVENTORY, world);
        for (const next of steps) {
          if ("shift" in next) {
            places = placesFrom(next.shift);
            keeping.forget();
          } else if ("down" in next) {
            const price = EDGES.slice(0, next.priced).map((edge) => [edge, 700] as [typeof edge, number]);
            world = worldOf(EDGES, { down: next.down, price, load: next.full.map((edge) => [edge, 1]) });
            keeping.take(INVENTORY, world);
          } else {
            const anew = createRedirector(locate);
            anew.take(INVENTORY, world);
            const question = {
              hostname: `${next.ask}.example.net`,
              client: clientAt(next.network, next.host),
            };
            expect(keeping.decide(question, "dns")).toEqual(anew.decide(question, "dns"));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  it("are not used past the moment when an edge begins to fill up", () => {
    const [near, far] = [edgeAt("near", 0, 0, 0), edgeAt("far", 1, 0, 5)];
    const world = worldOf([near, far], {
      load: [
        [near, 0.5],
        [far, 0.5],
      ],
    });
    world.perViewer.fill(0.001);
    const redirector = createRedirector(() => ({
      location: { layer: "city", latitude: 0, longitude: 0 },
      prefixLength: 16,
    }));
    const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 1 };
    const services = [serviceOf([near, far], { dns })];
    redirector.take(plainInventory({ edges: [near, far], services }), world);
    const first = (i: number) =>
      redirector.decide({ hostname: "live.example.net", client: clientAt(i >> 8, i & 255) }, "dns")?.edges[0]
        ?.edge.id;
    const firsts = Array.from({ length: 600 }, (_, i) => first(i));
    expect(firsts.slice(0, 400)).not.toContain("far");
    expect(firsts.slice(-50)).not.toContain("near");
  });
});

const INVENTORY = plainInventory({ edges: EDGES, services: SERVICES });

function clientAt(network: number, host: number): Client {
  return {
    address: { family: 4, bytes: Uint8Array.of(10, network, 0, host) },
    prefixLength: 32,
    from: "source",
  };
}

/** Networks of several lengths, some of them within a /24. */
function placesFrom(shift: number): ReturnType<typeof placeTable> {
  const at = (network: number, length: number, index: number): Place => ({
    prefix: { family: 4, bytes: Uint8Array.of(10, network, 0, 0), length },
    latitude: ((index * 23 + shift * 11) % 120) - 60,
    longitude: ((index * 71 + shift * 29) % 300) - 150,
  });
  return placeTable([at(0, 14, 1), at(1, 24, 2), at(1, 30, 3), at(2, 16, 4), at(4, 15, 5), at(6, 24, 6)]);
}

const NOWHERE: Location = { layer: "none" };

function locatedBy(places: ReturnType<typeof placeTable>, { address, prefixLength }: Client) {
  const { location = NOWHERE, depth } = places.find(address, prefixLength);
  return { location, prefixLength: depth };
}

it("an answer that names several edges counts for each, once while it is kept", () => {
  const edges = [edgeAt("a", 0, 52, 5), edgeAt("b", 1, 50, 8), edgeAt("far", 2, -30, 150)];
  const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 3, answersWithin: { km: 500, share: 0.2 } };
  const inventory = plainInventory({ edges, services: [serviceOf(edges, { dns })] });
  const [hostname = ""] = inventory.services[0]?.hostnames ?? [];
  const world = worldOf(edges);
  let nowMs = 0;
  const location: Location = { layer: "city", latitude: 52.1, longitude: 5.1 };
  const redirector = createRedirector(() => ({ location, prefixLength: 24 }), { monotonicMs: () => nowMs });
  redirector.take(inventory, world);
  const question = { hostname, client: clientAt(1, 1) };
  const ask = (): void => {
    const decision = redirector.decide(question, "dns");
    if (decision === undefined) throw new Error("nothing was decided");
  };
  ask();
  ask();
  expect([...world.sent.counts].slice(3)).toEqual([1, 1, 0]);
  const [byPlace] = redirector.takeArrivals();
  expect([...(byPlace?.values() ?? [])].map((byEdge) => [...byEdge.keys()])).toEqual([[0, 1]]);
  // And as one that is found again.
  nowMs = 21_000;
  const decision = redirector.decide(question, "dns");
  const { memory, number } = (decision && redirector.recall(decision)) ?? {};
  nowMs = 42_000;
  expect(memory?.find(question.client)).toBe(number);
  memory?.count(question.client);
  expect([...world.sent.counts].slice(3)).toEqual([3, 3, 0]);
  // One viewer of HTTP goes to the best.
  redirector.decide({ hostname, client: clientAt(2, 2) }, "http");
  expect([...world.sent.counts].slice(0, 3)).toEqual([1, 0, 0]);
});

it("an answer that is kept for a shorter time counts by how long that is, and again when it has run out", () => {
  const edges = [edgeAt("a", 0, 52, 5), edgeAt("b", 1, 50, 8)];
  const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 1 };
  const inventory = plainInventory({ edges, services: [serviceOf(edges, { dns })] });
  const [hostname = ""] = inventory.services[0]?.hostnames ?? [];
  const location: Location = { layer: "city", latitude: 52.1, longitude: 5.1 };
  let nowMs = 0;
  const redirector = createRedirector(() => ({ location, prefixLength: 24 }), { monotonicMs: () => nowMs });
  redirector.take(inventory, worldOf(edges, { rush: edges }));
  const question = { hostname, client: clientAt(1, 1) };
  const arrived = (): unknown[] =>
    redirector.takeArrivals().flatMap((byPlace) => [...byPlace.values()].flatMap((byEdge) => [...byEdge]));
  const decision = redirector.decide(question, "dns");
  expect(arrived()).toEqual([[0, { http: 0, dns: 1, shortSeconds: 15 }]]);
  const { memory, number } = (decision && redirector.recall(decision)) ?? {};
  const askAgain = (atMs: number): unknown[] => {
    nowMs = atMs;
    expect(memory?.find(question.client)).toBe(number);
    memory?.count(question.client);
    return arrived();
  };
  expect(askAgain(4000)).toEqual([]);
  expect(askAgain(5000)).toEqual([[0, { http: 0, dns: 1, shortSeconds: 15 }]]);
  nowMs = 9000;
  redirector.decide(question, "dns");
  expect(arrived()).toEqual([]);
});

describe("an answer for a place whose viewers have lost their edge", () => {
  const NEAR = edgeAt("near", 0, 52, 5);
  const NEXT = edgeAt("next", 1, 50, 8);
  const BOTH = [NEAR, NEXT];
  const place: Location = { layer: "city", latitude: 52.1, longitude: 5.1 };
  const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 1 };
  const inventory = plainInventory({ edges: BOTH, services: [serviceOf(BOTH, { dns })] });
  const [hostname = ""] = inventory.services[0]?.hostnames ?? [];
  const world = (viewers: number, returning: number): World => ({
    ...worldOf(BOTH, { load: BOTH.map((edge) => [edge, viewers / 1000]) }),
    perViewer: Float64Array.of(0.001, 0.001),
    returning: new Map(returning === 0 ? [] : [[askersKey(squareKey(0, 52.1, 5.1), false), returning]]),
  });
  const decide = (now: World, door: "dns" | "http", client = clientAt(1, 1)) => {
    const redirector = createRedirector(() => ({ location: place, prefixLength: 24 }));
    redirector.take(inventory, now);
    return redirector.decide({ hostname, client }, door)?.edges[0]?.edge.id;
  };

  it("names one that has room for all who come with it, and counts them there", () => {
    const now = world(900, 50);
    expect(decide(now, "dns")).toBe("near");
    expect([...now.sent.counts].slice(0, 2)).toEqual([50, 0]);
    // They come with an answer: whoever comes to the other door comes alone.
    expect(decide(world(900, 150), "http")).toBe("near");
    const full = { ...world(900, 150), loadRatio: Float64Array.of(0.9, 0.1) };
    expect(decide(full, "dns")).toBe("next");
    expect([...full.sent.counts].slice(0, 2)).toEqual([0, 150]);
    expect(decide({ ...full, returning: new Map() }, "dns")).toBe("near");
    // Two edges in the answer: half of them to each.
    const two = world(500, 50);
    const services = [serviceOf(BOTH, { dns: { ...dns, answers: 2 } })];
    const redirector = createRedirector(() => ({ location: place, prefixLength: 24 }));
    redirector.take(plainInventory({ edges: BOTH, services }), two);
    redirector.decide({ hostname, client: clientAt(1, 1) }, "dns");
    expect([...two.sent.counts]).toEqual([25, 25, 1, 1]);
    // They wait for their resolver: nobody comes with an answer for another's subnet.
    const subnet: Client = { ...clientAt(1, 1), from: "client-subnet" };
    expect(decide({ ...full, sent: world(900, 150).sent }, "dns", subnet)).toBe("near");
  });
});

describe("viewers who come over IPv4 to an edge whose IPv4 is down", () => {
  const address6 = { family: 6, bytes: new Uint8Array(16).fill(1) } as const;
  const withBoth = (edge: Edge): Edge => ({ ...edge, addresses: [...edge.addresses, address6] });
  const near = withBoth(edgeAt("near", 0, 0, 0));
  const far = withBoth(edgeAt("far", 1, 0, 5));
  const only6 = { ...edgeAt("only6", 2, 0, 0), addresses: [address6] };
  const edges = [near, far, only6];
  const services = [
    serviceOf([near, far]),
    serviceOf([far, only6], { id: "six", index: 1, hostnames: ["six.example.net"] }),
  ];
  const at = { layer: "city", latitude: 0, longitude: 0 } as const;
  const served = (up: readonly number[], door: DoorName = "http", playing?: Playing) => {
    const redirector = createRedirector(() => ({ location: at, prefixLength: 16 }));
    redirector.take(plainInventory({ edges, services }), { ...worldOf(edges), up: Uint8Array.from(up) });
    return (family: 4 | 6, hostname = "live.example.net", most?: number) => {
      const bytes = family === 4 ? Uint8Array.of(198, 51, 100, 7) : address6.bytes;
      const client: Client = { address: { family, bytes }, prefixLength: 8 * bytes.length, from: "source" };
      const question = {
        hostname,
        client,
        path: "/x",
        needsIpv4: family === 4,
        ...(most === undefined ? {} : { most }),
        ...(playing === undefined ? {} : { playing }),
      };
      const ids = (decision?: Decision) => decision?.edges.map(({ edge }) => edge.id);
      const explained = ids(redirector.explain(question, { reject() {} }, door));
      expect(explained).toEqual(ids(redirector.decide(question, door)));
      return explained;
    };
  };

  it("are redirected to the next best edge, and those over IPv6 are not", () => {
    const viewer = served([UP_IPV6, UP_IPV4 | UP_IPV6, UP_IPV6]);
    expect(viewer(4)).toEqual(["far"]);
    expect(viewer(4, "live.example.net", 1)).toEqual(["far"]);
    expect(viewer(6)).toEqual(["near", "far"]);
  });

  it("are moved on by steering if they play there", () => {
    const steered = served([UP_IPV6, UP_IPV4 | UP_IPV6, UP_IPV6], "steering", {
      edge: near,
      mayStay: false,
    });
    expect([steered(4), steered(6)]).toEqual([["far"], ["near", "far"]]);
  });

  it.each([true, false])("are not told of it in place of MistServer's balancer, counted: %s", (isCounted) => {
    const redirector = createRedirector(() => ({ location: at, prefixLength: 16 }));
    const mistserver = { service: 0, fallback: "", outputs: {} };
    const inventory = { ...plainInventory({ edges, services }), mistserver };
    const up = Uint8Array.of(UP_IPV6, UP_IPV4 | UP_IPV6, UP_IPV6);
    redirector.take(inventory, { ...worldOf(edges), up });
    const board = { conditions: () => [] };
    const mist = createMistContext({ inventory: () => inventory, board, redirector }).context();
    const wanted = { client: clientAt(1, 1), stream: "x" };
    expect(mist?.decide(wanted, isCounted)?.edges.map(({ edge }) => edge.id)).toEqual(["far"]);
  });

  it("stay where they are if no other edge is better, or nobody knows", () => {
    expect(served([UP_IPV6, UP_IPV6, UP_IPV6])(4)).toEqual(["near", "far"]);
    expect(served([UP_IPV4, UP_IPV4, UP_IPV6])(4, "six.example.net")).toEqual(["only6", "far"]);
  });
});
