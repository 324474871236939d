import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordData, StaticRecord } from "../../src/model/zone.ts";
import { RCODES, type Reply } from "../dns/answers.ts";
import { address, serviceOf, ZONE } from "../dns/fixture.ts";
import { subnet, TYPES } from "../dns/packets.ts";
import { plainZone } from "../inventory.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

function rr(name: string, data: RecordData): StaticRecord {
  return { name: `${name}.${ZONE}`, ttlSeconds: 300, data };
}

function at(text: string): RecordData {
  const found = address(text);
  return { type: found.family === 4 ? "A" : "AAAA", address: found };
}

/** @param target in the zone; "." as it is */
function bound(type: "HTTPS" | "SVCB", priority: number, target: string): RecordData {
  const whole = target === "." ? "" : `${target}.${ZONE}`;
  const alpn = { key: 1, value: Buffer.from("\u0002h2", "latin1") };
  return { type, priority, target: whole, params: priority === 0 ? [] : [alpn] };
}

const MANY = Array.from({ length: 60 }, (_, i) => `192.0.2.${i}`);

const RECORDS: readonly StaticRecord[] = [
  rr("web", bound("HTTPS", 1, ".")),
  rr("web", at("192.0.2.1")),
  rr("web", at("2001:db8::1")),
  rr("alias", bound("HTTPS", 0, "web")),
  rr("service", bound("SVCB", 1, "web")),
  rr("service", bound("SVCB", 2, "other.web")),
  rr("other.web", at("192.0.2.2")),
  rr("nowhere", bound("HTTPS", 0, ".")),
  rr("nowhere", at("192.0.2.3")),
  rr("absent", bound("HTTPS", 1, "not-there")),
  rr("tailored", bound("HTTPS", 1, "live")),
  rr("away", bound("HTTPS", 1, "host.child")),
  rr("child", { type: "NS", target: `host.child.${ZONE}` }),
  rr("host.child", at("192.0.2.4")),
  rr("*.wild", bound("HTTPS", 1, ".")),
  rr("*.wild", at("192.0.2.5")),
  rr("many", bound("HTTPS", 1, ".")),
  ...MANY.map((text) => rr("many", at(text))),
  rr("via", { type: "CNAME", target: `service.${ZONE}` }),
];

let harness: Harness;
beforeAll(async () => {
  const zones = [plainZone(ZONE, { records: RECORDS })];
  harness = await startHarness({ served: { zones, services: [serviceOf("live")] } });
});
afterAll(() => harness.stop());

/** `name type` of each record of the additional section, with the address of those that have one. */
function beside({ packet }: Reply): string[] {
  const others = (packet.additionals ?? []).filter(({ type }) => type !== "OPT");
  return others.map((one) => {
    const hasAddress = one.type === "A" || one.type === "AAAA";
    return `${one.name} ${one.type}${hasAddress ? ` ${one.data}` : ""}`;
  });
}

describe.each(WAYS)("targets of HTTPS and SVCB, %s", (_name, way) => {
  const WEB = [`web.${ZONE} A 192.0.2.1`, `web.${ZONE} AAAA 2001:db8::1`];

  it.each([
    ["web", TYPES.HTTPS, WEB],
    ["service", TYPES.SVCB, [...WEB, `other.web.${ZONE} A 192.0.2.2`]],
    ["via", TYPES.SVCB, [...WEB, `other.web.${ZONE} A 192.0.2.2`]],
    ["x.wild", TYPES.HTTPS, [`x.wild.${ZONE} A 192.0.2.5`]],
  ])("RFC 9460 4.1: addresses in the zone go with %s, type %i", async (name, type, addresses) => {
    const reply = await harness.ask(way, { name: `${name}.${ZONE}`, type, edns: {} });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true, tc: false });
    expect(beside(reply)).toEqual(addresses);
  });

  it("RFC 9460 4.1: so do bindings of an alias's target", async () => {
    const reply = await harness.ask(way, { name: `alias.${ZONE}`, type: TYPES.HTTPS });
    expect(beside(reply).toSorted()).toEqual([...WEB, `web.${ZONE} UNKNOWN_65`].toSorted());
  });

  it("RFC 9460 4.4: what differs by who asks is left for him to ask", async () => {
    const edns = { options: [subnet(1, 24, [203, 0, 113])] };
    const reply = await harness.ask(way, { name: `tailored.${ZONE}`, type: TYPES.HTTPS, edns });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, counts: [1, 1, 0, 1] });
    expect(reply.opt?.options.get(8)?.[3]).toBe(0);
  });

  it.each(["nowhere", "absent", "away"])(
    "RFC 9460 2.5, RFC 1034 4.2.1: nothing goes with %s",
    async (name) => {
      const reply = await harness.ask(way, { name: `${name}.${ZONE}`, type: TYPES.HTTPS });
      expect(reply).toMatchObject({ rcode: RCODES.NOERROR, counts: [1, 1, 0, 0] });
    },
  );

  it("nothing goes with other types", async () => {
    const reply = await harness.ask(way, { name: `web.${ZONE}`, type: TYPES.A });
    expect(reply.counts).toEqual([1, 1, 0, 0]);
  });
});

it("RFC 2181 9: where there is no room for them, nothing is truncated", async () => {
  const reply = await harness.ask(UDP4, { name: `many.${ZONE}`, type: TYPES.HTTPS });
  expect(reply).toMatchObject({ tc: false, counts: [1, 1, 0, 0] });
  const large = await harness.ask(UDP4, { name: `many.${ZONE}`, type: TYPES.HTTPS, edns: { size: 1232 } });
  expect(large).toMatchObject({ tc: false, counts: [1, 1, 0, 61] });
});
