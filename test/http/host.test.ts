import { describe, expect, it } from "vitest";
import { hostOf } from "../../src/http/host.ts";
import { parseTarget } from "../../src/http/target.ts";

describe("hostOf", () => {
  it.each([
    ["live.example.net", "live.example.net"],
    ["LIVE.Example.NET", "live.example.net"],
    ["live.example.net.", "live.example.net"],
    ["live.example.net:8080", "live.example.net"],
    ["live.example.net.:8080", "live.example.net"],
    ["live.example.net:", "live.example.net"],
    ["_x.example.net", "_x.example.net"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[2001:DB8::1]:80", "[2001:db8::1]"],
  ])("reads %j", (field, hostname) => {
    expect(hostOf(["Host", field], undefined)).toMatchObject({ kind: "hostname", hostname });
  });

  it.each([
    ".",
    "..",
    ".live.example.net",
    "live..example.net",
    "live.example.net..",
    "live example.net",
    "live.example.net, evil.example",
    "live.example.net:80:80",
    "live.example.net:http",
    "live.example.net:999999",
    "user@live.example.net",
    "live.example.net/x",
    "live.example.net\\x",
    "live.example.net#x",
    "live.example.net?x",
    "live.example.net\tx",
    "live.example.net\u0000",
    "live.example.net\n",
    "%6cive.example.net",
    "l\u00edve.example.net",
    "*.wild.example.net",
    "[::1",
    "::1",
    "[]",
    "[::1]x",
  ])("refuses %j", (field) => {
    expect(hostOf(["Host", field], undefined).kind).toBe("malformed");
  });

  it("refuses none, an empty one and two", () => {
    expect(hostOf(["Accept", "*/*"], undefined).kind).toBe("malformed");
    expect(hostOf(["Host", ""], undefined).kind).toBe("malformed");
    expect(hostOf(["Host", "a.example", "hOST", "a.example"], undefined).kind).toBe("malformed");
  });

  it("lets the authority of an absolute-form target replace the field (RFC 9112 3.2.2)", () => {
    expect(hostOf(["Host", "a.example"], "B.example:80")).toMatchObject({
      kind: "hostname",
      hostname: "b.example",
    });
    expect(hostOf(["Host", "a.example"], "user@b.example").kind).toBe("malformed");
    expect(hostOf(["Host", "a.example"], "").kind).toBe("malformed");
    expect(hostOf(["Host", "a b"], "b.example").kind).toBe("malformed");
    expect(hostOf([], "b.example").kind).toBe("malformed");
  });
});

describe("parseTarget (RFC 9112 3.2)", () => {
  it.each([
    ["/", { path: "/", query: "" }],
    ["/a?b?c#d", { path: "/a", query: "?b?c#d" }],
    ["/a?", { path: "/a", query: "?" }],
    ["//evil.example/a", { path: "//evil.example/a", query: "" }],
    ["*", { path: "*", query: "" }],
    ["http://a.example/b?c", { authority: "a.example", path: "/b", query: "?c" }],
    ["HTTPS://a.example:1?c", { authority: "a.example:1", path: "/", query: "?c" }],
    ["http://a.example", { authority: "a.example", path: "/", query: "" }],
    ["http://a.example\\@evil.example/", { authority: "a.example\\@evil.example", path: "/", query: "" }],
    ["http://", { authority: "", path: "/", query: "" }],
    ["", undefined],
    ["?", undefined],
    ["a", undefined],
    ["\\evil", undefined],
    ["ftp://a.example/", undefined],
    ["javascript:alert(1)", undefined],
    ["http:/a.example", undefined],
    [" /", undefined],
  ])("%j", (raw, target) => {
    expect(parseTarget(raw)).toEqual(target);
  });
});
