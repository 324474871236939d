import { describe, expect, it } from "vitest";
import { createServiceTable } from "../../src/base/service-table.ts";

const find = createServiceTable([
  { id: "live", hostnames: ["a.example", "*.wild.example"], paths: ["/live/*"] },
  { id: "cup", hostnames: ["a.example"], paths: ["/live/cup/*", "/*.mpd"] },
  { id: "rest", hostnames: ["a.example"] },
  { id: "only", hostnames: ["b.example"], paths: ["/x"] },
  { id: "second", hostnames: ["b.example"], paths: ["/y"] },
  { id: "plain", hostnames: ["c.wild.example"] },
]);

describe("the service of a hostname and a path", () => {
  it.each([
    ["a.example", "/live/a.m3u8", "live"],
    ["a.example", "/live/cup/a.m3u8", "cup"],
    ["a.example", "/live/a.mpd", "live"],
    ["a.example", "/vod/a.mpd", "cup"],
    ["a.example", "/vod/a.m3u8", "rest"],
    ["a.example", "/live", "rest"],
    ["a.example", "/LIVE/a", "rest"],
    ["a.example", undefined, "rest"],
    ["b.example", "/x", "only"],
    ["b.example", "/xy", undefined],
    ["b.example", "/y", "second"],
    ["b.example", undefined, "only"],
    ["z.wild.example", "/live/", "live"],
    ["z.wild.example", "/", undefined],
    ["z.y.wild.example", "/live/a\nb", "live"],
    ["wild.example", "/live/", undefined],
    ["c.wild.example", "/live/", "plain"],
    ["d.c.wild.example", "/live/", undefined],
    ["example", "/", undefined],
  ])("%s %s: %s", (hostname, path, id) => expect(find(hostname, path)?.id).toBe(id));

  it("takes every character but * as it is", () => {
    const odd = createServiceTable([{ hostnames: ["a"], paths: ["/a.b+(c)$[d]{e}|f\\g^?*"] }]);
    expect(odd("a", "/a.b+(c)$[d]{e}|f\\g^?anything")).toBeDefined();
    expect(odd("a", "/aXb+(c)$[d]{e}|f\\g^?")).toBeUndefined();
  });
});
