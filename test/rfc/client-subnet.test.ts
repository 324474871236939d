import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data, RCODES, type Reply } from "../dns/answers.ts";
import type { Service } from "../../src/model/service.ts";
import { SERVICES, ZONE, ZONES } from "../dns/fixture.ts";
import { query, subnet, TYPES } from "../dns/packets.ts";
import { type Harness, startHarness, TCP4, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const LIVE = `live.${ZONE}`;
const ECS = 8;

function asking(name: string, ...options: Uint8Array[]): Buffer {
  return query({ name, edns: { options } });
}

function scope(reply: Reply): number | undefined {
  return reply.opt?.options.get(ECS)?.[3];
}

function best(reply: Reply): unknown {
  return data(reply, "A")[0];
}

const SINGAPORE = [203, 0, 113];
const NEW_YORK = [192, 0, 2];

describe.each(WAYS)("client subnet, %s", (_name, way) => {
  it("RFC 7871 7.2.1 (S01): none asked, none answered", async () => {
    expect((await harness.ask(way, asking(LIVE))).opt?.options.has(ECS)).toBe(false);
  });

  it("RFC 7871 7.2.1 (S02): FAMILY, SOURCE and ADDRESS come back with the decision's SCOPE", async () => {
    const four = await harness.ask(way, asking(LIVE, subnet(1, 24, SINGAPORE)));
    expect(four.opt?.options.get(ECS)).toEqual(Buffer.from([0, 1, 24, 8, 203, 0, 113]));
    expect(best(four)).toBe("127.0.0.12");
    const six = await harness.ask(way, asking(LIVE, subnet(2, 44, [0x20, 1, 0xd, 0xb8, 0, 0x10])));
    expect(six.opt?.options.get(ECS)).toEqual(Buffer.from([0, 2, 44, 16, 0x20, 1, 0xd, 0xb8, 0, 0x10]));
  });

  it("RFC 7871 7.2.1 (S02): SCOPE may be longer than SOURCE", async () => {
    const reply = await harness.ask(way, asking(LIVE, subnet(1, 4, [192])));
    expect(reply.opt?.options.get(ECS)).toEqual(Buffer.from([0, 1, 4, 8, 192]));
    expect(best(reply)).toBe("127.0.0.13");
  });

  it.each([`static.${ZONE}`, `www.${ZONE}`, ZONE, `child.${ZONE}`])(
    "RFC 7871 7.2.1 (S03): SCOPE is 0 where nobody looks at the client: %s",
    async (name) => {
      expect(scope(await harness.ask(way, asking(name, subnet(1, 24, SINGAPORE))))).toBe(0);
    },
  );

  it("RFC 7871 7.2.1 (S03): an alias to a service has the SCOPE of the service", async () => {
    const reply = await harness.ask(way, asking(`tolive.${ZONE}`, subnet(1, 24, SINGAPORE)));
    expect(scope(reply)).toBe(8);
    expect(best(reply)).toBe("127.0.0.12");
  });

  it.each([0, 1, 2])(
    "RFC 7871 7.1.2 (S04): SOURCE 0 in family %i is the default answer with SCOPE 0",
    async (family) => {
      const reply = await harness.ask(way, asking(LIVE, subnet(family, 0, [])));
      expect(reply.opt?.options.get(ECS)).toEqual(Buffer.from([0, family, 0, 0]));
      expect(best(reply)).toBe("127.0.0.11");
    },
  );

  it.each([
    ["SOURCE 33 in IPv4 (S05.1)", subnet(1, 33, [1, 2, 3, 4, 0])],
    [
      "SOURCE 129 in IPv6 (S05.2)",
      subnet(
        2,
        129,
        Array.from({ length: 17 }, () => 0),
      ),
    ],
    ["too few address octets (S05.3)", subnet(1, 24, [1, 2])],
    ["too many address octets (S05.4)", subnet(1, 24, [1, 2, 3, 0])],
    ["bits beyond SOURCE (S05.5)", subnet(1, 20, [1, 2, 0x18])],
    ["bits beyond SOURCE in IPv6 (S05.5)", subnet(2, 1, [0xc0])],
    ["an option of 0 octets (S05.6)", Uint8Array.of(0, 8, 0, 0)],
    ["an option of 1 octet (S05.6)", Uint8Array.of(0, 8, 0, 1, 0)],
    ["an option of 2 octets (S05.6)", Uint8Array.of(0, 8, 0, 2, 0, 1)],
    ["an option of 3 octets (S05.6)", Uint8Array.of(0, 8, 0, 3, 0, 1, 0)],
    ["SCOPE in a query (S06)", subnet(1, 24, [1, 2, 3], 24)],
    ["FAMILY 3 (S07)", subnet(3, 24, [1, 2, 3])],
    ["FAMILY 0 with an address (S07)", subnet(0, 24, [1, 2, 3])],
  ])("RFC 7871 6: %s is FORMERR", async (_name, malformed) => {
    const reply = await harness.ask(way, asking(LIVE, malformed));
    expect(reply).toMatchObject({ rcode: RCODES.FORMERR, counts: [1, 0, 0, 1] });
    expect(reply.opt?.options.size).toBe(0);
  });

  it("RFC 7871 6 (S08): two options are FORMERR", async () => {
    const reply = await harness.ask(way, asking(LIVE, subnet(1, 24, SINGAPORE), subnet(1, 24, NEW_YORK)));
    expect(reply.rcode).toBe(RCODES.FORMERR);
    expect(reply.opt?.options.has(ECS)).toBe(false);
  });

  it("RFC 7871 7.1.2 (S05): where the service makes no use of it, the source decides, SCOPE 0", async () => {
    const unasked = await harness.ask(way, asking(`unasked.${ZONE}`, subnet(1, 24, SINGAPORE)));
    const source = await harness.ask(way, asking(`unasked.${ZONE}`));
    expect([best(unasked), scope(unasked)]).toEqual([best(source), 0]);
    expect(unasked.opt?.options.get(ECS)).toEqual(Buffer.from([0, 1, 24, 0, 203, 0, 113]));
  });

  it("RFC 7871 7.2.1 (S02): so it does for the service that answers, whatever others say who share its hostname", async () => {
    const unasked = SERVICES.find(({ id }) => id === "unasked") as Service;
    const sharing = { ...unasked, id: "paths", hostnames: [LIVE], paths: ["/vod/*"] };
    const shared = await startHarness({ served: { zones: ZONES, services: [...SERVICES, sharing] } });
    const reply = await shared.ask(way, asking(LIVE, subnet(1, 24, SINGAPORE)));
    expect([best(reply), scope(reply)]).toEqual(["127.0.0.12", 8]);
    await shared.stop();
  });

  it("RFC 7871 7.2.1 (S02): a service's bounds of SCOPE are kept", async () => {
    const four = await harness.ask(way, asking(`rounded.${ZONE}`, subnet(1, 24, SINGAPORE)));
    const six = await harness.ask(
      way,
      asking(`rounded.${ZONE}`, subnet(2, 44, [0x20, 1, 0xd, 0xb8, 0, 0x10])),
    );
    expect([best(four), scope(four), scope(six)]).toEqual(["127.0.0.12", 12, 10]);
  });

  it("RFC 7871 7.4 (S09): a static no has SCOPE 0", async () => {
    const absent = await harness.ask(way, asking(`nowhere.${ZONE}`, subnet(1, 24, SINGAPORE)));
    expect([absent.rcode, scope(absent)]).toEqual([RCODES.NXDOMAIN, 0]);
    const empty = await harness.ask(way, asking(`deep.${ZONE}`, subnet(1, 24, SINGAPORE)));
    expect([empty.rcode, empty.counts[1], scope(empty)]).toEqual([RCODES.NOERROR, 0, 0]);
    expect(scope(await harness.ask(way, asking("example.org", subnet(1, 24, SINGAPORE))))).toBe(0);
  });

  it("RFC 7871 7.2.1 (S09): a no that was decided for the client has the decision's SCOPE", async () => {
    for (const id of ["closed", "full"]) {
      const reply = await harness.ask(way, asking(`${id}.${ZONE}`, subnet(1, 24, SINGAPORE)));
      expect([reply.counts[1], scope(reply)], id).toEqual([0, 8]);
    }
    const sixless = query({
      name: `four-only.${ZONE}`,
      type: TYPES.AAAA,
      edns: { options: [subnet(1, 24, SINGAPORE)] },
    });
    expect(scope(await harness.ask(way, sixless))).toBe(8);
  });

  it("RFC 7871 7.3.1 (S10): every address inside the SCOPE gets the same answer", async () => {
    const first = await harness.ask(way, asking(LIVE, subnet(1, 24, SINGAPORE)));
    expect(scope(first)).toBe(8);
    for (const [b, c, d] of [
      [0, 0, 0],
      [255, 255, 255],
      [7, 1, 200],
    ] as const) {
      const reply = await harness.ask(way, asking(LIVE, subnet(1, 32, [203, b, c, d])));
      expect(data(reply, "A")).toEqual(data(first, "A"));
    }
  });

  it.each([
    ["private", 1, 24, [10, 1, 2]],
    ["loopback", 1, 32, [127, 0, 0, 1]],
    ["link-local", 1, 24, [169, 254, 1]],
    ["documentation", 1, 24, [198, 51, 100]],
    ["multicast", 1, 24, [224, 0, 1]],
    ["IPv6 loopback", 2, 128, [...Array.from({ length: 15 }, () => 0), 1]],
    ["IPv6 link-local", 2, 64, [0xfe, 0x80, 0, 0, 0, 0, 0, 0]],
    ["IPv6 documentation", 2, 56, [0x20, 1, 0xd, 0xb8, 0, 0, 0]],
  ])("RFC 7871 11, RFC 6890 (S12): a %s subnet is answered", async (_name, family, source, octets) => {
    const reply = await harness.ask(way, asking(LIVE, subnet(family, source, octets)));
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect(best(reply)).toMatch(/^127\.0\.0\.1[123]$/);
    expect(scope(reply)).toBeLessThanOrEqual(family === 1 ? 32 : 128);
  });

  it("RFC 4291 2.5.5.2 (S12): an IPv4-mapped subnet is IPv4, and its SCOPE counts from the front", async () => {
    const mapped = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, ...SINGAPORE];
    const reply = await harness.ask(way, asking(LIVE, subnet(2, 120, mapped)));
    expect(reply.opt?.options.get(ECS)).toEqual(Buffer.from([0, 2, 120, 104, ...mapped]));
    expect(best(reply)).toBe("127.0.0.12");
    const whole = await harness.ask(way, asking(LIVE, subnet(2, 96, mapped.slice(0, 12))));
    expect(scope(whole)).toBe(96);
  });
});

describe("client subnet, over both transports", () => {
  it("RFC 7871 7 (S11): TCP answers as UDP does", async () => {
    for (const address of [SINGAPORE, NEW_YORK, [198, 51, 100]]) {
      const packet = asking(LIVE, subnet(1, 24, address));
      const [udp, tcp] = [await harness.ask(UDP4, packet), await harness.ask(TCP4, packet)];
      expect(tcp.octets).toEqual(udp.octets);
    }
  });
});
