import { describe, expect, it } from "vitest";
import { createDecisionTotals } from "../../src/engine/decision-counts.ts";
import type { PacketRoom } from "../../src/dns/batch-memory.ts";
import { counterCells, createDnsCounters } from "../../src/dns/counters.ts";
import { keepReplies } from "../../src/dns/kept-replies.ts";
import { compileNamespace } from "../../src/dns/namespace.ts";
import { prepareReplies } from "../../src/dns/prepared-replies.ts";
import { createResponder } from "../../src/dns/responder.ts";
import type { Client } from "../../src/model/client.ts";
import type { Decision, Question } from "../../src/model/decision.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { ServiceBinding } from "../../src/model/service.ts";
import { UP_IPV4, UP_IPV6, type World } from "../../src/model/world.ts";
import { createRedirector } from "../../src/engine/redirector.ts";
import { explainView } from "../../src/control/views.ts";
import { data, decode, negativeTtl, type Reply } from "../dns/answers.ts";
import { query, subnet, TYPES } from "../dns/packets.ts";
import { plainInventory, plainZone } from "../inventory.ts";
import { AMSTERDAM, edgeAt, NEW_YORK, serviceOf, SINGAPORE, worldOf } from "../selection/fixture.ts";

const ZONE = "example.net";
const BOTH = UP_IPV4 | UP_IPV6;
const withIpv6 = (edge: Edge): Edge => ({
  ...edge,
  addresses: [
    ...edge.addresses,
    { family: 6, bytes: new Uint8Array(16).fill(edge.index + 1, 15).fill(0x20, 0, 1) },
  ],
});
/** In the viewer's own city, for redirects only. */
const NAMELESS: Edge = { ...edgeAt("ams0", 3, 52.37, 4.9), addresses: [] };
const CROWD = Array.from({ length: 20 }, (_, i) => withIpv6(edgeAt(`crowd${i}`, 4 + i, 52, 4 + i / 100)));
const EDGES = [...[AMSTERDAM, SINGAPORE, NEW_YORK].map(withIpv6), NAMELESS, ...CROWD];
const HTTPS: ServiceBinding = { type: "HTTPS", prefix: "", params: [], hints: true };
const IPV6 = { family: 6, bytes: new Uint8Array(16).fill(0x20) } as const;
const DNS = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: 1, bindings: [HTTPS] };
const SERVICES = [
  serviceOf(EDGES.slice(0, 3), { hostnames: [`live.${ZONE}`], dns: DNS }),
  serviceOf(EDGES.slice(0, 4), { id: "all", index: 1, hostnames: [`all.${ZONE}`], dns: DNS }),
  ...(["fallback", "six", "refuse"] as const).map((id, i) =>
    serviceOf(EDGES.slice(0, 3), {
      id,
      index: 2 + i,
      hostnames: [`${id}.${ZONE}`],
      dns: DNS,
      whenDown: id === "refuse" ? "refuse" : "fallback",
      fallback: { addresses: [id === "six" ? IPV6 : { family: 4, bytes: Uint8Array.of(192, 0, 2, 200) }] },
    }),
  ),
  serviceOf([...EDGES.slice(2, 3), ...CROWD], {
    id: "crowd",
    index: 5,
    hostnames: [`crowd.${ZONE}`],
    dns: DNS,
  }),
];
const INVENTORY = plainInventory({
  edges: EDGES,
  services: SERVICES,
  zones: [plainZone(ZONE)],
});
const IN_AMSTERDAM = { layer: "city", latitude: 52.37, longitude: 4.9 } as const;

/** A thread that answers, without sockets; `up` by edge. */
function answering(...up: number[]) {
  const totals = createDecisionTotals();
  const redirector = createRedirector(() => ({ location: IN_AMSTERDAM, prefixLength: 16 }), {
    newCells: totals.newCells,
    monotonicMs: () => 0,
  });
  const take = (...bits: number[]): void => {
    const world: World = { ...worldOf(EDGES), up: Uint8Array.from(EDGES, (_, i) => bits[i] ?? UP_IPV4) };
    redirector.take(INVENTORY, world);
  };
  take(...up);
  const counters = createDnsCounters(new Float64Array(counterCells()));
  const responder = createResponder({
    namespace: compileNamespace(INVENTORY.zones, SERVICES),
    decide: redirector.decide,
    counters,
    cookieSecrets: () => [new Uint8Array(16)],
    onFault: (error) => {
      throw error;
    },
  });
  const prepared = prepareReplies({
    respond: (packet, length, source, out, known) =>
      responder.respond(packet.octets, length, source, "udp", out.octets, known),
    responder,
    counters,
    recall: redirector.recall,
  });
  const kept = keepReplies({
    respond: prepared.respond,
    responder,
    counters,
    keep: redirector.keep,
    repeatable: prepared.repeatable,
  });
  const [packet, out] = [room(), room()];
  const ask = (type: number, service = "live", network = 7): Reply => {
    const edns = { options: [subnet(1, 24, [100, 64, network])] };
    const octets = query({ name: `${service}.${ZONE}`, type, edns });
    packet.octets.set(octets);
    const length = kept.respond(packet, octets.length, Uint8Array.of(127, 0, 0, 1), out);
    return decode(Buffer.from(out.octets.subarray(0, length)));
  };
  const explain = (question: Question) => redirector.explain(question, { reject() {} }, "dns");
  const decided = (): Record<string, number> => {
    const family = totals.metrics().find(({ name }) => name === "decisions_total");
    const samples = family?.kind === "counter" ? family.samples : [];
    return Object.fromEntries(samples.map(({ labels, value }) => [labels.edge, value]));
  };
  const sent = (): number[] => {
    const [pool = new Map()] = redirector.takeArrivals();
    return [...pool.values()].flatMap((byEdge) => [...byEdge.keys()]) as number[];
  };
  return { ask, take, explain, decided, sent };
}

function room(): PacketRoom {
  const octets = new Uint8Array(new ArrayBuffer(4096));
  return { octets, words: new Int32Array(octets.buffer) };
}

/** Of edges, as the last octets of their addresses say. */
const ipv4 = (reply: Reply): number[] => data(reply, "A").map((text) => Number(String(text).split(".")[3]));
const ipv6 = (reply: Reply): number[] =>
  data(reply, "AAAA").map((text) => Number.parseInt(String(text).slice(-1), 16) - 1);

describe("who has no IPv6", () => {
  it("is sent on to the next best edge while the best is up over IPv6 alone", () => {
    const reply = answering(UP_IPV6, BOTH, BOTH).ask(TYPES.A);
    expect(ipv4(reply)).toEqual([NEW_YORK.index]);
    expect(reply.opt?.options.get(8)?.[3]).toBe(16);
  });

  it("is not told that a service fails which others can reach", () => {
    expect(answering(UP_IPV6, 0, 0).ask(TYPES.A, "refuse").rcode).toBe(0);
    for (const type of [TYPES.A, TYPES.AAAA]) expect(answering(0, 0, 0).ask(type, "refuse").rcode).toBe(2);
  });

  it("is not followed by those who have it, nor led by them: AAAA stays with the best edge", () => {
    expect(ipv6(answering(UP_IPV6, BOTH, BOTH).ask(TYPES.AAAA))).toEqual([AMSTERDAM.index]);
    const reply = answering(UP_IPV4, BOTH, BOTH).ask(TYPES.AAAA);
    expect(ipv6(reply)).toEqual([]);
    expect(negativeTtl(reply)).toBe(20);
  });

  it("RFC 9460 7.3: finds the same address among the hints", () => {
    const { octets } = answering(UP_IPV6, BOTH, BOTH).ask(TYPES.HTTPS);
    const hint4 = octets.indexOf(Buffer.of(0, 4, 0, 4, 192, 0, 2));
    expect(octets[hint4 + 7]).toBe(NEW_YORK.index);
    expect(octets[octets.indexOf(Buffer.of(0, 6, 0, 16)) + 19]).toBe(AMSTERDAM.index + 1);
  });

  it("finds it there too where the best edge is known from an answer to AAAA", () => {
    const { ask, take } = answering(BOTH, BOTH, BOTH);
    for (const network of [1, 2, 3]) ask(TYPES.HTTPS, "live", network);
    take(UP_IPV6, BOTH, BOTH);
    ask(TYPES.AAAA, "live", 4);
    const { octets } = answering(UP_IPV6, BOTH, BOTH).ask(TYPES.HTTPS, "live", 4);
    expect(ask(TYPES.HTTPS, "live", 4).octets).toEqual(octets);
  });

  it("is counted once, where he is sent", () => {
    const { ask, decided, sent } = answering(UP_IPV6, BOTH, BOTH);
    for (const network of [1, 1, 1, 1, 2]) ask(TYPES.A, "live", network);
    expect(decided()).toEqual({ nyc1: 5 });
    expect(sent()).toEqual([NEW_YORK.index]);
    ask(TYPES.HTTPS);
    expect(decided()).toEqual({ nyc1: 5, ams1: 1 });
    ask(TYPES.AAAA);
    expect(decided()).toEqual({ nyc1: 5, ams1: 2 });
  });

  it("is told by explain which family is down, and which has no address", () => {
    const client: Client = {
      address: { family: 4, bytes: Uint8Array.of(100, 64, 7, 1) },
      prefixLength: 32,
      from: "asked",
    };
    const decision = answering(UP_IPV6, BOTH, BOTH, UP_IPV4).explain({ hostname: `live.${ZONE}`, client });
    const view = explainView(decision as Decision, client, []);
    expect(view.edges.map(({ id, down }) => [id, down])).toEqual([
      ["ams1", [4]],
      ["nyc1", undefined],
      ["sin1", undefined],
    ]);
  });

  it("is back at once when that is over, however often he asked before", () => {
    const { ask, take } = answering();
    for (const [up, edge] of [
      [[UP_IPV6, BOTH, BOTH], NEW_YORK],
      [[BOTH, BOTH, BOTH], AMSTERDAM],
      [[UP_IPV6, BOTH, BOTH], NEW_YORK],
      [[UP_IPV6, BOTH, UP_IPV6], SINGAPORE],
      [[UP_IPV6, BOTH, BOTH], NEW_YORK],
    ] as const) {
      take(...up);
      for (const network of [7, 7, 7, 7, 1, 2, 3])
        expect(ipv4(ask(TYPES.A, "live", network))).toEqual([edge.index]);
    }
  });

  it("is found an edge however many nearer ones are up over IPv6 alone", () => {
    const { ask } = answering(BOTH, BOTH, BOTH, UP_IPV4, ...CROWD.map(() => UP_IPV6));
    expect(ipv4(ask(TYPES.A, "crowd"))).toEqual([NEW_YORK.index]);
  });

  it("passes an edge by that has no address at all", () => {
    const { ask } = answering(UP_IPV6, BOTH, BOTH, UP_IPV4);
    expect(ipv4(ask(TYPES.A, "all"))).toEqual([NEW_YORK.index]);
  });

  it.each([
    ["fail-open", "live", [AMSTERDAM.index], undefined],
    ["fallback", "fallback", [200], undefined],
    ["a fallback without IPv4", "six", [], 5],
    ["refuse", "refuse", [], 20],
  ] as const)(
    "is answered as whenDown says, by %s, where IPv4 is down everywhere",
    (_what, service, edges, noTtl) => {
      const { ask } = answering(UP_IPV6, UP_IPV6, UP_IPV6);
      for (let i = 0; i < 3; i++) {
        const reply = ask(TYPES.A, service);
        expect(ipv4(reply)).toEqual(edges);
        expect(negativeTtl(reply)).toBe(noTtl);
        if (edges.length > 0) expect(reply.packet.answers).toMatchObject([{ ttl: 5 }]);
      }
    },
  );
});
