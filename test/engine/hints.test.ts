/** RFC 9460 7.3: hints are the addresses of the same moment, whichever edges are reached by whichever family. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { createRedirector } from "../../src/engine/redirector.ts";
import { counterCells, createDnsCounters } from "../../src/dns/counters.ts";
import { compileNamespace } from "../../src/dns/namespace.ts";
import { createResponder } from "../../src/dns/responder.ts";
import { formatAddress } from "../../src/base/address.ts";
import type { Address } from "../../src/model/address.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Service, ServiceBinding } from "../../src/model/service.ts";
import { UNSTEADY_DOUBT, UNSTEADY_RUSH, UP_IPV4, UP_IPV6, type World } from "../../src/model/world.ts";
import { askersKey, squareKey } from "../../src/pricing/squares.ts";
import { data, decode, RCODES, type Reply } from "../dns/answers.ts";
import { query, subnet, TYPES } from "../dns/packets.ts";
import { plainInventory, plainZone } from "../inventory.ts";
import { edgeAt, serviceOf, worldOf } from "../selection/fixture.ts";

const ZONE = "example.net";
const PLACE = { layer: "city", latitude: 50.5, longitude: 5.5, country: "NL", continent: "EU" } as const;
const HTTPS: ServiceBinding = { type: "HTTPS", prefix: "", params: [], hints: true };

const ipv4 = (last: number): Address => ({ family: 4, bytes: Uint8Array.of(192, 0, 2, last) });
const ipv6 = (index: number): Address => ({
  family: 6,
  bytes: new Uint8Array(16).fill(0x20, 0, 1).fill(index + 1, 15),
});

/** Bits of the families that it has two addresses of; none for one that is named by redirects alone. */
function edgeOf(families: number, index: number): Edge {
  const edge = edgeAt(`e${index}`, index, 50 + index, 5);
  const addresses = [
    ...((families & UP_IPV4) === 0 ? [] : [...edge.addresses, ipv4(100 + index)]),
    ...((families & UP_IPV6) === 0 ? [] : [ipv6(index), ipv6(100 + index)]),
  ];
  return { ...edge, addresses };
}

const edgeArbitrary = fc.record({
  families: fc.constantFrom(3, 3, 3, 1, 2, 0),
  up: fc.constantFrom(3, 3, 2, 1, 0),
  state: fc.constantFrom(0, 0, 0, 0, 1, 2),
  unsteady: fc.constantFrom(0, 0, UNSTEADY_DOUBT, UNSTEADY_RUSH),
  /** Of two addresses of a family, one at most. */
  downAddresses: fc.constantFrom(0, 0, 0b1, 0b100, 0b1010),
  loadRatio: fc.constantFrom(Number.NaN, 0.2, 0.9, 0.995, 1.2),
  priceKm: fc.constantFrom(0, 0, 150),
  limit: fc.constantFrom(1, 1, 0.3),
});

const serviceArbitrary = fc.record({
  rank: fc.constantFrom<Service["rank"]>("nearest", "nearest", "least-loaded", "weighted", "failover"),
  affinity: fc.constantFrom<Service["affinity"]>("none", "none", "viewer", "stream"),
  whenFull: fc.constantFrom<Service["whenFull"]>("spill", "refuse"),
  whenDown: fc.constantFrom<Service["whenDown"]>("fail-open", "fallback", "refuse"),
  fallback: fc.constantFrom(UP_IPV4, UP_IPV6, UP_IPV4 | UP_IPV6),
  answers: fc.integer({ min: 1, max: 4 }),
});

const caseArbitrary = fc.record({
  edges: fc.array(edgeArbitrary, { minLength: 1, maxLength: 6 }),
  service: serviceArbitrary,
  returning: fc.constantFrom(0, 0, 500),
});
type Case = typeof caseArbitrary extends fc.Arbitrary<infer T> ? T : never;

function worldFor(edges: readonly Edge[], { edges: said, returning }: Case): World {
  const numbers = (of: (edge: Case["edges"][number]) => number): Float64Array =>
    Float64Array.from(said, (edge) => of(edge));
  const back = squareKey(0, PLACE.latitude, PLACE.longitude);
  return {
    ...worldOf(edges),
    up: Uint8Array.from(said, ({ up, families }) => (families === 0 ? up & UP_IPV4 : up & families)),
    state: Uint8Array.from(said, ({ state }) => state),
    unsteady: Uint8Array.from(said, ({ unsteady }) => unsteady),
    downAddresses: new Map(said.map(({ downAddresses }, edge) => [edge, downAddresses])),
    loadRatio: numbers(({ loadRatio }) => loadRatio),
    priceKm: numbers(({ priceKm }) => priceKm),
    perViewer: numbers(({ loadRatio }) => (Number.isNaN(loadRatio) ? 0 : 0.001)),
    limit: numbers(({ limit }) => limit),
    ...(returning === 0 ? {} : { returning: new Map([[askersKey(back, true), returning]]) }),
  };
}

/** What is answered to each type, all at one moment: nothing that is counted for one is known to the other. */
function answers(one: Case): { readonly a: Reply; readonly aaaa: Reply; readonly https: Reply } {
  const edges = one.edges.map(({ families }, index) => edgeOf(families, index));
  const { fallback, answers: most, ...rules } = one.service;
  const addresses = [
    ...((fallback & UP_IPV4) === 0 ? [] : [ipv4(200)]),
    ...((fallback & UP_IPV6) === 0 ? [] : [ipv6(200)]),
  ];
  const hostnames = rules.affinity === "stream" ? [`*.${ZONE}`] : [`live.${ZONE}`];
  const dns = { ttlSeconds: 20, ttlInDoubtSeconds: 5, answers: most, bindings: [HTTPS] };
  // A fallback of who refuses is for services without an edge in service: then A has one where AAAA has none.
  const given = rules.whenDown === "refuse" ? {} : { fallback: { addresses } };
  const service = serviceOf(edges, { ...rules, hostnames, dns, ...given });
  const inventory = plainInventory({ edges, services: [service], zones: [plainZone(ZONE)] });
  const ask = (type: number): Reply => {
    const locate = () => ({ location: PLACE, prefixLength: 16 });
    const redirector = createRedirector(locate, { monotonicMs: () => 0 });
    redirector.take(inventory, worldFor(edges, one));
    const responder = createResponder({
      namespace: compileNamespace(inventory.zones, inventory.services),
      decide: redirector.decide,
      counters: createDnsCounters(new Float64Array(counterCells())),
      cookieSecrets: () => [new Uint8Array(16)],
      onFault: (error) => {
        throw error;
      },
    });
    const packet = query({ name: `live.${ZONE}`, type, edns: { options: [subnet(1, 24, [100, 64, 7])] } });
    const out = new Uint8Array(1232);
    const octets = responder.respond(packet, packet.length, Uint8Array.of(127, 0, 0, 1), "udp", out);
    return decode(Buffer.from(out.subarray(0, octets)));
  };
  return { a: ask(TYPES.A), aaaa: ask(TYPES.AAAA), https: ask(TYPES.HTTPS) };
}

/**
 * Params of the only record (RFC 9460 2.2), its target being its owner: a pointer, TYPE to RDLENGTH, a priority and a
 * root come before them.
 */
function hintsOf({ octets, question, packet }: Reply, key: 4 | 6): string[] {
  if (packet.answers?.length !== 1) return [];
  const found: string[] = [];
  const start = 12 + question.length + 12;
  const end = start + octets.readUInt16BE(start - 2);
  for (let at = start + 3; at < end; at += 4 + octets.readUInt16BE(at + 2)) {
    const value = octets.subarray(at + 4, at + 4 + octets.readUInt16BE(at + 2));
    const step = key === 4 ? 4 : 16;
    if (octets.readUInt16BE(at) === key)
      for (let i = 0; i < value.length; i += step)
        found.push(formatAddress({ family: key, bytes: value.subarray(i, i + step) }));
  }
  return found;
}

const scopeOf = ({ opt }: Reply): number => opt?.options.get(8)?.[3] ?? -1;
const ttlsOf = ({ packet }: Reply): number[] =>
  (packet.answers ?? []).flatMap((answer) => ("ttl" in answer ? [answer.ttl ?? 0] : []));

it("RFC 9460 7.3: are those of A and AAAA, for no longer and for nobody else", () => {
  fc.assert(
    fc.property(caseArbitrary, (one) => {
      const { a, aaaa, https } = answers(one);
      expect(hintsOf(https, 4)).toEqual(data(a, "A"));
      expect(hintsOf(https, 6)).toEqual(data(aaaa, "AAAA"));
      const [ttl = 0] = ttlsOf(https);
      for (const other of [...ttlsOf(a), ...ttlsOf(aaaa)]) expect(ttl).toBeLessThanOrEqual(other);
      for (const other of [a, aaaa]) expect(scopeOf(https)).toBeGreaterThanOrEqual(scopeOf(other));
      if (a.rcode === RCODES.SERVFAIL && aaaa.rcode === RCODES.SERVFAIL)
        expect(https.rcode).toBe(RCODES.SERVFAIL);
    }),
    { numRuns: 400 },
  );
});
