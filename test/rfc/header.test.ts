import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data, RCODES } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { longName, nameOctets, option, query, record, TYPES } from "../dns/packets.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const NAME = `static.${ZONE}`;
const QUESTION_OF_NAME = Buffer.from([...nameOctets(NAME), 0, 1, 0, 1]);

const CLIENT_COOKIE = [1, 2, 3, 4, 5, 6, 7, 8];

describe.each(WAYS)("the header and the question, %s", (_name, way) => {
  it.each([0, 1, 2, 5, 11])("RFC 1035 4.1.1 (H01): %i octets get no reply", async (octets) => {
    expect(await harness.send(way, query({ name: NAME }).subarray(0, octets))).toBeUndefined();
  });

  it("RFC 1035 4.1.1 (H02): a response gets no reply", async () => {
    expect(await harness.send(way, query({ name: NAME, flags: 0x8000 }))).toBeUndefined();
  });

  it("RFC 9619 4 (H03): no question is FORMERR", async () => {
    const reply = await harness.ask(way, {});
    expect(reply.rcode).toBe(RCODES.FORMERR);
    expect(reply.counts).toEqual([0, 0, 0, 0]);
  });

  it("RFC 9619 4 (H04): two questions are FORMERR without answers", async () => {
    const reply = await harness.ask(way, query({ name: NAME, counts: [2, 0, 0, 0], junk: QUESTION_OF_NAME }));
    expect(reply.rcode).toBe(RCODES.FORMERR);
    expect(reply.counts.slice(1)).toEqual([0, 0, 0]);
  });

  it.each([
    ["IQUERY (RFC 3425 3)", 1],
    ["STATUS", 2],
    ["unassigned", 3],
    ["NOTIFY", 4],
    ["UPDATE", 5],
    ["DSO", 6],
    ["unassigned", 15],
  ])("RFC 8906 8.1.4 (H05): opcode %s is NOTIMP, opcode %i echoed", async (_name, opcode) => {
    const reply = await harness.ask(way, { name: NAME, flags: opcode << 11 });
    expect(reply).toMatchObject({ rcode: RCODES.NOTIMP, opcode, aa: false });
    expect(reply.counts[1]).toBe(0);
  });

  it("RFC 6891 6.1.1 (H05): a NOTIFY with EDNS is answered with EDNS, question and cookie beside NOTIMP", async () => {
    const flags = 4 << 11;
    const reply = await harness.ask(way, {
      name: NAME,
      flags,
      edns: { options: [option(10, CLIENT_COOKIE)] },
    });
    expect(reply).toMatchObject({ rcode: RCODES.NOTIMP, opcode: 4, aa: false, counts: [1, 0, 0, 1] });
    expect(reply.opt?.options.get(10)?.length).toBe(24);
  });

  it("RFC 8490 5.1 (H05): what is laid out in another way has nothing but its header repeated", async () => {
    const keepalive = Buffer.of(0, 1, 0, 8, 0, 0, 0x3a, 0x98, 0, 0, 0x3a, 0x98);
    const reply = await harness.ask(way, query({ flags: 6 << 11, junk: keepalive }));
    expect(reply).toMatchObject({ rcode: RCODES.NOTIMP, opcode: 6, counts: [0, 0, 0, 0] });
    const cut = query({ name: NAME, flags: 5 << 11, edns: {}, counts: [1, 9, 0, 1] });
    expect((await harness.ask(way, cut)).octets.length).toBe(12);
  });

  it("RFC 8906 8.1.4 (H06): a bare header of opcode 15 is NOTIMP", async () => {
    expect((await harness.ask(way, { flags: 15 << 11 })).rcode).toBe(RCODES.NOTIMP);
  });

  it("RFC 8906 8.1.4 (H07): all flags on an unknown opcode are NOTIMP with RA and Z clear", async () => {
    const reply = await harness.ask(way, { name: NAME, flags: 0x7fff });
    expect(reply).toMatchObject({ rcode: RCODES.NOTIMP, ra: false, z: false, aa: false });
  });

  it("RFC 8906 8.1.3 (H08): Z is ignored and not copied", async () => {
    const reply = await harness.ask(way, { name: NAME, flags: 0x0040 });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, z: false });
    expect(data(reply, "A")).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("RFC 8906 8.1.3 (H09): AA, TC and RA of the query are ignored", async () => {
    const reply = await harness.ask(way, { name: `nowhere.${ZONE}`, flags: 0x0680 });
    expect(reply).toMatchObject({ rcode: RCODES.NXDOMAIN, tc: false, ra: false });
  });

  it.each([0x0100, 0])("RFC 1035 4.1.1 (H10): RD 0x%i is copied, RA is not set, AA is", async (flags) => {
    const reply = await harness.ask(way, { name: NAME, flags });
    expect(reply).toMatchObject({ rd: flags !== 0, ra: false, aa: true });
  });

  it("RFC 4035 3.1.6 (H11): AD and CD are clear in unsigned data, asked for or not", async () => {
    expect(await harness.ask(way, { name: NAME, flags: 0x0030 })).toMatchObject({ ad: false, cd: false });
  });

  it("RFC 4343 4.1 (H12): ID and question come back octet by octet, mixed case kept", async () => {
    const mixed = "StAtIc.cDn.ExAmPlE.nEt";
    const reply = await harness.ask(way, { name: mixed, id: 0xa55a });
    expect(reply.id).toBe(0xa55a);
    expect(reply.question).toEqual(Buffer.from([...nameOctets(mixed), 0, 1, 0, 1]));
    expect(reply.packet.answers?.[0]?.name).toBe(mixed);
  });

  it.each([
    ["to itself", [0xc0, 0x0c]],
    ["to the header", [0xc0, 0x00]],
    ["past the end", [0xff, 0xff]],
    ["after a label", [3, 0x77, 0x77, 0x77, 0xc0, 0x0c]],
  ])("RFC 9267 2 (H13): a pointer in QNAME %s is FORMERR", async (_name, name) => {
    const packet = query({ counts: [1, 0, 0, 0], junk: Buffer.from([...name, 0, 1, 0, 1]) });
    expect((await harness.ask(way, packet)).rcode).toBe(RCODES.FORMERR);
  });

  it.each([0x40, 0x41, 0x80])("RFC 6891 5 (H14): label type %i is FORMERR", async (octet) => {
    const packet = query({ counts: [1, 0, 0, 0], junk: Buffer.from([octet, 1, 97, 0, 0, 1, 0, 1, 0, 0]) });
    expect((await harness.ask(way, packet)).rcode).toBe(RCODES.FORMERR);
  });

  it("RFC 1035 2.3.4 (H15): a QNAME of 255 octets is served, one of 256 is FORMERR", async () => {
    expect((await harness.ask(way, { name: longName(255, ZONE) })).rcode).toBe(RCODES.NXDOMAIN);
    expect((await harness.ask(way, { name: longName(256, ZONE) })).rcode).toBe(RCODES.FORMERR);
  });

  it.each([1, 2, 3, 4, 5, 20])(
    "RFC 1035 4.1.2 (H16): a question short of %i octets is FORMERR",
    async (missing) => {
      const whole = query({ name: NAME });
      expect((await harness.ask(way, whole.subarray(0, whole.length - missing))).rcode).toBe(RCODES.FORMERR);
    },
  );

  it.each([
    ["AN", [1, 65_535, 0, 0]],
    ["NS", [1, 0, 65_535, 0]],
    ["AR", [1, 0, 0, 65_535]],
    ["all", [65_535, 65_535, 65_535, 65_535]],
  ] as const)("RFC 1035 4.1.1 (H17): counts that lie in %s are FORMERR", async (_name, counts) => {
    expect((await harness.ask(way, query({ name: NAME, counts }))).rcode).toBe(RCODES.FORMERR);
  });

  it("RFC 1035 4.1 (H18): octets that nothing counts are passed over", async () => {
    const reply = await harness.ask(way, { name: NAME, junk: Buffer.alloc(100, 0xaa) });
    expect(data(reply, "A")).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("RFC 1035 4.1 (H19): records in the query's answer section change nothing", async () => {
    const planted = record([...nameOctets(NAME)], TYPES.A, [6, 6, 6, 6]);
    const reply = await harness.ask(way, { name: NAME, records: [{ section: 1, octets: planted }] });
    expect(data(reply, "A")).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("RFC 4892 (H20): version.bind is REFUSED", async () => {
    const reply = await harness.ask(way, { name: "version.bind", type: TYPES.TXT, class: 3 });
    expect(reply).toMatchObject({ rcode: RCODES.REFUSED, aa: false });
    expect(reply.counts.slice(1)).toEqual([0, 0, 0]);
  });

  it.each([0, 3, 4, 254, 255])("RFC 1035 3.2.4 (H21): class %i is REFUSED", async (klass) => {
    const reply = await harness.ask(way, { name: NAME, class: klass });
    expect(reply).toMatchObject({ rcode: RCODES.REFUSED, aa: false });
    expect(reply.counts[1]).toBe(0);
  });

  it.each([
    ["AXFR (RFC 5936 2.2)", TYPES.AXFR],
    ["IXFR (RFC 1995 2)", TYPES.IXFR],
  ])("H22: %s is REFUSED, nothing of the zone is told", async (_name, type) => {
    const reply = await harness.ask(way, { name: ZONE, type });
    expect(reply.rcode).toBe(RCODES.REFUSED);
    expect(reply.counts.slice(1)).toEqual([0, 0, 0]);
  });

  it.each([
    ["OPT", TYPES.OPT, RCODES.FORMERR],
    ["TSIG", TYPES.TSIG, RCODES.FORMERR],
    ["TKEY", TYPES.TKEY, RCODES.NOTIMP],
    ["NXNAME (RFC 9824 3.5)", 128, RCODES.FORMERR],
  ])("RFC 6895 3.1 (H23): %s as a type asked for is refused", async (_name, type, rcode) => {
    expect((await harness.ask(way, { name: NAME, type })).rcode).toBe(rcode);
  });
});

describe("the header, twice over", () => {
  it("RFC 1035 4.1.1 (H17): the query after one with lying counts is answered", async () => {
    for (let i = 0; i < 20; i++) {
      await harness.send(UDP4, query({ name: NAME, counts: [1, 65_535, 65_535, 65_535] }));
      expect((await harness.ask(UDP4, { name: NAME })).rcode).toBe(RCODES.NOERROR);
    }
  });
});
