import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serverUrl } from "../../src/cli/client.ts";
import { table, widthOf } from "../../src/cli/table.ts";
import { wantsColour } from "../../src/cli/terminal.ts";
import {
  bitRate,
  duration,
  elapsed,
  kilometres,
  percent,
  printable,
  printableJson,
} from "../../src/cli/text.ts";
import { readUntil } from "../../src/cli/until.ts";

describe("text", () => {
  it("leaves letters of every script alone and escapes what a terminal acts upon", () => {
    expect(printable("São Paulo, 東京, Ελλάδα, 🎬")).toBe("São Paulo, 東京, Ελλάδα, 🎬");
    expect(printable("\u0000\t\u007f\u0085\u200e\u2028\ud800")).toBe(
      "\\u0000\\u0009\\u007f\\u0085\\u200e\\u2028\\ud800",
    );
    expect(printable("\u{e0041}")).toBe("\\udb40\\udc41");
  });

  it("prints any JSON so that it reads back the same", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
        const both = { value, text };
        expect(JSON.parse(printableJson(both))).toEqual(JSON.parse(JSON.stringify(both)));
      }),
    );
  });

  it.each([
    [0, "0bps"],
    [999, "999bps"],
    [999_600, "1Mbps"],
    [428_000_000, "428Mbps"],
    [1_250_000_000, "1.25Gbps"],
    [3e12, "3Tbps"],
  ])("writes %d bits per second as %s", (bits, text) => {
    expect(bitRate(bits)).toBe(text);
  });

  it.each([
    [-5, "0s"],
    [59_999, "59s"],
    [60_000, "1m"],
    [3_599_000, "59m"],
    [86_399_000, "23h"],
    [172_800_000, "2d"],
  ])("writes %d ms as %s", (milliseconds, text) => {
    expect(duration(milliseconds)).toBe(text);
  });

  it("writes what is unknown as a dash, and zero as zero", () => {
    expect([kilometres(null), kilometres(undefined), kilometres(Number.NaN), percent(null)]).toEqual(
      Array(4).fill("-"),
    );
    expect([kilometres(0), kilometres(4.26), kilometres(357.6), percent(0), percent(1.207)]).toEqual([
      "0",
      "4.3",
      "358",
      "0%",
      "121%",
    ]);
    expect([elapsed(0.42), elapsed(12.3), elapsed(1234)]).toEqual(["0.4ms", "12ms", "1.2s"]);
  });
});

describe("a table", () => {
  it("gives combining marks no column and wide characters two", () => {
    expect([widthOf("abc"), widthOf("e\u0301"), widthOf("東京"), widthOf("🎬")]).toEqual([3, 1, 4, 2]);
  });

  it("keeps every column apart by two spaces, and ends no line in a space", () => {
    const lines = table(
      [{ title: "N", align: "right" }, { title: "NAME" }],
      [
        ["1", "a"],
        ["100", ""],
      ],
      false,
    );
    expect(lines).toEqual(["  N  NAME", "  1  a", "100"]);
  });
});

describe("colour", () => {
  it.each([
    [{}, true, true],
    [{}, false, false],
    [{}, undefined, false],
    [{ NO_COLOR: "1" }, true, false],
    [{ NO_COLOR: "" }, true, true],
    [{ TERM: "dumb" }, true, false],
  ])("with %j on a terminal %s: %s", (env, isTerminal, expected) => {
    expect(wantsColour(env, isTerminal)).toBe(expected);
  });
});

describe("the end of a drain", () => {
  const noon = new Date(2030, 0, 15, 12).getTime();
  const localIso = (day: number, hours: number, minutes: number): string =>
    new Date(2030, 0, day, hours, minutes).toISOString();

  it.each([
    ["22:00", localIso(15, 22, 0), localIso(15, 22, 0)],
    ["9:30", localIso(16, 9, 30), localIso(16, 9, 30)],
    ["12:00", localIso(16, 12, 0), localIso(16, 12, 0)],
    ["2h", "2h", localIso(15, 14, 0)],
    ["1h30m", "1h30m", localIso(15, 13, 30)],
    ["2031-01-31T18:00:00+01:00", "2031-01-31T18:00:00+01:00", "2031-01-31T17:00:00Z"],
  ])("%s is %s", (text, expected, at) => {
    expect(readUntil(text, noon)).toEqual({ kind: "until", text: expected, atMs: Date.parse(at) });
  });

  it.each([
    "",
    "24:00",
    "9:5",
    "2 h",
    "h",
    "2029-01-31T18:00:00Z",
    "2031-13-31T18:00:00Z",
    "2031-01-31",
    "tomorrow",
  ])("%j is none", (text) => {
    expect(readUntil(text, noon).kind).toBe("wrong");
  });
});

describe("the URL of the operators' door", () => {
  it.each([
    ["127.0.0.1", "http://127.0.0.1:9153"],
    ["::1", "http://[::1]:9153"],
    ["0.0.0.0", "http://127.0.0.1:9153"],
    ["::", "http://[::1]:9153"],
  ])("of a listener on %s is %s", (host, url) => {
    expect(serverUrl({ host, port: 9153 })).toBe(url);
  });
});
