import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RecordData, StaticRecord, Zone } from "../../src/model/zone.ts";
import { check } from "../../src/commands/check.ts";
import { zoneNotes } from "../../src/commands/zone-notes.ts";
import { plainInventory, plainService, plainZone } from "../inventory.ts";

const ZONE = "example.net";

function record(name: string, data: RecordData): StaticRecord {
  return { name: name === "@" ? ZONE : `${name}.${ZONE}`, ttlSeconds: 60, data };
}
const a = (name: string): StaticRecord =>
  record(name, { type: "A", address: { family: 4, bytes: Uint8Array.of(192, 0, 2, 1) } });
const text = (name: string): StaticRecord => record(name, { type: "TXT", strings: [Uint8Array.of(1)] });
const ns = (name: string, target: string): StaticRecord => record(name, { type: "NS", target });
const cname = (name: string, target: string): StaticRecord => record(name, { type: "CNAME", target });
const mx = (exchange: string): StaticRecord => record("@", { type: "MX", preference: 10, exchange });
const srv = (target: string): StaticRecord =>
  record("_sip._tcp", { type: "SRV", priority: 0, weight: 0, port: 443, target });

/** What is noted of the records beside a nameserver with its address, by their positions. */
function noted(records: readonly StaticRecord[], zone: Partial<Zone> = {}): string[] {
  const zones = [plainZone(ZONE, { records: [...records, a("ns1")], ...zone })];
  const services = [plainService({ hostnames: [`live.${ZONE}`] })];
  return zoneNotes(plainInventory({ zones, services })).map(
    ({ path, message }) => `${path.slice(2).join(".")}: ${message}`,
  );
}

describe("of a zone is noted", () => {
  it("a nameserver that is named as records are, without the zone's name", () => {
    expect(noted([], { nameservers: ["ns1", `ns1.${ZONE}`] })).toEqual([
      "nameservers.0: ns1 is a name at the root, where no server is; write the whole name, as ns1.example.net",
    ]);
  });

  it.each([
    ["that does not exist", [], "ns2.example.net does not exist here"],
    ["without an address", [text("ns2")], "ns2.example.net has no address here"],
    ["that is an alias (RFC 2181 10.3)", [cname("ns2", `ns1.${ZONE}`)], "ns2.example.net is an alias"],
  ])("a nameserver %s", (_what, records, message) => {
    const notes = noted(records, {
      nameservers: [`ns1.${ZONE}`, `ns2.${ZONE}`],
      records: [...records, a("ns1")],
    });
    expect(notes).toEqual([expect.stringContaining(`nameservers.1: ${message}`)]);
  });

  it.each([
    ["a mail server that does not exist", [mx(`mail.${ZONE}`)], "mail.example.net does not exist here"],
    [
      "a server that is an alias",
      [srv(`sip.${ZONE}`), cname("sip", `ns1.${ZONE}`)],
      "sip.example.net is an alias",
    ],
    [
      "a delegation to whom nobody finds",
      [ns("sub", `ns.sub.${ZONE}`)],
      "ns.sub.example.net has no A or AAAA record",
    ],
    ["a delegation to who has no address", [ns("sub", `ns2.${ZONE}`)], "ns2.example.net does not exist here"],
    [
      "a delegation of a wildcard (RFC 4592 4.2)",
      [ns("*.sub", "ns.example.org")],
      "NS records at a wildcard as *.sub.example.net hand nothing over",
    ],
    [
      "a record that a delegation hides",
      [text("www.sub"), ns("sub", "ns.example.org")],
      "www.sub.example.net is handed over",
    ],
    [
      "a record beside a delegation",
      [a("sub"), ns("sub", "ns.example.org")],
      "sub.example.net is handed over",
    ],
    [
      "an alias to what is not there",
      [cname("www", `nothing.${ZONE}`)],
      "www.example.net leads to nothing.example.net, which does not exist",
    ],
    [
      "a name with the zone's name twice",
      [a(`www.${ZONE}`)],
      "www.example.net.example.net has the zone's name twice",
    ],
    ["the zone's name below itself", [a(ZONE)], "example.net.example.net has the zone's name twice"],
    ["an alias to itself", [cname("www", `www.${ZONE}`)], "www.example.net leads back"],
  ])("%s", (_what, records, message) => {
    expect(noted(records)).toEqual([expect.stringContaining(`records.0: ${message}`)]);
  });

  it("an alias to an alias to what is not there, over which it leads", () => {
    expect(noted([cname("a", `b.${ZONE}`), cname("b", `c.${ZONE}`)])).toEqual([
      `records.0: a.${ZONE} leads over b.${ZONE} to a name that does not exist here; add that, or end a whole name with a dot`,
      `records.1: b.${ZONE} leads to c.${ZONE}, which does not exist here; add that, or end a whole name with a dot`,
    ]);
  });

  it("each alias of a loop, and the one that leads into it", () => {
    const records = [cname("a", `b.${ZONE}`), cname("b", `c.${ZONE}`), cname("c", `b.${ZONE}`)];
    expect(noted(records)).toEqual(
      ["a", "b", "c"].map((name) => expect.stringContaining(`${name}.${ZONE} leads back`)),
    );
  });

  it("an alias that leads over more aliases than an answer has", () => {
    const chain = Array.from({ length: 9 }, (_, i) =>
      cname(`c${i}`, i === 8 ? `live.${ZONE}` : `c${i + 1}.${ZONE}`),
    );
    expect(noted(chain)).toEqual([
      expect.stringContaining("records.0: c0.example.net leads over more than the 8"),
    ]);
  });

  it("once a set that fits no message, and none that just does", () => {
    const texts = (octets: number): StaticRecord[] =>
      Array.from({ length: 4 }, (_, i) => {
        const strings = Array.from({ length: octets / 256 }, () => new Uint8Array(255).fill(i));
        return record("long", { type: "TXT", strings });
      });
    expect(noted(texts(64 * 256))).toEqual([
      expect.stringContaining(`records.0: the TXT records of long.${ZONE} do not fit`),
    ]);
    expect(noted(texts(63 * 256))).toEqual([]);
  });

  it("nothing where all is well, or not ours", () => {
    const records = [
      ns("sub", `ns.sub.${ZONE}`),
      a("ns.sub"),
      ns("other", "ns.example.org"),
      mx("mail.example.org"),
      srv(`live.${ZONE}`),
      srv(""),
      cname("www", `live.${ZONE}`),
      cname("cdn", `www.other.${ZONE}`),
      cname("out", "www.example.org"),
      mx(`ns1.${ZONE}`),
    ];
    expect(noted(records)).toEqual([]);
  });
});

describe("check", () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), "zone-notes-"))));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("says where they stand, however the zone is written", async () => {
    const file = join(folder, "edgeward.yaml");
    writeFileSync(
      file,
      `listen: { dns: ["127.0.0.1:8053"] }
zones:
  Example.NET.:
    nameservers: [ns1.example.net]
    contact: hostmaster@example.net
    records:
      - { name: www, type: CNAME, data: nothing }
`,
    );
    const { problems, notes = [] } = await check(file);
    expect(problems).toEqual([]);
    expect(notes.map(({ line, column, path }) => [line, column, path])).toEqual([
      [4, 19, "zones.Example.NET..nameservers.0"],
      [7, 9, "zones.Example.NET..records.0"],
    ]);
  });
});
