import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readEvents } from "../../src/experience/cmcd.ts";
import { parseDictionary } from "../../src/experience/dictionary.ts";

describe("a Structured Field Dictionary", () => {
  it.each<[string, [string, unknown][] | undefined]>([
    ["", []],
    ["a", [["a", true]]],
    [
      "  a=1,b=?0;p=2,\tc",
      [
        ["a", 1],
        ["b", false],
        ["c", true],
      ],
    ],
    [
      's="x\\"y\\\\z, w",t=tok/en',
      [
        ["s", 'x"y\\z, w'],
        ["t", "tok/en"],
      ],
    ],
    [
      "l=(1 2;v  -3.5 ),m=()",
      [
        ["l", [1, 2, -3.5]],
        ["m", []],
      ],
    ],
    ["a=1,a=2", [["a", 2]]],
    ["com.example-x=(1)", [["com.example-x", [1]]]],
    ["a=", undefined],
    ["a=1,", undefined],
    ["A=1", undefined],
    ["a=1 b=2", undefined],
    ['a="open', undefined],
    ["a=(1 2", undefined],
    ["a=?2", undefined],
    ["a=\u00e9", undefined],
    [`a=(${"1 ".repeat(33)})`, undefined],
    [`a=1${";b".repeat(33)}`, undefined],
    [Array.from({ length: 129 }, (_, i) => `k${i}`).join(","), undefined],
  ])("%j", (text, expected) => {
    const members = parseDictionary(text);
    expect(members && [...members]).toEqual(expected);
  });

  it("never throws", () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDictionary(text)));
    const shapes = fc.array(
      fc.constantFrom("a", "=", "(", ")", '"', ";", ",", " ", "1", "?", "\\", ".", "-"),
      { maxLength: 40 },
    );
    fc.assert(fc.property(shapes, (parts) => void parseDictionary(parts.join(""))));
  });
});

describe("CMCD events", () => {
  it("tell the throughput, and the network or host that it was measured at", () => {
    const body = [
      'e=t,ts=1,v=2,h="Edge1.example.net",mtp=(25300),sid="x",sta=p',
      'e=rr,ts=2,v=2,url="https://edge2.example.net:8443/a?b=\\"",mtp=(1200;v 400;a),rc=200,ttfb=12',
      'cdn="ams1",mtp=900,e=ps,ts=3,v=2',
      "e=t,ts=4,v=2,mtp=(700)",
      'e=t,ts=5,v=2,h="edge1.example.net"',
      "e=t,ts=6,v=2,mtp=()",
      "this is none",
      "",
    ].join("\r\n");
    expect(readEvents(body)).toEqual([
      { host: "edge1.example.net", bitsPerSecond: 25_300_000 },
      { host: "edge2.example.net", bitsPerSecond: 1_200_000 },
      { cdn: "ams1", bitsPerSecond: 900_000 },
      { bitsPerSecond: 700_000 },
    ]);
  });

  it("are no more than 100 in a body, of 4 KiB at most", () => {
    expect(readEvents('mtp=1,cdn="a"\n'.repeat(1000))).toHaveLength(100);
    const padded = (length: number): string => `mtp=1,x="${"x".repeat(length - 10)}"`;
    expect(readEvents(padded(4096))).toHaveLength(1);
    expect(readEvents(padded(4097))).toEqual([]);
    expect(readEvents(`mtp=1,url="http://a.example/${"x".repeat(2048)}"`)).toEqual([{ bitsPerSecond: 1000 }]);
  });

  const players = new URL("../players/", import.meta.url);
  const encoder = createRequire(players);
  const isThere = existsSync(new URL("node_modules/@svta/cml-cmcd/package.json", players));
  const isLeftOut = !isThere && process.env["CI"] === undefined;
  it.skipIf(isLeftOut)("are read as players write them (after `npm ci --prefix test/players`)", async () => {
    const path = encoder.resolve("@svta/cml-cmcd");
    const { encodeCmcd } = (await import(path)) as { encodeCmcd: (data: object, options: object) => string };
    const data = {
      e: "rr",
      ts: 1,
      v: 2,
      rc: 200,
      sid: "x",
      cid: 'q"',
      url: "http://edge.example.net:81/a",
      cdn: "ams1",
      mtp: [25_300],
      bl: [4000],
      ot: "v",
    };
    const line = encodeCmcd(data, { version: 2, reportingMode: "event" });
    expect(readEvents(line)).toEqual([{ host: "edge.example.net", cdn: "ams1", bitsPerSecond: 25_300_000 }]);
  });
});
