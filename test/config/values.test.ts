import { describe, expect, it } from "vitest";
import { readJsonPath } from "../../src/config/json-path.ts";
import { readHostname, readHostnamePattern } from "../../src/config/names.ts";
import { parseBitRate, parseDuration } from "../../src/config/units.ts";
import { substitute } from "../../src/config/variables.ts";

describe("units", () => {
  it.each([
    ["500ms", 500],
    ["5s", 5000],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["1h", 3_600_000],
    ["0s", 0],
  ])("%s is %d milliseconds", (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds);
  });

  it.each([
    ["1bps", 1],
    ["64kbps", 64e3],
    ["800Mbps", 800e6],
    ["1.5Gbps", 1.5e9],
  ])("%s is %d bits per second", (text, rate) => {
    expect(parseBitRate(text)).toBe(rate);
  });

  it.each(["", "5", "s", "5 s", "-5s", "5S", "1e3s", "5ss", "5toString", "Infinitys", ".5s"])(
    "%j is no duration",
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  it("keeps bits and bytes apart", () => expect(parseBitRate("800MBps")).toBeUndefined());
});

describe("variables", () => {
  const environment = { HOST: "edge", EMPTY: "", NESTED: "${HOST}" };

  it.each([
    ["${HOST}.example.net", "edge.example.net"],
    ["${HOST}-${HOST}", "edge-edge"],
    ["${EMPTY}", ""],
    ["${EMPTY:-x}", "x"],
    ["${UNSET:-x-${HOST}", undefined],
    ["${UNSET:-}", ""],
    ["${NESTED}", "${HOST}"],
    ["$HOST {path}", "$HOST {path}"],
  ])("%s is %s", (text, value) => {
    const reading = substitute(text, environment);
    expect(reading.kind === "read" ? reading.value : undefined).toBe(value);
  });

  it("names every variable that is missing, and knows none of the object's own", () => {
    const reading = substitute("${A} ${HOST} ${B} ${toString}", environment);
    expect(reading.kind === "refused" && reading.message).toContain("A, B, toString is not set");
  });
});

describe("hostnames", () => {
  it("are lower case, without the final dot", () => {
    expect(readHostname("Live.CDN.example.NET.")).toEqual({ kind: "read", value: "live.cdn.example.net" });
    expect(readHostnamePattern("*.Live")).toEqual({ kind: "read", value: "*.live" });
  });

  it("hold labels of 63 and names of 253 octets", () => {
    const longest = ["a", "b", "c"]
      .map((c) => c.repeat(63))
      .join(".")
      .concat(".", "d".repeat(61));
    expect(longest).toHaveLength(253);
    expect(readHostname(longest).kind).toBe("read");
    expect(readHostname(`${longest}d`).kind).toBe("refused");
    expect(readHostnamePattern(`*.${longest.slice(2)}`).kind).toBe("read");
    expect(readHostnamePattern(`*.${longest.slice(1)}`)).toMatchObject({
      kind: "refused",
      message: "is 254 octets long; a name has at most 253",
    });
  });
});

describe("paths into JSON", () => {
  it.each<[string, (string | number)[]]>([
    ["connections.active", ["connections", "active"]],
    ["servers[0].out", ["servers", 0, "out"]],
    ["streams.*.viewers", ["streams", "*", "viewers"]],
    ["[0][1]", [0, 1]],
    ["list[*].x", ["list", "*", "x"]],
    ['zones["a.b"].count', ["zones", "a.b", "count"]],
    ['"a b".c', ["a b", "c"]],
    ["*", ["*"]],
  ])("%s", (text, path) => expect(readJsonPath(text)).toEqual({ kind: "read", value: path }));

  it.each(["", ".", ".a", "a.", "a..b", "a[", "a[-1]", "a[x]", "a[0]b", "a b"])("%j is none", (text) => {
    expect(readJsonPath(text).kind).toBe("refused");
  });
});
