import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { data, negativeTtl, RCODES } from "../dns/answers.ts";
import { ZONE } from "../dns/fixture.ts";
import { TYPES } from "../dns/packets.ts";
import { type Harness, startHarness, UDP4, WAYS } from "./harness.ts";

let harness: Harness;
beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.stop());

const NEGATIVE_TTL = 30;

describe.each(WAYS)("names and records, %s", (_name, way) => {
  it("RFC 1034 4.3.2 (N01): one SOA at the apex", async () => {
    const reply = await harness.ask(way, { name: ZONE, type: TYPES.SOA });
    expect(reply.aa).toBe(true);
    expect(reply.packet.answers).toMatchObject([{ name: ZONE, type: "SOA", ttl: 3600 }]);
    expect(data(reply, "SOA")).toEqual([
      {
        mname: `ns1.${ZONE}`,
        rname: "host\\.master.example.net",
        serial: 4_000_000_001,
        refresh: 14_400,
        retry: 3600,
        expire: 1_209_600,
        minimum: NEGATIVE_TTL,
      },
    ]);
  });

  it("RFC 1034 4.3.2 (N02): NS at the apex", async () => {
    const reply = await harness.ask(way, { name: ZONE, type: TYPES.NS });
    expect(reply.aa).toBe(true);
    expect(data(reply, "NS")).toEqual([`ns1.${ZONE}`, `ns2.${ZONE}`]);
    expect(reply.packet.answers?.map(({ name }) => name)).toEqual([ZONE, ZONE]);
  });

  it("RFC 2308 2.2, 3, 5 (N03): a type that is absent is NODATA with SOA", async () => {
    const reply = await harness.ask(way, { name: `static.${ZONE}`, type: TYPES.MX });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(reply.counts[1]).toBe(0);
    expect(negativeTtl(reply)).toBe(NEGATIVE_TTL);
    expect(reply.packet.authorities?.[0]?.name).toBe(ZONE);
  });

  it("RFC 2308 2.1, 3, 5 (N04): a name that is absent is NXDOMAIN with SOA", async () => {
    const reply = await harness.ask(way, { name: `nowhere.${ZONE}` });
    expect(reply).toMatchObject({ rcode: RCODES.NXDOMAIN, aa: true });
    expect(negativeTtl(reply)).toBe(NEGATIVE_TTL);
  });

  it("RFC 2308 5 (N04): the TTL of the SOA is the smaller of its own and MINIMUM", async () => {
    const reply = await harness.ask(way, { name: `nowhere.sub.${ZONE}` });
    expect(reply.packet.authorities).toMatchObject([{ name: `sub.${ZONE}`, ttl: 20, data: { minimum: 60 } }]);
  });

  it.each(["deep", "c.deep", "b.c.deep", "wild", "_udp", "ent.wild"])(
    "RFC 8020 2 (N05): the empty non-terminal %s is NODATA",
    async (name) => {
      const reply = await harness.ask(way, { name: `${name}.${ZONE}` });
      expect(reply.rcode).toBe(RCODES.NOERROR);
      expect(reply.counts[1]).toBe(0);
      expect(negativeTtl(reply)).toBe(NEGATIVE_TTL);
    },
  );

  it("RFC 9156 2.3 (N06): NS and A at every ancestor of a deep name are NOERROR", async () => {
    for (const name of ["", "deep.", "c.deep.", "b.c.deep.", "a.b.c.deep."]) {
      for (const type of [TYPES.NS, TYPES.A]) {
        expect((await harness.ask(way, { name: name + ZONE, type })).rcode).toBe(RCODES.NOERROR);
      }
    }
  });

  it("RFC 1034 4.3.2 (N07): a name below a leaf is NXDOMAIN", async () => {
    expect((await harness.ask(way, { name: `below.static.${ZONE}` })).rcode).toBe(RCODES.NXDOMAIN);
    expect((await harness.ask(way, { name: `below.live.${ZONE}` })).rcode).toBe(RCODES.NXDOMAIN);
  });

  it.each([".", "net", "example.net", "com", `evil${ZONE}`, `${ZONE}.evil`, "example"])(
    "RFC 1035 4.1.1 (N08): %s is out of zone and REFUSED",
    async (name) => {
      const reply = await harness.ask(way, { name });
      expect(reply).toMatchObject({ rcode: RCODES.REFUSED, aa: false });
      expect(reply.counts).toEqual([1, 0, 0, 0]);
    },
  );

  it("RFC 1034 4.3.2 (N09): an alias comes first, what it leads to follows", async () => {
    const reply = await harness.ask(way, { name: `alias2.${ZONE}` });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(reply.packet.answers).toMatchObject([
      { name: `alias2.${ZONE}`, type: "CNAME", data: `alias.${ZONE}` },
      { name: `alias.${ZONE}`, type: "CNAME", data: `static.${ZONE}` },
      { name: `static.${ZONE}`, type: "A", data: "192.0.2.1" },
      { name: `static.${ZONE}`, type: "A", data: "192.0.2.2" },
    ]);
    expect(reply.counts[2]).toBe(0);
  });

  it("RFC 1034 4.3.2 (N09): an alias leads to a service", async () => {
    const reply = await harness.ask(way, { name: `tolive.${ZONE}` });
    expect(reply.packet.answers).toMatchObject([
      { name: `tolive.${ZONE}`, type: "CNAME" },
      { name: `live.${ZONE}`, type: "A", data: "127.0.0.11", ttl: 20 },
      { name: `live.${ZONE}`, type: "A", data: "127.0.0.12", ttl: 20 },
    ]);
  });

  it.each([
    ["tosub", `static.sub.${ZONE}`, "192.0.2.100"],
    ["back.sub", `static.${ZONE}`, "192.0.2.1"],
  ])("RFC 1034 4.3.2 (N09): the alias %s leads to another zone of ours", async (name, target, first) => {
    const reply = await harness.ask(way, { name: `${name}.${ZONE}` });
    expect(reply.packet.answers?.[0]).toMatchObject({ type: "CNAME", data: target });
    expect(reply.packet.answers?.[1]).toMatchObject({ type: "A", name: target, data: first });
  });

  it("RFC 2308 2.2 (N09): an alias to a name without the type brings the SOA of the target's zone", async () => {
    const reply = await harness.ask(way, { name: `tosub.${ZONE}`, type: TYPES.MX });
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect(reply.packet.authorities).toMatchObject([{ type: "SOA", name: `sub.${ZONE}` }]);
  });

  it("RFC 6604 3 (N09): the response code is that of the alias's last target", async () => {
    const reply = await harness.ask(way, { name: `dangling.${ZONE}` });
    expect(reply).toMatchObject({ rcode: RCODES.NXDOMAIN, aa: true });
    expect(reply.packet.answers).toMatchObject([{ type: "CNAME", data: `nowhere.${ZONE}` }]);
    expect(negativeTtl(reply)).toBe(NEGATIVE_TTL);
  });

  it("RFC 1034 3.6.2 (N10): asked for CNAME, exactly that record comes", async () => {
    const reply = await harness.ask(way, { name: `alias2.${ZONE}`, type: TYPES.CNAME });
    expect(reply.counts).toEqual([1, 1, 0, 0]);
    expect(data(reply, "CNAME")).toEqual([`alias.${ZONE}`]);
  });

  it("RFC 2308 2.2 (N11): an alias out of our zones comes alone", async () => {
    const reply = await harness.ask(way, { name: `www.${ZONE}` });
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect(reply.counts).toEqual([1, 1, 0, 0]);
    expect(data(reply, "CNAME")).toEqual(["www.example.org"]);
  });

  it.each([
    ["loop1", 2],
    ["self", 1],
    ["x.wildloop", 1],
    ["chain0", 8],
  ])("RFC 1034 3.6.2 (N12): the endless alias %s ends after %i records", async (name, count) => {
    const reply = await harness.ask(way, { name: `${name}.${ZONE}` });
    expect(reply.rcode).toBe(RCODES.NOERROR);
    expect(data(reply, "CNAME")).toHaveLength(count);
    expect(reply.counts.slice(2)).toEqual([0, 0]);
  });

  it.each([65_280, TYPES.HTTPS, TYPES.SVCB, TYPES.CAA, TYPES.DS, TYPES.HINFO, 0])(
    "RFC 3597 2 (N13): type %i at a name without is NODATA with SOA",
    async (type) => {
      for (const name of [`static.${ZONE}`, `live.${ZONE}`]) {
        const reply = await harness.ask(way, { name, type });
        expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
        expect(reply.counts[1]).toBe(0);
        expect(negativeTtl(reply)).toBe(NEGATIVE_TTL);
      }
    },
  );

  it.each([`static.${ZONE}`, `live.${ZONE}`, ZONE])(
    "RFC 8482 4.2 (N14): ANY at %s is HINFO",
    async (name) => {
      const reply = await harness.ask(way, { name, type: TYPES.ANY });
      expect(reply.counts).toEqual([1, 1, 0, 0]);
      expect(data(reply, "HINFO")).toEqual([{ cpu: "RFC8482", os: "" }]);
      expect(reply.octets.length).toBeLessThanOrEqual(512);
    },
  );

  it("RFC 4035 3.1.4.1: DS at a delegation is ours to deny, below it is not", async () => {
    const at = await harness.ask(way, { name: `child.${ZONE}`, type: TYPES.DS });
    expect(at).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(negativeTtl(at)).toBe(NEGATIVE_TTL);
    for (const name of [`x.child.${ZONE}`, `ns.child.${ZONE}`]) {
      const below = await harness.ask(way, { name, type: TYPES.DS });
      expect(below).toMatchObject({ rcode: RCODES.NOERROR, aa: false });
      expect(below.packet.authorities).toMatchObject([{ type: "NS" }, { type: "NS" }]);
    }
  });

  it("RFC 8482 4 (N14): ANY at an alias is the alias, at an empty non-terminal nothing", async () => {
    expect((await harness.ask(way, { name: `alias.${ZONE}`, type: TYPES.ANY })).counts).toEqual([1, 1, 0, 0]);
    expect((await harness.ask(way, { name: `deep.${ZONE}`, type: TYPES.ANY })).counts).toEqual([1, 0, 1, 0]);
  });

  it("RFC 4343 3 (N15): case does not matter", async () => {
    const reply = await harness.ask(way, { name: "STATIC.CDN.example.NET" });
    expect(data(reply, "A")).toEqual(["192.0.2.1", "192.0.2.2"]);
  });

  it("RFC 4592 3.3 (N15): the owner of a wildcard's record is the name asked", async () => {
    for (const name of [`Any.wild.${ZONE}`, `a.b.wild.${ZONE}`, `*.wild.${ZONE}`]) {
      const reply = await harness.ask(way, { name });
      expect(reply.packet.answers).toMatchObject([{ name, type: "A", data: "192.0.2.7" }]);
    }
  });

  it("RFC 4592 2.2.1 (N15): a wildcard does not stand for what exists, nor for what is below it", async () => {
    const existing = await harness.ask(way, { name: `exists.wild.${ZONE}` });
    expect(existing).toMatchObject({ rcode: RCODES.NOERROR, counts: [1, 0, 1, 0] });
    expect((await harness.ask(way, { name: `x.exists.wild.${ZONE}` })).rcode).toBe(RCODES.NXDOMAIN);
    expect((await harness.ask(way, { name: `x.ent.wild.${ZONE}` })).rcode).toBe(RCODES.NXDOMAIN);
  });

  it("RFC 4592 3.3 (N15): a service's wildcard is decided like any of its hostnames", async () => {
    const reply = await harness.ask(way, { name: `Some.tenant.${ZONE}` });
    expect(reply.packet.answers?.[0]).toMatchObject({ name: `Some.tenant.${ZONE}`, data: "127.0.0.11" });
  });

  it("RFC 2181 5, 5.2 (N16): TTLs are as configured, families apart, no record twice", async () => {
    const four = await harness.ask(way, { name: `static.${ZONE}` });
    const six = await harness.ask(way, { name: `static.${ZONE}`, type: TYPES.AAAA });
    expect(four.packet.answers).toMatchObject([
      { type: "A", ttl: 77 },
      { type: "A", ttl: 77 },
    ]);
    expect(six.packet.answers).toMatchObject([{ type: "AAAA", ttl: 78, data: "2001:db8::1" }]);
  });

  it("RFC 1034 4.2.1: a delegated name is a referral with glue, without AA", async () => {
    for (const name of [`child.${ZONE}`, `ns.child.${ZONE}`, `x.y.child.${ZONE}`]) {
      const reply = await harness.ask(way, { name });
      expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: false, counts: [1, 0, 2, 2] });
      expect(reply.packet.authorities).toMatchObject([
        { name: `child.${ZONE}`, type: "NS", data: `ns.child.${ZONE}` },
        { name: `child.${ZONE}`, type: "NS", data: "ns.example.org" },
      ]);
      expect(reply.packet.additionals).toMatchObject([
        { name: `ns.child.${ZONE}`, type: "A", data: "192.0.2.9" },
        { name: `ns.child.${ZONE}`, type: "AAAA", data: "2001:db8::9" },
      ]);
    }
  });

  it("RFC 1034 4.3.2: an alias into a delegation ends in the referral", async () => {
    const reply = await harness.ask(way, { name: `tochild.${ZONE}` });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true, counts: [1, 1, 2, 2] });
  });

  it("RFC 4035 3.1.4.1: DS is answered by the zone above a cut", async () => {
    for (const name of [`child.${ZONE}`, `sub.${ZONE}`]) {
      const reply = await harness.ask(way, { name, type: TYPES.DS });
      expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true, counts: [1, 0, 1, 0] });
      expect(reply.packet.authorities).toMatchObject([{ type: "SOA", name: ZONE }]);
    }
  });

  it("RFC 1034 4.2.1: the zone inside a zone answers for itself", async () => {
    const reply = await harness.ask(way, { name: `sub.${ZONE}`, type: TYPES.SOA });
    expect(reply.packet.answers).toMatchObject([{ name: `sub.${ZONE}`, data: { serial: 1 } }]);
  });

  it("a service at an apex leaves SOA and NS in place", async () => {
    expect(data(await harness.ask(way, { name: "other.example" }), "A")[0]).toBe("127.0.0.11");
    expect(data(await harness.ask(way, { name: "other.example", type: TYPES.NS }), "NS")).toEqual([
      "ns1.other.example",
    ]);
  });
});

describe("records of every type", () => {
  it.each([
    ["@", TYPES.CAA, [{ flags: 0, tag: "issue", value: "letsencrypt.org", issuerCritical: false }]],
    ["@", TYPES.MX, [{ preference: 10, exchange: `mail.${ZONE}` }]],
    ["_sip._udp", TYPES.SRV, [{ priority: 1, weight: 2, port: 5060, target: `static.${ZONE}` }]],
    ["static", TYPES.TXT, [[Buffer.from("hello"), Buffer.from("world")]]],
  ])("RFC 1035, 2782, 8659: %s type %i", async (name, type, expected) => {
    const reply = await harness.ask(UDP4, { name: name === "@" ? ZONE : `${name}.${ZONE}`, type });
    expect(reply.packet.answers?.map((one) => "data" in one && one.data)).toEqual(expected);
  });

  it("RFC 9460 2.2: HTTPS and SVCB, the target uncompressed", async () => {
    const https = await harness.ask(UDP4, { name: `web.${ZONE}`, type: TYPES.HTTPS });
    expect(https.octets.subarray(-13).toString("latin1")).toBe(
      "\u0000\u0001\u0000\u0000\u0001\u0000\u0006\u0002h2\u0002h3",
    );
    const svcb = await harness.ask(UDP4, { name: `svc.${ZONE}`, type: TYPES.SVCB });
    expect(svcb.octets.toString("latin1")).toContain(
      "\u0000\u001a\u0000\u0002\u0006static\u0003cdn\u0007example\u0003net\u0000",
    );
  });
});

describe("what a decision becomes", () => {
  it("names the first edges, best first, in the family asked", async () => {
    expect(data(await harness.ask(UDP4, { name: `live.${ZONE}` }), "A")).toEqual([
      "127.0.0.11",
      "127.0.0.12",
    ]);
    expect(data(await harness.ask(UDP4, { name: `live.${ZONE}`, type: TYPES.AAAA }), "AAAA")).toEqual([
      "2001:db8:a::11",
      "2001:db8:a::12",
    ]);
  });

  it.each(["overload", "open"])("answers under %s as otherwise", async (id) => {
    expect(data(await harness.ask(UDP4, { name: `${id}.${ZONE}` }), "A")).toEqual([
      "127.0.0.11",
      "127.0.0.12",
    ]);
  });

  it("answers the fallback's addresses with the decision's TTL", async () => {
    const reply = await harness.ask(UDP4, { name: `fallback.${ZONE}` });
    expect(reply.packet.answers).toMatchObject([{ data: "127.0.0.20", ttl: 20 }]);
  });

  it.each([
    ["four-only", NEGATIVE_TTL],
    ["six-down", 20],
  ])("NODATA where no edge has the family: %s is kept %i s", async (id, ttl) => {
    const reply = await harness.ask(UDP4, { name: `${id}.${ZONE}`, type: TYPES.AAAA });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR, aa: true });
    expect(negativeTtl(reply)).toBe(ttl);
  });

  it("refuses: full is a short NODATA, down and empty are SERVFAIL", async () => {
    const full = await harness.ask(UDP4, { name: `full.${ZONE}` });
    expect(full.rcode).toBe(RCODES.NOERROR);
    expect(negativeTtl(full)).toBe(20);
    for (const id of ["down", "empty", "todown"]) {
      const reply = await harness.ask(UDP4, { name: `${id}.${ZONE}` });
      expect(reply).toMatchObject({ rcode: RCODES.SERVFAIL, aa: false, counts: [1, 0, 0, 0] });
    }
  });

  it("RFC 8914 4.18: a viewer who is not allowed gets NODATA, and with EDNS the reason", async () => {
    const reply = await harness.ask(UDP4, { name: `closed.${ZONE}`, edns: {} });
    expect(reply).toMatchObject({ rcode: RCODES.NOERROR });
    expect(negativeTtl(reply)).toBe(NEGATIVE_TTL);
    expect(reply.opt?.options.get(15)).toEqual(Buffer.from([0, 17]));
    expect((await harness.ask(UDP4, { name: `closed.${ZONE}` })).opt).toBeUndefined();
  });

  it.each(["gone", "broken"])(
    "a hostname that the engine does not answer for (%s) is SERVFAIL",
    async (id) => {
      const reply = await harness.ask(UDP4, { name: `${id}.${ZONE}`, edns: {} });
      expect(reply).toMatchObject({ rcode: RCODES.SERVFAIL, counts: [1, 0, 0, 1] });
    },
  );
});
