import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Client } from "../../src/model/client.ts";
import type { Choice, Decision, Memory } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Location } from "../../src/model/location.ts";
import type { World } from "../../src/model/world.ts";
import { askersKey, squareKey } from "../../src/pricing/squares.ts";
import { createRedirector, type Redirector } from "../../src/engine/redirector.ts";
import { plainInventory } from "../inventory.ts";
import { edgeAt, serviceOf, worldOf } from "../selection/fixture.ts";

/** The last four are each at the place of another, or next to it. */
const EDGES = Array.from({ length: 24 }, (_, i) => {
  const at = i < 20 ? i : 3 * (i - 20);
  return edgeAt(`e${i}`, i, ((at * 37) % 120) - 60 + (i === 21 ? 0.004 : 0), at * 15 - 180);
});
const DNS = { ttlSeconds: 20, ttlInDoubtSeconds: 5 };
const SERVICES = [
  serviceOf(EDGES, { id: "one", index: 0, hostnames: ["one.example.net"], dns: { ...DNS, answers: 1 } }),
  serviceOf(EDGES, { id: "three", index: 1, hostnames: ["three.example.net"], dns: { ...DNS, answers: 3 } }),
  serviceOf(EDGES, {
    id: "band",
    index: 2,
    hostnames: ["band.example.net"],
    margin: 0.05,
    dns: { ...DNS, answers: 4, answersWithin: { km: 300, share: 0.2 } },
  }),
];
const INVENTORY = plainInventory({ edges: EDGES, services: SERVICES });
const HOSTNAMES = SERVICES.map(({ hostnames: [hostname = ""] }) => hostname);
/** Every thirtieth is at the same place. */
const CLIENTS = Array.from({ length: 300 }, (_, i): Client => {
  const bytes = Uint8Array.of(10, i >> 8, i & 255, 0);
  return { address: { family: 4, bytes }, prefixLength: 24, from: "client-subnet" };
});

describe("what is known of a network, when prices, loads and health have moved,", () => {
  const edge = fc.nat({ max: EDGES.length - 1 });
  const step = fc.oneof(
    {
      weight: 60,
      arbitrary: fc.record({
        client: fc.nat({ max: 89 }),
        at: fc.nat({ max: 2 }),
        times: fc.constantFrom(1, 1, 9),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        priced: fc.array(fc.tuple(edge, fc.oneof(fc.nat({ max: 900 }), fc.nat({ max: 9000 })))),
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({ moved: fc.array(fc.tuple(edge, fc.integer({ min: -300, max: 300 }))) }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        loaded: fc.array(fc.tuple(edge, fc.constantFrom(50, 90, 96, 98, 98, 99, 99.5, 101))),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        down: fc.subarray(EDGES, { maxLength: 4 }),
        unsteady: fc.subarray(EDGES, { maxLength: 2 }),
        rush: fc.subarray(EDGES, { maxLength: 2 }),
        addressDown: fc.subarray(EDGES, { maxLength: 8 }),
      }),
    },
  );

  it("is what would be decided anew", () => {
    let told = 0;
    let renewed = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 200, maxLength: 600 }), (steps) => {
        const said = {
          price: new Map<Edge, number>(),
          load: new Map<Edge, number>(),
          down: [] as Edge[],
          unsteady: [] as Edge[],
          rush: [] as Edge[],
          addressDown: [] as Edge[],
        };
        const counts = new Int32Array(2 * EDGES.length);
        const known = createRedirector(located);
        const anew = createRedirector(located);
        const memories: (Memory | undefined)[] = [];
        let seen = new Set<Client>();
        const take = (): void => {
          const world = worldFrom(said, counts);
          for (const each of [known, anew]) each.take(INVENTORY, world);
          seen = new Set();
        };
        take();
        for (const next of steps) {
          if ("priced" in next) for (const [i, km] of next.priced) said.price.set(EDGES[i] as Edge, km);
          if ("moved" in next)
            for (const [i, km] of next.moved) {
              const of = EDGES[i] as Edge;
              said.price.set(of, Math.max(0, (said.price.get(of) ?? 0) + km));
            }
          if ("loaded" in next)
            for (const [i, percent] of next.loaded) said.load.set(EDGES[i] as Edge, percent / 100);
          if ("down" in next) Object.assign(said, next);
          if (!("client" in next)) {
            take();
            continue;
          }
          const client = CLIENTS[next.client] as Client;
          const question = { hostname: HOSTNAMES[next.at] as string, client };
          for (let i = 0; i < next.times; i++) {
            const expected = fresh(anew, question);
            const memory = memories[next.at];
            const number = memory?.find(client) ?? 0;
            if (memory !== undefined && number !== 0) {
              told++;
              if (!seen.has(client)) renewed++;
              expect(NUMBERED.get(memory)?.get(number)).toEqual(expected);
              memory.count(client);
            } else {
              const decision = known.decide(question, "dns") as Decision;
              expect(shown(decision)).toEqual(expected);
              const recalled = known.recall(decision);
              if (recalled !== undefined)
                remember((memories[next.at] = recalled.memory), recalled.number, decision);
            }
            seen.add(client);
          }
        }
      }),
      { numRuns: 60 },
    );
    expect(told).toBeGreaterThan(5000);
    expect(renewed).toBeGreaterThan(1000);
  }, 90_000);

  it("is not what was decided while an edge cost more for its last room", () => {
    const [near, far] = [edgeAt("near", 0, 0, 0), edgeAt("far", 1, 0, 5)];
    const inventory = plainInventory({
      edges: [near, far],
      services: [serviceOf([near, far], { dns: { ...DNS, answers: 1 } })],
    });
    const world = worldOf([near, far], { load: [[near, 0.98]] });
    world.perViewer[near.index] = 0.001;
    const redirector = createRedirector(() => ({
      location: { layer: "city", latitude: 0, longitude: 1 },
      prefixLength: 24,
    }));
    redirector.take(inventory, world);
    const decide = (i: number) => {
      const question = { hostname: "live.example.net", client: CLIENTS[i] as Client };
      const decision = redirector.decide(question, "dns") as Decision;
      return { first: decision.edges[0]?.edge.id, recalled: redirector.recall(decision) };
    };
    const before = decide(0).recalled;
    for (let i = 1; decide(i).first === "near"; i++);
    expect(decide(299).first).toBe("far");
    // A report: some have left, and nobody fills it up any more.
    redirector.take(inventory, { ...world, sent: { ...world.sent, before: world.sent.counts.slice() } });
    expect(before?.memory.find(CLIENTS[299] as Client)).toBe(before?.number);
  });

  it("is not what was chosen for its place while an edge cost more for its last room", () => {
    const [near, far] = [edgeAt("near", 0, 0, 0), edgeAt("far", 1, 0, 5)];
    const inventory = plainInventory({
      edges: [near, far],
      services: [serviceOf([near, far], { dns: { ...DNS, answers: 1 } })],
    });
    const redirector = createRedirector(({ address: { bytes } }) => ({
      location: { layer: "city", latitude: 0, longitude: bytes[2] === 0 ? 1 : 5 },
      prefixLength: 24,
    }));
    const [here, there] = CLIENTS as [Client, Client];
    const decide = (client: Client): ReturnType<Redirector["recall"]> =>
      redirector.recall(redirector.decide({ hostname: "live.example.net", client }, "dns") as Decision);
    const worldAt = (load: number, priceKm: number): World => {
      const world = worldOf([near, far], { load: [[near, load]], price: [[far, priceKm]] });
      world.perViewer[near.index] = 1e-9;
      return world;
    };
    redirector.take(inventory, worldAt(0.5, 0));
    const [byNear, byFar] = [decide(here), decide(there)];
    const memory = byNear?.memory as Memory;
    redirector.take(inventory, worldAt(0.999, 1));
    expect(memory.find(here)).toBe(byFar?.number);
    redirector.take(inventory, worldAt(0.5, 2));
    expect(memory.find(here)).toBe(byNear?.number);
  });

  it("is on which edge of a place its lot falls, whatever falls to other networks there", () => {
    const twins = [edgeAt("a", 0, 0, 0), edgeAt("b", 1, 0, 0), edgeAt("far", 2, 0, 9)];
    const inventory = plainInventory({
      edges: twins,
      services: [serviceOf(twins, { dns: { ...DNS, answers: 1 } })],
    });
    const here = { location: { layer: "city", latitude: 0, longitude: 1 }, prefixLength: 24 } as const;
    const [known, anew] = [createRedirector(() => here), createRedirector(() => here)];
    const hostname = inventory.services[0]?.hostnames[0] as string;
    const first = (decision: Decision | undefined): string | undefined => decision?.edges[0]?.edge.id;
    let memory: Memory | undefined;
    const byNumber = new Map<number, string | undefined>();
    for (const km of [0, 10, 20]) {
      const world = worldOf(twins, { price: twins.map((edge) => [edge, km]) });
      for (const each of [known, anew]) each.take(inventory, world);
      const fell = CLIENTS.slice(0, 60).map((client) => {
        const number = memory?.find(client) ?? 0;
        const expected = first(anew.explain({ hostname, client, most: 1 }, { reject() {} }));
        if (number !== 0) expect(byNumber.get(number)).toBe(expected);
        if (km > 0) expect(number).toBeGreaterThan(0);
        const decision = known.decide({ hostname, client }, "dns") as Decision;
        const recalled = known.recall(decision);
        memory = recalled?.memory;
        byNumber.set(recalled?.number ?? 0, first(decision));
        return expected;
      });
      expect(new Set(fell)).toEqual(new Set(["a", "b"]));
    }
  });

  it("is that it brought a viewer, however many others ask before it asks again", () => {
    let nowMs = 0;
    const redirector = createRedirector(located, { monotonicMs: () => nowMs });
    redirector.take(INVENTORY, worldOf(EDGES));
    const [hostname = ""] = HOSTNAMES;
    const networks = Array.from({ length: 20_000 }, (_, i): Client => {
      const bytes = Uint8Array.of(20, i >> 8, i & 255, 0);
      return { address: { family: 4, bytes }, prefixLength: 24, from: "client-subnet" };
    });
    const arrived = (): number => {
      const squares = redirector.takeArrivals().flatMap((pool) => [...pool.values()]);
      return squares.flatMap((byEdge) => [...byEdge.values()]).reduce((sum, { dns }) => sum + dns, 0);
    };
    const [first] = networks.map((client) =>
      redirector.recall(redirector.decide({ hostname, client }, "dns") as Decision),
    );
    expect(arrived()).toBe(networks.length);
    const askAgain = (): number =>
      networks.filter((client) => {
        if (first?.memory.find(client) === 0) return false;
        first?.memory.count(client);
        return true;
      }).length;
    expect(askAgain()).toBeGreaterThan(0.95 * networks.length);
    expect(arrived()).toBeLessThan(0.02 * networks.length);
    nowMs += 1000 * DNS.ttlSeconds;
    const again = askAgain();
    expect(arrived()).toBe(again);
  });

  it("is decided in full where more viewers than usual come with the answer", () => {
    const redirector = createRedirector(located);
    const world = worldOf(EDGES);
    redirector.take(INVENTORY, world);
    const [hostname = ""] = HOSTNAMES;
    const client = CLIENTS[0] as Client;
    const memory = redirector.recall(redirector.decide({ hostname, client }, "dns") as Decision)?.memory;
    const other = worldOf(EDGES, { price: [[EDGES[0] as Edge, 7]] });
    const { latitude = 0, longitude = 0 } = located(client).location;
    redirector.take(INVENTORY, {
      ...other,
      returning: new Map([
        [askersKey(squareKey(0, latitude, longitude), client.from === "client-subnet"), 5],
      ]),
    });
    expect(memory?.find(client)).toBe(0);
    redirector.take(INVENTORY, other);
    expect(memory?.find(client)).toBeGreaterThan(0);
  });
});

/** By memory and number: what the decisions were that have it. */
const NUMBERED = new WeakMap<Memory, Map<number, unknown>>();

function remember(memory: Memory, number: number, decision: Decision): void {
  const known = NUMBERED.get(memory) ?? new Map<number, unknown>();
  NUMBERED.set(memory, known.set(number, shown(decision)));
}

function located({ address: { bytes } }: Client): { location: Location; prefixLength: number } {
  const place = (((bytes[1] as number) << 8) | (bytes[2] as number)) % 30;
  const location = {
    layer: "city",
    latitude: ((place * 23.7) % 120) - 60,
    longitude: place * 11.3 - 170,
  } as const;
  return { location, prefixLength: 22 };
}

/** As it would be decided now, and not counted. */
function fresh(redirector: Redirector, question: { hostname: string; client: Client }): unknown {
  const most = SERVICES[HOSTNAMES.indexOf(question.hostname)]?.dns.answers ?? 0;
  return shown(redirector.explain({ ...question, most }, { reject: () => {} }) as Decision);
}

function shown({ outcome, edges, answers = edges.length, ttlSeconds }: Decision): unknown {
  return { outcome, named: edges.slice(0, answers).map(namedAs), ttlSeconds };
}

function namedAs({ edge, up, downAddresses }: Choice): unknown {
  return [edge.id, up, downAddresses];
}

function worldFrom(
  {
    price,
    load,
    down,
    unsteady,
    rush,
    addressDown = [],
  }: {
    price: Map<Edge, number>;
    load: Map<Edge, number>;
    down: Edge[];
    unsteady: Edge[];
    rush: Edge[];
    addressDown?: Edge[];
  },
  counts: Int32Array,
): World {
  const world = worldOf(EDGES, { price: [...price], load: [...load], down, unsteady, rush });
  for (const { index } of load.keys()) world.perViewer[index] = 0.002;
  const downAddresses = new Map(addressDown.map(({ index }) => [index, 1]));
  return { ...world, downAddresses, sent: { ...world.sent, counts, before: counts.slice() } };
}
