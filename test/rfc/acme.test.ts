import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ChallengeValues } from "../../src/model/acme.ts";
import { data, negativeTtl, RCODES } from "../dns/answers.ts";
import { SERVICES, ZONE, ZONES } from "../dns/fixture.ts";
import { TYPES } from "../dns/packets.ts";
import { type Harness, startHarness, WAYS } from "./harness.ts";

const VALUES: ChallengeValues = new Map([
  [`live.${ZONE}`, ["one", "two"]],
  [`any.tenant.${ZONE}`, ["three"]],
  [`static.${ZONE}`, ["four"]],
  ["nowhere.example.org", ["five"]],
]);
/** `_acme-challenge.www` is an alias of the file to the name of a value. */
const ZONES_WITH_ALIAS = ZONES.map((zone) =>
  zone.name === ZONE
    ? {
        ...zone,
        records: [
          ...zone.records,
          {
            name: `_acme-challenge.www2.${ZONE}`,
            ttlSeconds: 60,
            data: { type: "CNAME", target: `_acme-challenge.live.${ZONE}` } as const,
          },
          {
            name: `_acme-challenge.static.${ZONE}`,
            ttlSeconds: 60,
            data: { type: "CNAME", target: "elsewhere.example.org" } as const,
          },
          {
            name: `proof.${ZONE}`,
            ttlSeconds: 60,
            data: { type: "CNAME", target: `_acme-challenge.static.${ZONE}` } as const,
          },
        ],
      }
    : zone,
);

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness({
    served: { zones: ZONES_WITH_ALIAS, services: SERVICES },
    challenges: VALUES,
  });
});
afterAll(() => harness.stop());

describe.each(WAYS)("values for certificate authorities, %s", (_name, way) => {
  const textsAt = async (name: string): Promise<string[]> =>
    data(await harness.ask(way, { name, type: TYPES.TXT }), "TXT").map((strings) => String(strings));

  it("RFC 8555 8.4: are TXT records at _acme-challenge of the hostname, not to be kept", async () => {
    const reply = await harness.ask(way, { name: `_ACME-Challenge.live.${ZONE}`, type: TYPES.TXT });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(reply.packet.answers).toMatchObject([
      { type: "TXT", ttl: 1, data: [Buffer.from("one")] },
      { type: "TXT", ttl: 1, data: [Buffer.from("two")] },
    ]);
  });

  it("RFC 2308 2.2: have no other types, and nothing below", async () => {
    const other = await harness.ask(way, { name: `_acme-challenge.live.${ZONE}` });
    expect(other.rcode).toBe(RCODES.NOERROR);
    expect(negativeTtl(other)).toBe(30);
    const below = await harness.ask(way, { name: `x._acme-challenge.live.${ZONE}` });
    expect(below.rcode).toBe(RCODES.NXDOMAIN);
  });

  it("RFC 4592: stand under a wildcard without taking its names away", async () => {
    expect(await textsAt(`_acme-challenge.any.tenant.${ZONE}`)).toEqual(["three"]);
    const reply = await harness.ask(way, { name: `any.tenant.${ZONE}` });
    expect(data(reply, "A")).toHaveLength(2);
  });

  it("RFC 1034 3.6.2: are found through an alias, and stand instead of one", async () => {
    const reply = await harness.ask(way, { name: `_acme-challenge.www2.${ZONE}`, type: TYPES.TXT });
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect(reply.packet.answers?.map(({ type }) => type)).toEqual(["CNAME", "TXT", "TXT"]);
    expect(await textsAt(`_acme-challenge.static.${ZONE}`)).toEqual(["four"]);
    const proof = await harness.ask(way, { name: `proof.${ZONE}`, type: TYPES.TXT });
    expect(proof.packet.answers?.map(({ type }) => type)).toEqual(["CNAME", "TXT"]);
  });

  it("RFC 1035 3.1: are not those of a name with a dot in a label", async () => {
    const [first = "", ...rest] = ZONE.split(".");
    const labels = [`live.${first}`, ...rest].map((label) => Buffer.from(label));
    const name = [Buffer.from("_acme-challenge"), ...labels].flatMap((label) => [label.length, ...label]);
    const header = [0, 7, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    const reply = await harness.ask(way, Buffer.from([...header, ...name, 0, 0, TYPES.TXT, 0, 1]));
    expect(reply.rcode).toBe(RCODES.REFUSED);
    expect(reply.counts[1]).toBe(0);
  });

  it("are not answered where we are not authoritative, nor where there are none", async () => {
    const outside = await harness.ask(way, { name: "_acme-challenge.nowhere.example.org", type: TYPES.TXT });
    expect(outside.rcode).toBe(RCODES.REFUSED);
    const none = await harness.ask(way, { name: `_acme-challenge.four.${ZONE}`, type: TYPES.TXT });
    expect(none.rcode).toBe(RCODES.NXDOMAIN);
  });
});

it("come, stay over a new configuration, and go", async () => {
  const { door, ask, stop } = await startHarness();
  const way = WAYS[0]?.[1] as (typeof WAYS)[number][1];
  const texts = async () =>
    data(await ask(way, { name: `_acme-challenge.live.${ZONE}`, type: TYPES.TXT }), "TXT").map(String);
  try {
    expect(await texts()).toEqual([]);
    door.challenge(new Map([[`live.${ZONE}`, ["one"]]]));
    expect(await texts()).toEqual(["one"]);
    door.take({ zones: ZONES, services: SERVICES });
    expect(await texts()).toEqual(["one"]);
    door.challenge(new Map());
    expect(await texts()).toEqual([]);
  } finally {
    await stop();
  }
});
