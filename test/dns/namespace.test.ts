import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { wireName } from "../../src/dns/name.ts";
import type { Holding } from "../../src/dns/holding.ts";
import { compileInSteps, compileNamespace } from "../../src/dns/namespace.ts";
import type { RecordData, StaticRecord, Zone } from "../../src/model/zone.ts";
import { SERVICES, ZONE, ZONES } from "./fixture.ts";

const namespace = compileNamespace(ZONES, SERVICES);

function kindAt(name: string, zones = namespace): Holding["kind"] | undefined {
  return zones.find(wireName(name))?.kind;
}

function plainZone(name: string, owners: readonly string[] = []): Zone {
  return {
    name,
    nameservers: ["ns.example.org"],
    contact: "a@example.org",
    ttlSeconds: 60,
    negativeTtlSeconds: 60,
    serial: 1,
    records: owners.map((owner) => ({
      name: owner,
      ttlSeconds: 60,
      data: { type: "A", address: { family: 4, bytes: Uint8Array.of(192, 0, 2, 1) } },
    })),
  };
}

describe("the namespace", () => {
  it.each([
    [ZONE, "records"],
    [`static.${ZONE}`, "records"],
    [`deep.${ZONE}`, "records"],
    [`live.${ZONE}`, "service"],
    [`x.tenant.${ZONE}`, "service"],
    [`tenant.${ZONE}`, "records"],
    [`alias.${ZONE}`, "alias"],
    [`child.${ZONE}`, "referral"],
    [`ns.child.${ZONE}`, "referral"],
    [`x.child.${ZONE}`, "referral"],
    [`nowhere.${ZONE}`, "absent"],
    [`sub.${ZONE}`, "records"],
    [`x.sub.${ZONE}`, "absent"],
    ["example.net", undefined],
    ["", undefined],
    [`x${ZONE}`, undefined],
  ])("has at %s: %s", (name, kind) => {
    expect(kindAt(name)).toBe(kind);
  });

  it("gives each name to the innermost zone", () => {
    expect(namespace.find(wireName(`x.sub.${ZONE}`))?.zone.name).toEqual(wireName(`sub.${ZONE}`));
    expect(namespace.find(wireName(`x.${ZONE}`))?.zone.name).toEqual(wireName(ZONE));
  });

  it("hides records of a zone below the apex of a zone inside it", () => {
    const both = compileNamespace([plainZone("a.test", ["x.b.a.test"]), plainZone("b.a.test")], []);
    expect(kindAt("x.b.a.test", both)).toBe("absent");
  });

  it("RFC 9471 2: adds addresses to a delegation from the zone and what is inside it, not from elsewhere", () => {
    const ns = (target: string) =>
      ({ name: "sub.a.test", ttlSeconds: 60, data: { type: "NS", target } }) as const;
    const servers = ["ns.sub.a.test", "ns.b.test", "ns.in.a.test", "nsa.test"];
    const above = plainZone("a.test", ["ns.sub.a.test"]);
    const zones = [
      { ...above, records: [...above.records, ...servers.map(ns)] },
      plainZone("in.a.test", ["ns.in.a.test"]),
      plainZone("b.test", ["ns.b.test"]),
      plainZone("nsa.test", ["nsa.test"]),
    ];
    const referral = compileNamespace(zones, []).find(wireName("www.sub.a.test"));
    expect(referral).toMatchObject({ kind: "referral", servers: { count: 4 } });
    expect(referral?.kind === "referral" && referral.glue.length).toBe(2);
  });

  it("lets the names between two zones exist (RFC 4592 2.2.2)", () => {
    const both = compileNamespace([plainZone("test"), plainZone("a.b.c.test")], []);
    expect(["b.c.test", "c.test"].map((name) => kindAt(name, both))).toEqual(["records", "records"]);
    expect(kindAt("x.b.c.test", both)).toBe("absent");
  });

  it("serves the root as a zone", () => {
    const root = compileNamespace([plainZone("", ["host"])], []);
    expect(["", "host", "x.host", "other"].map((name) => kindAt(name, root))).toEqual([
      "records",
      "records",
      "absent",
      "absent",
    ]);
  });

  it("refuses a hostname outside of every zone", () => {
    expect(() => compileNamespace(ZONES, [{ hostnames: ["live.example.com"] }])).toThrow(
      "no zone holds live.example.com",
    );
  });

  it("without zones knows no name", () => {
    expect(kindAt(ZONE, compileNamespace([], []))).toBeUndefined();
  });

  it("finds among any names what RFC 4592 3.3.1 says, however they hash", () => {
    const label = fc.constantFrom("a", "b", "c", "*", "dd");
    const owner = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => `${labels.join(".")}.test`);
    fc.assert(
      fc.property(fc.array(owner, { maxLength: 12 }), owner, (owners, asked) => {
        const kind = kindAt(asked, compileNamespace([plainZone("test", owners)], []));
        expect(kind).toBe(expectedKind(new Set(owners), asked));
      }),
      { numRuns: 3000 },
    );
  });

  it("finds each of 20,000 names", () => {
    const owners = Array.from({ length: 20_000 }, (_, i) => `h${i}.g${i % 97}.test`);
    const many = compileNamespace([plainZone("test", owners)], []);
    expect(owners.every((name) => kindAt(name, many) === "records")).toBe(true);
    expect(kindAt("h20000.g1.test", many)).toBe("absent");
  });

  it.each([
    ["the one for every path", [["/vod/*"], undefined, ["/live/*"]], 1],
    ["the first, where each has paths", [["/vod/*"], ["/live/*"]], 0],
  ])("of services that share a hostname, has the rules and bindings of %s", (_what, paths, answering) => {
    const hostnames = [`shared.${ZONE}`];
    const services = paths.map((its, i) => ({
      hostnames,
      ...(its && { paths: its }),
      dns: {
        ttlSeconds: 20,
        ttlInDoubtSeconds: 5,
        answers: 1,
        clientSubnet: { isEnabled: false, scope: { 4: { min: 0, max: i }, 6: { min: 0, max: i } } },
        bindings: [
          { type: "HTTPS", prefix: i === 0 ? "" : `_${i}._https`, params: [], hints: true },
        ] as const,
      },
    }));
    const shared = compileNamespace(ZONES, services);
    const own = shared.find(wireName(hostnames[0] as string));
    expect(own).toMatchObject({ kind: "service", clientSubnet: { scope: { 4: { max: answering } } } });
    expect(own?.kind === "service" && own.bindings.size).toBe(answering === 0 ? 1 : 0);
    expect(kindAt(`_1._https.shared.${ZONE}`, shared)).toBe(answering === 1 ? "service" : "absent");
    expect(kindAt(`_2._https.shared.${ZONE}`, shared)).toBe("absent");
  });
});

/** The rule, written the slow way over text. */
function expectedKind(owners: ReadonlySet<string>, asked: string): "records" | "absent" {
  const existing = new Set(["test"]);
  for (const owner of owners) {
    for (let name = owner; name.includes("."); name = name.slice(name.indexOf(".") + 1)) existing.add(name);
  }
  if (existing.has(asked)) return "records";
  let encloser = asked;
  while (!existing.has(encloser)) encloser = encloser.slice(encloser.indexOf(".") + 1);
  return existing.has(`*.${encloser}`) ? "records" : "absent";
}

describe("compiling in steps", () => {
  const RECORDS = 20_000;
  const named = (name: (i: number) => string, data: (i: number) => RecordData): StaticRecord[] =>
    Array.from({ length: RECORDS }, (_, i) => ({ name: name(i), ttlSeconds: 60, data: data(i) }));
  const address = (i: number): RecordData => ({
    type: "A",
    address: { family: 4, bytes: Uint8Array.of(10, i >> 16, i >> 8, i) },
  });

  it.each([
    ["addresses of as many names", named((i) => `a${i}.steps.test`, address)],
    [
      "aliases",
      named(
        (i) => `a${i}.steps.test`,
        (i) => ({ type: "CNAME", target: `a${i + 1}.steps.test` }),
      ),
    ],
  ])("a zone of 20,000 %s takes hundreds of steps: others are answered meanwhile", (_what, records) => {
    const steps = compileInSteps([{ ...plainZone("steps.test"), records }], []);
    let count = 1;
    while (steps.next().done !== true) count++;
    // A hundred in a step, each time that they are gone through.
    expect(count).toBeGreaterThan((3 * RECORDS) / 100);
  });
});
