import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileLocation, createLocations } from "../../src/http/location.ts";
import { parseTarget } from "../../src/http/target.ts";
import { AMSTERDAM, edgeOf, LIVE, serviceOf } from "./fixture.ts";

const TEMPLATE = "{edge.url}{path}{query}";
const isOwn = (hostname: string): boolean => hostname === "live.example.net";

function locationOf(target: string, template = TEMPLATE, edge = AMSTERDAM): string | undefined {
  const compiled = compileLocation(template, edge, isOwn);
  const parsed = parseTarget(target);
  if (compiled.kind === "unusable") throw new Error(compiled.reason);
  return parsed && compiled.build(parsed.path, parsed.query);
}

describe("a target's path and query, byte for byte", () => {
  it.each([
    "/",
    "/a/b.m3u8?token=a%2Fb&x=%00",
    "/%2F%2e%2E/%0d%0aSet-Cookie:x",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "/\\\\evil.example",
    "/@evil.example",
    "/..//evil.example",
    "/../../..",
    "/;/..;/@evil",
    "/:80@evil.example/",
    "/.evil.example",
    "/?//evil.example",
    "/?@evil.example",
    "/#@evil.example",
    "/a?b#c?d",
    "/?",
    "/??",
    "/<script>'\"`{}|^~",
  ])("%j", (target) => {
    const location = locationOf(target) as string;
    expect(location).toBe(`http://127.0.0.11:8081${target}`);
    expect(new URL(location).host).toBe("127.0.0.11:8081");
  });
});

it("encodes what a header or a URL cannot carry", () => {
  expect(locationOf("/a\r\nSet-Cookie: x\t\u0000\u007f")).toBe(
    "http://127.0.0.11:8081/a%0D%0ASet-Cookie:%20x%09%00%7F",
  );
  expect(locationOf("/\u00e9?\u00ff")).toBe("http://127.0.0.11:8081/%E9?%FF");
  expect(locationOf("/\u20ac\ud83d\ude00\ud800")).toBe(
    "http://127.0.0.11:8081/%E2%82%AC%F0%9F%98%80%EF%BF%BD",
  );
});

describe("templates", () => {
  it.each([
    ["{edge.url}{path}{query}", "https://sin1.edges.example.org/vod/a?b"],
    ["{edge.url}/live{path}", "https://sin1.edges.example.org/vod/live/a"],
    ["https://{edge.id}.edges.example.org{path}{query}", "https://sin1.edges.example.org/a?b"],
    ["https://play.example.org/{edge.id}{path}{query}#t=0", "https://play.example.org/sin1/a?b#t=0"],
    ["https://play.example.org{query}", "https://play.example.org?b"],
    ["https://play.example.org/?u={path}", "https://play.example.org/?u=/a"],
  ])("%s", (template, location) => {
    const edge = edgeOf("sin1", "https://sin1.edges.example.org/vod");
    expect(locationOf("/a?b", template, edge)).toBe(location);
  });

  it("does not read a placeholder inside what a request or an edge says", () => {
    expect(locationOf("/{query}{edge.id}?{path}")).toBe("http://127.0.0.11:8081/{query}{edge.id}?{path}");
    expect(locationOf("/a", TEMPLATE, edgeOf("e", "http://e.example/$&"))).toBe("http://e.example/$&/a");
  });

  it.each([
    [TEMPLATE, undefined, "no url"],
    ["{path}{query}", "http://a.example", "http://"],
    ["https://{path}", "http://a.example", "https://"],
    ["https://{edge.id}{query}.example.org", "http://a.example", "choose the host"],
    ["https://a.example:80{query}80{path}", "http://a.example", "choose the host"],
    ["ftp://a.example{path}", "http://a.example", "http://"],
    ["javascript:{path}", "http://a.example", "http://"],
    [TEMPLATE, "http://user:secret@a.example", "user name"],
    [TEMPLATE, "http://a.example:99999", "malformed"],
    [TEMPLATE, "http://a b.example", "ASCII"],
    [TEMPLATE, "http://b\u00fccher.example", "ASCII"],
    [TEMPLATE, "http://a.example/\r\nX: y", "ASCII"],
    [TEMPLATE, "http://live.example.net", "for ever"],
    [TEMPLATE, "https://LIVE.example.net.:8443/x", "for ever"],
    ["https://live.example.net{path}", undefined, "for ever"],
  ])("%s of %s is not used: %s", (template, url, reason) => {
    const compiled = compileLocation(template, edgeOf("e", url), isOwn);
    expect(compiled.kind === "unusable" ? compiled.reason : "used").toContain(reason);
  });
});

it("tells once of a target that cannot be used", () => {
  const warnings: object[] = [];
  const log = { info() {}, error() {}, warn: (fields: object) => void warnings.push(fields) };
  const locations = createLocations(isOwn, log);
  const looping = edgeOf("loop", "http://live.example.net");
  const fallback = serviceOf({ fallback: { url: "http://live.example.net/", addresses: [] } });
  for (let i = 0; i < 3; i++) {
    expect(locations.of(LIVE, looping, "http")).toBeUndefined();
    expect(locations.ofFallback(fallback)).toBeUndefined();
    expect(locations.ofFallback(LIVE)).toBeUndefined();
    expect(locations.of(LIVE, AMSTERDAM, "http")?.("/a", "?b")).toBe("http://127.0.0.11:8081/a?b");
  }
  expect(warnings).toMatchObject([
    { service: "live", edge: "loop" },
    { service: "live", fallback: "http://live.example.net/" },
  ]);
});

it("keeps the configured host and every legal octet, whatever is asked", () => {
  const hostile = fc.constantFrom(
    ...Array.from("/\\@:?#;%.&=[]{}|^`'\"<>\t\r\n \u0000\u007f\u00e9\u00ff\u20ac"),
    "//",
    "\\\\",
    "..",
    "%2F",
    "%0d%0a",
    "evil.example",
    "http://",
    "javascript:",
    "xn--",
  );
  const target = fc.array(fc.oneof(hostile, fc.string({ unit: "binary", maxLength: 3 })), { maxLength: 20 });
  const template = fc.constantFrom(
    TEMPLATE,
    "{edge.url}/p{path}{query}",
    "https://{edge.id}.example.org{path}{query}",
    "https://x.example{query}",
    "https://x.example{query}{path}",
  );
  fc.assert(
    fc.property(target, template, (pieces, template) => {
      const raw = `/${pieces.join("")}`;
      const location = locationOf(raw, template) as string;
      const url = new URL(location);
      expect(url.host).toBe(new URL(locationOf("/", template) as string).host);
      expect(url.username + url.password).toBe("");
      expect(location).toMatch(/^https?:\/\/[\x21-\x7e]*$/);
      if (template === TEMPLATE && /^[\x21-\x7e]*$/.test(raw))
        expect(location).toBe(`${AMSTERDAM.url}${raw}`);
    }),
    { numRuns: 5000 },
  );
});

describe("templates", () => {
  const templates = [
    { tags: ["ssd", "nvme"], scheme: "https", url: "https://{edge.host}:444/fast{path}{query}" },
    { tags: ["ssd"], url: "{edge.url}/ssd{path}" },
    { scheme: "http", url: "http://{edge.id}.plain.example.org{path}{query}" },
  ] as const;
  const service = serviceOf({ http: { ...LIVE.http, templates } });
  const locations = createLocations(() => false, { info() {}, warn() {}, error() {} });

  it.each([
    ["nvme", "https", "https://edge.example.org:444/fast/a?b"],
    ["ssd", "https", "https://edge.example.org:444/fast/a?b"],
    ["ssd", "http", "https://edge.example.org/x/ssd/a"],
    ["nvme", "http", "http://e.plain.example.org/a?b"],
    ["disk", "http", "http://e.plain.example.org/a?b"],
    ["disk", "https", "https://edge.example.org/x/a?b"],
  ] as const)("of an edge with the tag %s, for a viewer by %s: %s", (tag, scheme, expected) => {
    const edge = { ...edgeOf("e", "https://edge.example.org/x"), tags: [tag, "eu"] };
    for (let i = 0; i < 2; i++) expect(locations.of(service, edge, scheme)?.("/a", "?b")).toBe(expected);
  });
});
