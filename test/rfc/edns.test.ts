import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data, RCODES, type Reply } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { nameOctets, opt, option, query, record, TYPES, u16 } from "../dns/packets.ts";
import { type Harness, startHarness, UDP4, UDP6, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const NAME = `static.${ZONE}`;
const ADDRESSES = ["192.0.2.1", "192.0.2.2"];

/** An OPT record with options that are given raw. */
function rawOpt(options: readonly number[], rdlength = options.length): Uint8Array {
  return Uint8Array.from([0, ...u16(TYPES.OPT), ...u16(1232), 0, 0, 0, 0, ...u16(rdlength), ...options]);
}

function withRecord(octets: Uint8Array): Buffer {
  return query({ name: NAME, records: [{ section: 3, octets }] });
}

function expectPlain(reply: Reply): void {
  expect(reply.rcode).toBe(RCODES.NOERROR);
  expect(data(reply, "A")).toEqual(ADDRESSES);
  expect(reply.opt?.options.size).toBe(0);
}

describe.each(WAYS)("EDNS, %s", (_name, way) => {
  it("RFC 6891 7 (E01): no OPT in the query, none in the reply", async () => {
    expect((await harness.ask(way, { name: NAME })).opt).toBeUndefined();
  });

  it.each([NAME, `nowhere.${ZONE}`, "example.org"])(
    "RFC 6891 6.1.1 (E02): OPT comes back for %s",
    async (name) => {
      const reply = await harness.ask(way, { name, edns: {} });
      expect(reply.opt).toMatchObject({ version: 0, size: 1232, flags: 0 });
    },
  );

  it("RFC 6891 6.1.3 (E03): version 1 is BADVERS, its options are not looked at", async () => {
    const malformed = option(8, [9]);
    const reply = await harness.ask(way, { name: NAME, edns: { version: 1, options: [malformed] } });
    expect(reply).toMatchObject({ rcode: RCODES.BADVERS, aa: false, counts: [1, 0, 0, 1] });
    expect(reply.opt).toMatchObject({ version: 0, flags: 0 });
    expect(reply.opt?.options.size).toBe(0);
  });

  it.each([1, 3, 4, 5, 15])("RFC 6891 6.1.3 (E03): so it is with opcode %i", async (opcode) => {
    const reply = await harness.ask(way, { name: NAME, flags: opcode << 11, edns: { version: 1 } });
    expect(reply).toMatchObject({ rcode: RCODES.BADVERS, opcode, aa: false, counts: [1, 0, 0, 1] });
    expect(reply.opt).toMatchObject({ version: 0 });
  });

  it("RFC 6891 6.1.3 (E04): version 255 with DO is BADVERS", async () => {
    const reply = await harness.ask(way, { name: NAME, edns: { version: 255, flags: 0x8000 } });
    expect(reply.rcode).toBe(RCODES.BADVERS);
    expect(reply.opt).toMatchObject({ version: 0, flags: 0x8000 });
  });

  it.each([
    ["100", option(100, [1, 2, 3])],
    ["100, empty", option(100)],
    ["65001", option(65_001, [1])],
  ])("RFC 6891 6.1.2 (E05): option %s is ignored and not echoed", async (_name, unknown) => {
    expectPlain(await harness.ask(way, { name: NAME, edns: { options: [unknown] } }));
  });

  it("RFC 6891 6.1.4, RFC 3225 3 (E06): of the flags only DO comes back", async () => {
    const all = await harness.ask(way, { name: NAME, edns: { flags: 0xffff } });
    const others = await harness.ask(way, { name: NAME, edns: { flags: 0x7fff } });
    expect([all.opt?.flags, others.opt?.flags]).toEqual([0x8000, 0]);
  });

  it("RFC 6891 6.1.1 (E07): two OPT records are FORMERR", async () => {
    const reply = await harness.ask(way, { name: NAME, edns: {}, records: [{ section: 3, octets: opt() }] });
    expect(reply).toMatchObject({ rcode: RCODES.FORMERR, counts: [1, 0, 0, 1] });
  });

  it.each([1, 2] as const)("RFC 6891 6.1.1 (E07): OPT in section %i is FORMERR", async (section) => {
    const packet = query({ name: NAME, records: [{ section, octets: opt() }] });
    expect(await harness.ask(way, packet)).toMatchObject({ rcode: RCODES.FORMERR, counts: [1, 0, 0, 0] });
    const both = query({ name: NAME, edns: {}, records: [{ section, octets: opt() }] });
    expect((await harness.ask(way, both)).rcode).toBe(RCODES.FORMERR);
  });

  it("RFC 6891 6.1.2 (E08): an OPT with an owner other than the root is FORMERR", async () => {
    const owned = Uint8Array.from([1, 97, ...opt()]);
    const pointed = Uint8Array.from([0xc0, 12, ...opt().subarray(1)]);
    expect((await harness.ask(way, withRecord(owned))).rcode).toBe(RCODES.FORMERR);
    expect((await harness.ask(way, withRecord(pointed))).rcode).toBe(RCODES.FORMERR);
  });

  it.each([
    ["RDLENGTH past the end", rawOpt([], 5)],
    ["an option past the end of RDATA", rawOpt([0, 100, 0, 9, 1])],
    ["1 stray octet", rawOpt([0])],
    ["2 stray octets", rawOpt([0, 100])],
    ["3 stray octets", rawOpt([0, 100, 0])],
    ["a cut-off record", opt().subarray(0, 7)],
  ])("RFC 6891 6.1.2 (E09): %s is FORMERR", async (_name, octets) => {
    expect((await harness.ask(way, withRecord(octets))).rcode).toBe(RCODES.FORMERR);
  });

  it("RFC 6891 6.1.1 (E14): OPT need not be the last record", async () => {
    const after = record([...nameOctets("x")], TYPES.A, [1, 2, 3, 4]);
    expectPlain(await harness.ask(way, { name: NAME, edns: {}, records: [{ section: 3, octets: after }] }));
  });

  it("RFC 5001 2 (E15): NSID is not configured and not answered", async () => {
    expectPlain(await harness.ask(way, { name: NAME, edns: { options: [option(3)] } }));
  });

  it("RFC 7828 3.2.1, 3.3.2 (E16): edns-tcp-keepalive is ignored over UDP, and answered over TCP", async () => {
    const reply = await harness.ask(way, { name: NAME, edns: { options: [option(11)] } });
    if (way.transport === "udp") expectPlain(reply);
    else expect(reply.opt?.options.get(11)?.length).toBe(2);
  });

  it("RFC 7830 (E17): a padded query is answered, the reply is not padded", async () => {
    const reply = await harness.ask(way, {
      name: NAME,
      edns: {
        options: [
          option(
            12,
            Array.from({ length: 400 }, () => 0),
          ),
        ],
      },
    });
    expectPlain(reply);
    expect(reply.octets.length).toBeLessThanOrEqual(512);
  });
});

describe.each([
  ["IPv4", UDP4],
  ["IPv6", UDP6],
])("sizes over UDP, %s", (_name, way) => {
  it.each([0, 100, 511])("RFC 6891 6.2.3 (E10): a size of %i is 512", async (size) => {
    const fits = await harness.ask(way, { name: NAME, edns: { size } });
    expect(fits).toMatchObject({ tc: false, rcode: RCODES.NOERROR });
    const large = await harness.ask(way, { name: `big.${ZONE}`, type: TYPES.TXT, edns: { size } });
    expect(large).toMatchObject({ tc: true, counts: [1, 0, 0, 1] });
    expect(large.octets.length).toBeLessThanOrEqual(512);
  });

  it.each([
    ["one record of 753 octets", "big", TYPES.TXT],
    ["60 records", "many", TYPES.A],
  ])("RFC 2181 9 (E11): %s without EDNS is TC, and no half of it", async (_name, name, type) => {
    const reply = await harness.ask(way, { name: `${name}.${ZONE}`, type });
    expect(reply).toMatchObject({ tc: true, rcode: RCODES.NOERROR, counts: [1, 0, 0, 0] });
    expect(reply.octets.length).toBeLessThanOrEqual(512);
  });

  it("RFC 9715 3.1 (E12): 1232 octets are the most, whatever is announced; OPT is kept", async () => {
    const huge = await harness.ask(way, { name: `huge.${ZONE}`, type: TYPES.TXT, edns: { size: 65_535 } });
    expect(huge).toMatchObject({ tc: true, counts: [1, 0, 0, 1] });
    const big = await harness.ask(way, { name: `big.${ZONE}`, type: TYPES.TXT, edns: { size: 65_535 } });
    expect(big).toMatchObject({ tc: false, counts: [1, 1, 0, 1] });
  });
});

describe.each(WAYS.filter(([, { transport }]) => transport === "tcp"))("sizes, %s", (_name, way) => {
  it.each([undefined, { size: 512 }])("RFC 7766 5 (E13): the answer comes whole, EDNS %o", async (edns) => {
    const huge = await harness.ask(way, {
      name: `huge.${ZONE}`,
      type: TYPES.TXT,
      ...(edns === undefined ? {} : { edns }),
    });
    expect(huge.tc).toBe(false);
    expect(huge.octets.length).toBeGreaterThan(2000);
    const many = await harness.ask(way, { name: `many.${ZONE}`, ...(edns === undefined ? {} : { edns }) });
    expect(many.counts[1]).toBe(60);
  });
});

describe("amplification", () => {
  it("RFC 5358, 8482, 9715 (T09): a reply over UDP is at most six times the query", async () => {
    const names = [
      ZONE,
      NAME,
      `live.${ZONE}`,
      `nowhere.${ZONE}`,
      `child.${ZONE}`,
      `alias2.${ZONE}`,
      `fallback.${ZONE}`,
    ];
    for (const name of names) {
      for (const type of [TYPES.ANY, TYPES.SOA, TYPES.NS, TYPES.A, TYPES.AAAA, TYPES.TXT]) {
        for (const edns of [undefined, { size: 4096 }]) {
          const packet = query({ name, type, ...(edns === undefined ? {} : { edns }) });
          const reply = await harness.ask(UDP4, packet);
          expect(reply.octets.length, `${name} ${type}`).toBeLessThanOrEqual(packet.length * 6);
        }
      }
    }
  });
});
