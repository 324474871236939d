import { describe, expect, it } from "vitest";
import { completeName, readRecordData, type RecordType } from "../../src/config/record-data.ts";
import type { RecordData } from "../../src/model/zone.ts";

const zone = "cdn.example.net";
const octets = (text: string) => new TextEncoder().encode(text);
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));

function dataOf(type: RecordType, text: string): RecordData {
  const reading = readRecordData(type, text, zone);
  if (reading.kind === "refused") throw new Error(reading.message);
  return reading.value;
}

describe("names", () => {
  it.each([
    ["@", "cdn.example.net"],
    ["www", "www.cdn.example.net"],
    ["a.b", "a.b.cdn.example.net"],
    ["WWW.Example.ORG.", "www.example.org"],
    ["*.wild", "*.wild.cdn.example.net"],
    ["_dns._tcp", "_dns._tcp.cdn.example.net"],
  ])("%s is %s", (text, name) => {
    expect(completeName(text, zone)).toEqual({ kind: "read", value: name });
  });

  it.each(["", ".", "a..b", "a b", "a.*.b", "a".repeat(64), "a\u0000"])("%j is none", (text) => {
    expect(completeName(text, zone).kind).toBe("refused");
  });
});

describe("record data", () => {
  it.each<[RecordType, string, RecordData]>([
    ["A", "192.0.2.1", { type: "A", address: { family: 4, bytes: hex("c0000201") } }],
    [
      "AAAA",
      "2001:db8::1",
      { type: "AAAA", address: { family: 6, bytes: hex("20010db8 00000000 00000000 00000001") } },
    ],
    ["CNAME", "www.example.org.", { type: "CNAME", target: "www.example.org" }],
    ["NS", "ns", { type: "NS", target: "ns.cdn.example.net" }],
    ["MX", "10 mail", { type: "MX", preference: 10, exchange: "mail.cdn.example.net" }],
    ["MX", "0 .", { type: "MX", preference: 0, exchange: "" }],
    [
      "SRV",
      "0 5  443 live.example.org.",
      { type: "SRV", priority: 0, weight: 5, port: 443, target: "live.example.org" },
    ],
    ["CAA", '0 issue "letsencrypt.org"', { type: "CAA", flags: 0, tag: "issue", value: "letsencrypt.org" }],
    [
      "CAA",
      "128 iodef mailto:a@example.net",
      { type: "CAA", flags: 128, tag: "iodef", value: "mailto:a@example.net" },
    ],
    ["CAA", '0 issue ";"', { type: "CAA", flags: 0, tag: "issue", value: ";" }],
  ])("%s %s", (type, text, data) => {
    expect(dataOf(type, text)).toEqual(data);
  });
});

describe("RFC 1035 3.2.1: what is longer than RDLENGTH can tell", () => {
  const most = 0xffff;
  const ids = (octets: number): string => {
    const long = Array.from({ length: octets >> 8 }, () => "x".repeat(255));
    const rest = octets & 0xff;
    return [...long, ...(rest === 0 ? [] : ["x".repeat(rest - 1)])].join(",");
  };
  it.each([
    ["CAA", (octets: number) => `0 issue "${"x".repeat(octets - 7)}"`],
    ["HTTPS", (octets: number) => `1 . alpn="${ids(octets - 7)}"`],
    ["SVCB", (octets: number) => `1 a.b. alpn="${ids(octets - 11)}"`],
    ["SVCB", (octets: number) => `1 . key65000="${"x".repeat(octets - 7)}"`],
  ] as const)("is no %s", (type, text) => {
    expect(readRecordData(type, text(most), zone).kind).toBe("read");
    expect(readRecordData(type, text(most + 1), zone)).toMatchObject({
      kind: "refused",
      message: expect.stringContaining("is too long; a record holds 65535 octets"),
    });
    expect(readRecordData(type, text(900_000), zone).kind).toBe("refused");
  });
});

describe("TXT", () => {
  it.each<[string, Uint8Array[]]>([
    ["one text, with blanks", [octets("one text, with blanks")]],
    ['v=DKIM1; n="x\\y"', [octets('v=DKIM1; n="x\\y"')]],
    ['"one" "two"', [octets("one"), octets("two")]],
    ['"a\\"b\\\\c\\065\\255"', [new Uint8Array([...octets('a"b\\cA'), 255])]],
    ['""', [new Uint8Array()]],
    ["grün", [octets("grün")]],
  ])("%s", (text, strings) => {
    expect(dataOf("TXT", text)).toEqual({ type: "TXT", strings });
  });

  it("splits a long text at 255 octets", () => {
    const data = dataOf("TXT", "x".repeat(600));
    expect(data.type === "TXT" && data.strings.map((string) => string.length)).toEqual([255, 255, 90]);
  });

  it.each([`"${"x".repeat(256)}"`, '"open', '"a" b', '"\\256"', "x".repeat(65_536)])(
    "refuses %.20s",
    (text) => {
      expect(readRecordData("TXT", text, zone).kind).toBe("refused");
    },
  );
});

describe("HTTPS and SVCB (RFC 9460 2.1)", () => {
  it.each<[string, { key: number; value: Uint8Array }[]]>([
    ["1 .", []],
    ["1 . alpn=h2,h3", [{ key: 1, value: hex("02 6832 02 6833") }]],
    [
      '1 . alpn="h2,h3" port=8443',
      [
        { key: 1, value: hex("02 6832 02 6833") },
        { key: 3, value: hex("20fb") },
      ],
    ],
    [
      "1 . port=443 alpn=h3 no-default-alpn",
      [
        { key: 1, value: hex("02 6833") },
        { key: 2, value: hex("") },
        { key: 3, value: hex("01bb") },
      ],
    ],
    ["1 . ipv4hint=192.0.2.1,192.0.2.2", [{ key: 4, value: hex("c0000201 c0000202") }]],
    ["1 . ipv6hint=2001:db8::1", [{ key: 6, value: hex("20010db8000000000000000000000001") }]],
    ["1 . ech=AAEC", [{ key: 5, value: hex("000102") }]],
    ["1 . key667=hello", [{ key: 667, value: octets("hello") }]],
    [
      '1 . key667="hello\\210qoo"',
      [{ key: 667, value: new Uint8Array([...octets("hello"), 210, ...octets("qoo")]) }],
    ],
    [
      "1 . mandatory=ipv4hint,alpn alpn=h2 ipv4hint=192.0.2.1",
      [
        { key: 0, value: hex("0001 0004") },
        { key: 1, value: hex("02 6832") },
        { key: 4, value: hex("c0000201") },
      ],
    ],
    // Appendix D.2, figure 10: a comma and a backslash inside identifiers.
    ['1 . alpn="f\\\\\\\\oo\\\\,bar,h2"', [{ key: 1, value: hex("08 665c6f6f2c626172 02 6832") }]],
  ])("%s", (text, params) => {
    expect(dataOf("HTTPS", text)).toEqual({ type: "HTTPS", priority: 1, target: "", params });
  });

  it("takes the alias form", () => {
    const data = { type: "SVCB", priority: 0, target: "pool.cdn.example.net", params: [] };
    expect(dataOf("SVCB", "0 pool")).toEqual(data);
  });
});
