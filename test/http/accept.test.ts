import { expect, it } from "vitest";
import { prefersJson } from "../../src/http/accept.ts";

it.each([
  [undefined, false],
  ["", false],
  ["*/*", false],
  ["application/*", false],
  ["text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", false],
  ["application/vnd.apple.mpegurl, */*", false],
  ["application/dash+xml,video/vnd.mpeg.dash.mpd;q=0.1,*/*", false],
  ["application/json", true],
  ["APPLICATION/JSON; charset=utf-8", true],
  ["application/problem+json", true],
  ["application/json, text/plain, */*", true],
  ["text/html;q=0.5, application/json", true],
  ["text/html, application/json;q=0.9", false],
  ["application/json;q=0.5, */*;q=0.5", true],
  ["application/json ; q=0.5 , */*;q=0.6", false],
  ["application/json;q=0", false],
  ["application/json;q=0.000, */*;q=0", false],
  ["application/json;q=2", false],
  ["application/json;q=x", false],
  ["application/jsonp", false],
  ["application/geo+json", false],
])("Accept: %s: %s", (accept, expected) => {
  expect(prefersJson(accept)).toBe(expected);
});
