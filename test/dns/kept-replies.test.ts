import { describe, expect, it } from "vitest";
import type { Decision } from "../../src/model/decision.ts";
import type { PacketRoom } from "../../src/dns/batch-memory.ts";
import { counterCells, createDnsCounters, dnsMetrics } from "../../src/dns/counters.ts";
import { keepReplies, type KeptReplies } from "../../src/dns/kept-replies.ts";
import { compileNamespace } from "../../src/dns/namespace.ts";
import { createResponder } from "../../src/dns/responder.ts";
import { decide, serviceOf, ZONE, ZONES } from "./fixture.ts";
import { UNCOUNTED } from "./harness.ts";
import { option, query, type QueryParts, subnet, TYPES } from "./packets.ts";

const SOURCE = Uint8Array.of(198, 51, 100, 1);
const LIVE: QueryParts = { name: `live.${ZONE}` };

function room(): PacketRoom {
  const octets = new Uint8Array(4096);
  return { octets, words: new Int32Array(octets.buffer) };
}

interface Kept {
  readonly replies: KeptReplies;
  /** How often something was really decided, and how often given again. */
  readonly times: { decided: number; again: number };
  readonly ask: (parts: QueryParts | Buffer, source?: Uint8Array) => Buffer | undefined;
  isStill: boolean;
}

function keeper(counters = UNCOUNTED): Kept & { rename: () => void } {
  const times = { decided: 0, again: 0 };
  const responder = createResponder({
    namespace: compileNamespace(ZONES, [serviceOf("live"), serviceOf("full"), serviceOf("down")]),
    decide: (...question) => {
      times.decided++;
      return decide(...question);
    },
    counters,
    cookieSecrets: () => [Buffer.from("e5e973e5a6b2a43f48e7dc849e37bfcf", "hex")],
    onFault: () => {},
  });
  const keep = (_decision: Decision) => () => {
    if (kept.isStill) times.again++;
    return kept.isStill;
  };
  const replies = keepReplies({
    respond: (packet, length, source, out) =>
      responder.respond(packet.octets, length, source, "udp", out.octets),
    responder,
    counters,
    keep,
  });
  const [received, out] = [room(), room()];
  const kept: Kept & { rename: () => void } = {
    replies,
    times,
    isStill: true,
    ask(parts, source = SOURCE) {
      const packet = Buffer.isBuffer(parts) ? parts : query(parts);
      // What another packet has left there does not matter.
      received.octets.fill(packet.length);
      received.octets.set(packet);
      const octets = replies.respond(received, packet.length, source, out);
      return octets === 0 ? undefined : Buffer.from(out.octets.subarray(0, octets));
    },
    rename() {
      responder.take(compileNamespace(ZONES, []));
      replies.forget();
    },
  };
  return kept;
}

describe("kept replies", () => {
  it("are the same as made ones but for the id, and decided once for all", () => {
    const kept = keeper();
    const first = kept.ask({ ...LIVE, id: 1 });
    for (let id = 2; id < 20; id++) {
      const reply = kept.ask({ ...LIVE, id });
      expect(reply?.readUInt16BE(0)).toBe(id);
      expect(reply?.subarray(2)).toEqual(first?.subarray(2));
    }
    expect(kept.times).toEqual({ decided: 2, again: 17 });
  });

  it("are counted like made ones", () => {
    const cells = new Float64Array(counterCells());
    const kept = keeper(createDnsCounters(cells));
    for (let i = 0; i < 10; i++) kept.ask(LIVE);
    const samples = (name: string) => dnsMetrics([cells]).find((family) => family.name === name)?.samples;
    expect(samples("dns_requests_total")).toMatchObject([{ labels: { type: "A" }, value: 10 }]);
    expect(samples("dns_responses_total")?.[0]).toMatchObject({ labels: { rcode: "NOERROR" }, value: 10 });
  });

  it("are made anew when something else might be decided", () => {
    const kept = keeper();
    for (let i = 0; i < 5; i++) kept.ask(LIVE);
    kept.isStill = false;
    for (let i = 0; i < 5; i++) kept.ask(LIVE);
    expect(kept.times).toEqual({ decided: 7, again: 3 });
  });

  it("are forgotten with the names", () => {
    const kept = keeper();
    for (let i = 0; i < 5; i++) kept.ask(LIVE);
    kept.rename();
    expect(kept.ask(LIVE)?.readUInt8(3)).toBe(3); // NXDOMAIN
  });

  it.each<[string, QueryParts, QueryParts]>([
    ["another letter's case", LIVE, { name: `LIVE.${ZONE}` }],
    ["another type", LIVE, { ...LIVE, type: TYPES.AAAA }],
    ["RD", LIVE, { ...LIVE, flags: 0x0100 }],
    ["another payload size", { ...LIVE, edns: { size: 512 } }, { ...LIVE, edns: { size: 1232 } }],
    ["EDNS", LIVE, { ...LIVE, edns: {} }],
    [
      "another subnet",
      { ...LIVE, edns: { options: [subnet(1, 24, [203, 0, 113])] } },
      { ...LIVE, edns: { options: [subnet(1, 24, [192, 0, 2])] } },
    ],
    ["octets that nothing counts", LIVE, { ...LIVE, junk: Uint8Array.of(1) }],
  ])("are not given to a query with %s", (_name, one, other) => {
    const kept = keeper();
    const fresh = keeper().ask(other);
    for (let i = 0; i < 3; i++) kept.ask(one);
    expect(kept.ask(other)).toEqual(fresh);
    expect(kept.ask(one)).toEqual(keeper().ask(one));
  });

  it("are not given to another source", () => {
    const kept = keeper();
    for (let i = 0; i < 3; i++) kept.ask(LIVE);
    const other = Uint8Array.of(203, 0, 113, 1);
    expect(kept.ask(LIVE, other)).toEqual(keeper().ask(LIVE, other));
  });

  it("do not come from answers that depend on the time, or on a fault", () => {
    const kept = keeper();
    const cookie = { ...LIVE, edns: { options: [option(10, [1, 2, 3, 4, 5, 6, 7, 8])] } };
    for (let i = 0; i < 5; i++) kept.ask(cookie);
    expect(kept.times).toEqual({ decided: 5, again: 0 });
    for (let i = 0; i < 5; i++) kept.ask({ name: `down.${ZONE}` });
    expect(kept.times).toEqual({ decided: 10, again: 0 });
  });

  it("are also those that were prepared, as long as they would be given again", () => {
    const asked = { prepared: 0, again: 0 };
    let isStill = true;
    const again = (): boolean => {
      asked.again++;
      return isStill;
    };
    const { respond } = keepReplies({
      respond(packet, length, _source, out) {
        asked.prepared++;
        out.octets.set(packet.octets.subarray(0, length));
        return length;
      },
      responder: { slip: () => 0, last: { isRepeatable: false } as never },
      counters: UNCOUNTED,
      keep: () => undefined,
      repeatable: () => ({ type: TYPES.A, rcode: 0, class: 0, again }),
    });
    const [received, out] = [room(), room()];
    const octets = query(LIVE);
    received.octets.set(octets);
    const ask = (): Buffer =>
      Buffer.from(out.octets.subarray(0, respond(received, octets.length, SOURCE, out)));
    for (let i = 0; i < 5; i++) expect(ask().equals(octets)).toBe(true);
    expect(asked).toEqual({ prepared: 2, again: 3 });
    isStill = false;
    expect(ask().equals(octets)).toBe(true);
    expect(asked).toEqual({ prepared: 3, again: 4 });
  });

  it("are no replies to packets that get none", () => {
    const kept = keeper();
    const short = Buffer.from([1, 2, 3]);
    const response = query({ ...LIVE, flags: 0x8000 });
    for (let i = 0; i < 5; i++)
      for (const packet of [Buffer.alloc(0), Buffer.alloc(1), short, response])
        expect(kept.ask(packet)).toBeUndefined();
  });

  it("are right among more queries than there are places", () => {
    const kept = keeper();
    const fresh = keeper();
    const asked = Array.from({ length: 6000 }, (_, i) =>
      query({ ...LIVE, edns: { options: [subnet(1, 24, [i & 0xff, i >> 8, 7])] } }),
    );
    for (let round = 0; round < 3; round++)
      for (const packet of asked) expect(kept.ask(packet)?.equals(fresh.ask(packet) as Buffer)).toBe(true);
    expect(kept.times.again).toBeGreaterThan(0);
  });
});
