import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordData, StaticRecord, Zone } from "../../src/model/zone.ts";
import { RCODES, type Reply } from "../dns/answers.ts";
import { address, ZONE } from "../dns/fixture.ts";
import { TYPES } from "../dns/packets.ts";
import { plainZone } from "../inventory.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

const LETTERS = "abcdefghijklm".split("");
const CHILD = `children.${ZONE}`;

function rr(name: string, data: RecordData): StaticRecord {
  return { name, ttlSeconds: 300, data };
}

function withAddresses(server: string, number: number): StaticRecord[] {
  const texts = [`192.0.2.${number}`, `2001:db8::${number}`];
  return texts.map((text) => {
    const found = address(text);
    return rr(server, { type: found.family === 4 ? "A" : "AAAA", address: found });
  });
}

function delegated(cut: string, servers: readonly string[]): StaticRecord[] {
  return servers.map((target) => rr(cut, { type: "NS", target }));
}

const WITHIN = LETTERS.map((letter) => `${letter}.servers.${CHILD}`);
const BEYOND = LETTERS.map((letter) => `${letter}.servers-of-somebody-with-a-long-name.example.org`);
const BESIDE = [`ns.${CHILD}`, `ns.other.${ZONE}`, `ns.${ZONE}`, "ns.example.org", "example.org"];

const ZONES: readonly Zone[] = [
  {
    ...plainZone(ZONE),
    records: [
      ...delegated(CHILD, WITHIN),
      ...WITHIN.flatMap((server, i) => withAddresses(server, i + 1)),
      ...delegated(`beyond.${ZONE}`, BEYOND),
      ...delegated(`beside.${ZONE}`, BESIDE),
      ...BESIDE.slice(0, 3).flatMap((server, i) => withAddresses(server, i + 100)),
      rr(`a-${"long".repeat(10)}-alias.${ZONE}`, { type: "CNAME", target: `www.${CHILD}` }),
    ],
  },
  plainZone(`zone.${CHILD}`),
];

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({ served: { zones: ZONES, services: [] } });
});
afterAll(() => harness.stop());

function servers(reply: Reply): unknown[] {
  return (reply.packet.authorities ?? []).map((one) => (one.type === "NS" ? one.data : one));
}

/** `name address` of each. */
function glue(reply: Reply): string[] {
  const others = (reply.packet.additionals ?? []).filter(({ type }) => type !== "OPT");
  return others.map((one) =>
    one.type === "A" || one.type === "AAAA" ? `${one.name} ${one.data}` : one.type,
  );
}

function glueOf(names: readonly string[], first: number): string[] {
  return names.flatMap((name, i) => [`${name} 192.0.2.${first + i}`, `${name} 2001:db8::${first + i}`]);
}

describe.each(WAYS)("delegations, %s", (_name, way) => {
  it.each([CHILD, `www.${CHILD}`, `some-name.with.labels.${CHILD}`])(
    "RFC 9471 3.1: thirteen servers of both families and their addresses are one message, asked for %s",
    async (name) => {
      const reply = await harness.ask(way, { name, edns: { size: 1232 } });
      expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: false, tc: false, counts: [1, 0, 13, 27] });
      expect(servers(reply)).toEqual(WITHIN);
      expect(reply.packet.authorities?.map((one) => one.name)).toEqual(WITHIN.map(() => CHILD));
      expect(glue(reply)).toEqual(glueOf(WITHIN, 1));
    },
  );

  it("RFC 1034 4.3.2: so they are behind an alias", async () => {
    const name = `a-${"long".repeat(10)}-alias.${ZONE}`;
    const reply = await harness.ask(way, { name, edns: { size: 1232 } });
    expect(reply).toMatchObject({ aa: true, tc: false, counts: [1, 1, 13, 27] });
    expect([servers(reply), glue(reply)]).toEqual([WITHIN, glueOf(WITHIN, 1)]);
  });

  it("RFC 1035 4.1.4: names share what they end in, wherever that is", async () => {
    const beyond = await harness.ask(way, { name: `beyond.${ZONE}` });
    expect(beyond).toMatchObject({ tc: false, counts: [1, 0, 13, 0] });
    expect(servers(beyond)).toEqual(BEYOND);
    const beside = await harness.ask(way, { name: `x.beside.${ZONE}` });
    expect(servers(beside)).toEqual(BESIDE);
    expect(glue(beside)).toEqual(glueOf(BESIDE.slice(0, 3), 100));
  });

  it("RFC 4035 3.1.4.1: DS of a zone below a zone that is handed over is denied by itself", async () => {
    const reply = await harness.ask(way, { name: `zone.${CHILD}`, type: TYPES.DS });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true, counts: [1, 0, 1, 0] });
    expect(reply.packet.authorities).toMatchObject([{ type: "SOA", name: `zone.${CHILD}` }]);
  });
});

it("RFC 9471 3.1: glue that does not fit is TC", async () => {
  const reply = await harness.ask(UDP4, { name: CHILD });
  expect(reply).toMatchObject({ tc: true, aa: false });
  expect(servers(reply)).toEqual(WITHIN);
  expect(reply.octets.length).toBeLessThanOrEqual(512);
});
