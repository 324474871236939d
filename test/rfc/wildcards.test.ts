import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordData, StaticRecord } from "../../src/model/zone.ts";
import { data, RCODES } from "../dns/answers.ts";
import { address } from "../dns/fixture.ts";
import { TYPES } from "../dns/packets.ts";
import { plainZone } from "../inventory.ts";
import { type Harness, startHarness, WAYS } from "./harness.ts";

function rr(name: string, record: RecordData): StaticRecord {
  return { name: `${name}.example`, ttlSeconds: 3600, data: record };
}

function txt(text: string): RecordData {
  return { type: "TXT", strings: [Buffer.from(text)] };
}

function srv(target: string): RecordData {
  return { type: "SRV", priority: 0, weight: 0, port: 22, target };
}

/** The zone of RFC 4592 2.2.1, with an alias and a wildcard below a wildcard beside it. */
const ZONE = plainZone("example", {
  nameservers: ["ns.example.com", "ns.example.net"],
  records: [
    rr("*", txt("this is a wildcard")),
    rr("*", { type: "MX", preference: 10, exchange: "host1.example" }),
    rr("sub.*", txt("this is not a wildcard")),
    rr("host1", { type: "A", address: address("192.0.2.1") }),
    rr("_ssh._tcp.host1", srv("host1.example")),
    rr("_ssh._tcp.host2", srv("host1.example")),
    rr("subdel", { type: "NS", target: "ns.example.com" }),
    rr("subdel", { type: "NS", target: "ns.example.net" }),
    rr("*.alias", { type: "CNAME", target: "x.example" }),
    rr("*.*.twice", txt("below a wildcard")),
  ],
});

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ served: { zones: [ZONE], services: [] } });
});
afterAll(() => harness.stop());

const WILDCARD = ["this is a wildcard"];

describe.each(WAYS)("the examples of RFC 4592, %s", (_name, way) => {
  const textsAt = async (name: string): Promise<string[]> =>
    data(await harness.ask(way, { name, type: TYPES.TXT }), "TXT").map(String);

  it.each([
    ["host3.example", TYPES.MX, 1, "synthesized"],
    ["host3.example", TYPES.A, 0, "no data, as there is none at the wildcard"],
    ["foo.bar.example", TYPES.TXT, 1, "synthesized over two labels"],
    ["_chat._udp.host3.example", TYPES.MX, 1, "synthesized over three labels"],
    ["host1.example", TYPES.MX, 0, "no data: it exists"],
    ["sub.*.example", TYPES.MX, 0, "no data: it exists"],
    ["*.example", TYPES.MX, 1, "the wildcard itself"],
    ["host2.example", TYPES.MX, 0, "no data: there are names below it"],
    ["_tcp.host1.example", TYPES.MX, 0, "no data: there is a name below it"],
  ])("2.2.1, 3.3: %s type %i has %i records: %s", async (name, type, count, _why) => {
    const reply = await harness.ask(way, { name, type });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(reply.counts).toEqual([1, count, 1 - count, 0]);
    expect(reply.packet.answers?.map((one) => one.name)).toEqual(count === 0 ? [] : [name]);
  });

  it.each([
    "_telnet._tcp.host1.example",
    "_dns._udp.host2.example",
    "ghost.*.example",
    "foobar.*.example",
    "x.sub.*.example",
    "below.host1.example",
  ])("2.2.1, 3.3.2: %s does not exist: its closest encloser has no wildcard below it", async (name) => {
    for (const type of [TYPES.SRV, TYPES.MX, TYPES.TXT]) {
      const reply = await harness.ask(way, { name, type });
      expect(reply).toMatchObject({ rcode: RCODES.NXDOMAIN, aa: true, counts: [1, 0, 1, 0] });
    }
  });

  it("2.2.1: host.subdel is under a delegation, which a wildcard does not reach into", async () => {
    for (const name of ["host.subdel.example", "*.subdel.example"]) {
      const reply = await harness.ask(way, { name, type: TYPES.MX });
      expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: false, counts: [1, 0, 2, 0] });
    }
  });

  it("2.1.1: an asterisk that is not the whole first label is a letter like others", async () => {
    for (const name of ["*x.example", "x*.example", "sub.*x.example"])
      expect(await textsAt(name), name).toEqual(WILDCARD);
    expect(await textsAt("sub.*.example")).toEqual(["this is not a wildcard"]);
  });

  it("4.4: an alias at a wildcard is one for the name asked, and leads on", async () => {
    const reply = await harness.ask(way, { name: "any.thing.alias.example", type: TYPES.TXT });
    expect(reply.packet.answers).toMatchObject([
      { name: "any.thing.alias.example", type: "CNAME", data: "x.example" },
      { name: "x.example", type: "TXT" },
    ]);
  });

  it("2.1.3, 3.3.1: a wildcard below a wildcard stands for names below the asterisk alone", async () => {
    expect(await textsAt("x.*.twice.example")).toEqual(["below a wildcard"]);
    expect(await textsAt("*.*.twice.example")).toEqual(["below a wildcard"]);
    const beside = await harness.ask(way, { name: "x.y.twice.example", type: TYPES.TXT });
    expect(beside).toMatchObject({ rcode: RCODES.NOERROR, counts: [1, 0, 1, 0] });
  });
});
