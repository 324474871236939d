import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import type { Tagging } from "../../src/steering/tag.ts";
import { withSteeringTags } from "../../src/steering/tagged.ts";

const TAGGING: Tagging = {
  serverUri: "https://live.example.net/.edgeward/steering/live/cup/index.m3u8?a=1&b=2",
  pathways: [
    { id: "ams1", url: "https://ams1.example.net" },
    { id: "sin1", url: "https://sin1.example.net/cdn" },
  ],
  path: "/live/cup/index.m3u8",
  isOwnHost: (host) => host === "live.example.net",
};

function tagged(text: string, tagging: Partial<Tagging> = {}): string {
  const result = withSteeringTags(text, { ...TAGGING, ...tagging });
  return result.kind === "tagged" ? result.text : `unfit: ${result.problem}`;
}

const PLAYLIST = `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a, b",URI="audio/en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="muxed"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a",CLOSED-CAPTIONS="cc"
low.m3u8?t=a%2Fb
# a comment
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI="../iframe.m3u8"
`;

describe("a multivariant playlist", () => {
  it("gets each variant and rendition for each pathway, under one stable id", () => {
    expect(tagged(PLAYLIST)).toBe(
      `#EXTM3U
#EXT-X-VERSION:7
#EXT-X-CONTENT-STEERING:SERVER-URI="${TAGGING.serverUri}",PATHWAY-ID="ams1"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="a, b",URI="https://ams1.example.net/live/cup/audio/en.m3u8",STABLE-RENDITION-ID="audio/en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a-sin1",NAME="a, b",URI="https://sin1.example.net/cdn/live/cup/audio/en.m3u8",STABLE-RENDITION-ID="audio/en.m3u8"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="muxed"
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a-sin1",NAME="muxed"
#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID="cc",NAME="English",INSTREAM-ID="CC1"
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a",CLOSED-CAPTIONS="cc",PATHWAY-ID="ams1",STABLE-VARIANT-ID="low.m3u8"
https://ams1.example.net/live/cup/low.m3u8?t=a%2Fb
#EXT-X-STREAM-INF:BANDWIDTH=1280000,CODECS="avc1.4d401f,mp4a.40.2",AUDIO="a-sin1",CLOSED-CAPTIONS="cc",PATHWAY-ID="sin1",STABLE-VARIANT-ID="low.m3u8"
https://sin1.example.net/cdn/live/cup/low.m3u8?t=a%2Fb
# a comment
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI="https://ams1.example.net/live/iframe.m3u8",PATHWAY-ID="ams1",STABLE-VARIANT-ID="../iframe.m3u8"
#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=86000,URI="https://sin1.example.net/cdn/live/iframe.m3u8",PATHWAY-ID="sin1",STABLE-VARIANT-ID="../iframe.m3u8"
`,
    );
  });

  const variant = (uri: string, attributes = "BANDWIDTH=1"): string =>
    `#EXTM3U\r\n#EXT-X-STREAM-INF:${attributes}\r\n${uri}\r\n`;

  it.each([
    ["behind blank lines and comments", "\r\n# high\r\n/b.m3u8", "https://sin1.example.net/cdn/b.m3u8"],
    ["from the root", "/a//b.m3u8?x", "https://sin1.example.net/cdn/a//b.m3u8?x"],
    ["at one of its edges", "https://sin1.example.net/cdn/b.m3u8", "https://sin1.example.net/cdn/b.m3u8"],
    ["at another of them", "https://ams1.example.net/b.m3u8", "https://sin1.example.net/cdn/b.m3u8"],
    ["at the service's hostname", "//live.example.net/b.m3u8?y", "https://sin1.example.net/cdn/b.m3u8?y"],
  ])("takes an address %s", (_what, uri, expected) => {
    expect(tagged(variant(uri), { path: "/x" }).split("\n").at(-2)).toBe(expected);
  });

  it("keeps ids that are given, and tells equal ones apart", () => {
    expect(tagged(variant("a.m3u8", 'BANDWIDTH=1,STABLE-VARIANT-ID="mine"'))).toContain(
      'STABLE-VARIANT-ID="mine"',
    );
    const twice = tagged(`${variant("a.m3u8?v=1")}#EXT-X-STREAM-INF:BANDWIDTH=2\na.m3u8?v=2\n`);
    expect(twice.match(/STABLE-VARIANT-ID="[^"]*"/g)).toEqual([
      'STABLE-VARIANT-ID="a.m3u8"',
      'STABLE-VARIANT-ID="a.m3u8"',
      'STABLE-VARIANT-ID="a.m3u8-2"',
      'STABLE-VARIANT-ID="a.m3u8-2"',
    ]);
  });

  it.each([
    ["a media playlist", "#EXTM3U\n#EXTINF:4,\na.ts\n", "only a multivariant playlist can be steered"],
    ["something else", "hello", "does not start with #EXTM3U"],
    ["one that is tagged", tagged(PLAYLIST), "has tags of content steering already"],
    ["an address elsewhere", variant("https://cdn.example.com/a.m3u8"), "is at no edge of the service"],
    [
      "a variant without an address",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-ENDLIST\n",
      "an address is missing",
    ],
    [
      "a variant and a comment",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# a.m3u8\n",
      "an address is missing",
    ],
  ])("refuses %s", (_what, text, problem) => {
    expect(tagged(text)).toMatch(/^unfit: /);
    expect(tagged(text)).toContain(problem);
  });

  it("asks where the file lies when it must know", () => {
    const { path: _, ...rest } = TAGGING;
    const result = withSteeringTags(variant("a.m3u8"), rest);
    expect(result).toMatchObject({
      kind: "unfit",
      problem: expect.stringContaining("give --path") as string,
    });
    expect(withSteeringTags(variant("/a.m3u8"), rest)).toMatchObject({ kind: "tagged" });
  });
});

describe("an MPD", () => {
  const mpd = (inside: string) =>
    `<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="dynamic">${inside}\n  <Period id="0"><BaseURL>v/</BaseURL></Period>\n</MPD>\n`;

  it("gets a BaseURL for each pathway in place of its own, and ContentSteering", () => {
    const text = tagged(mpd("\n  <BaseURL>dash/</BaseURL>"));
    expect(text).toBe(
      mpd(`
  <BaseURL serviceLocation="ams1">https://ams1.example.net/live/cup/dash/</BaseURL>
  <BaseURL serviceLocation="sin1">https://sin1.example.net/cdn/live/cup/dash/</BaseURL>
  <ContentSteering defaultServiceLocation="ams1" queryBeforeStart="true">${TAGGING.serverUri.replace("&", "&#38;")}</ContentSteering>`),
    );
    const steering: string[] = [];
    const parser = new SaxesParser();
    parser.on("text", (piece) => void steering.push(piece));
    parser.write(text).close();
    expect(steering).toContain(TAGGING.serverUri);
  });

  const LOCATION = "https://live.example.net/live/cup/manifest.mpd?a&b";

  it.each([
    ["", ""],
    ["\n  <BaseURL>dash/</BaseURL>\n  <Location>https://ams1.example.net/x.mpd</Location>", "dash/"],
    ["\n  <Location>a.mpd</Location><Location/>\n  <BaseURL>dash/</BaseURL>", "dash/"],
  ])("is asked for at the redirector again, in place of wherever %j says", (inside, folder) => {
    const text = tagged(mpd(inside), { location: LOCATION });
    expect(text).toBe(
      mpd(`
  <BaseURL serviceLocation="ams1">https://ams1.example.net/live/cup/${folder}</BaseURL>
  <BaseURL serviceLocation="sin1">https://sin1.example.net/cdn/live/cup/${folder}</BaseURL>
  <Location>${LOCATION.replace("&", "&#38;")}</Location>
  <ContentSteering defaultServiceLocation="ams1" queryBeforeStart="true">${TAGGING.serverUri.replace("&", "&#38;")}</ContentSteering>`),
    );
  });

  it("stays where it is found while it does not change", () => {
    const still = mpd("<Location>https://elsewhere.example/a.mpd</Location>").replace("dynamic", "static");
    const text = tagged(still, { location: LOCATION });
    expect(text).not.toContain(LOCATION.slice(0, 30));
    expect(text.indexOf("</BaseURL>")).toBeLessThan(
      text.indexOf("<Location>https://elsewhere.example/a.mpd</Location>"),
    );
  });

  it("keeps several addresses of its own, in their order, and one that it does not have is the folder it lies in", () => {
    const two = tagged(mpd("<BaseURL>/x/</BaseURL><BaseURL>https://live.example.net/y/</BaseURL>"));
    expect([...two.matchAll(/>(https:[^<]*)<\/BaseURL/g)].map(([, url]) => url)).toEqual([
      "https://ams1.example.net/x/",
      "https://ams1.example.net/y/",
      "https://sin1.example.net/cdn/x/",
      "https://sin1.example.net/cdn/y/",
    ]);
    expect(tagged(mpd(""))).toContain(
      '<BaseURL serviceLocation="ams1">https://ams1.example.net/live/cup/</BaseURL>',
    );
  });

  it.each([
    ["other XML", "<html/>", "it is no MPD"],
    ["half of one", "<MPD><Period>", "it is no XML"],
    ["one without a Period", "<MPD/>", "it has no Period"],
    ["one that is steered", mpd("<ContentSteering>x</ContentSteering>"), "ContentSteering already"],
    [
      "an address elsewhere",
      mpd("<BaseURL>https://cdn.example.com/</BaseURL>"),
      "is at no edge of the service",
    ],
    [
      "an absolute address further in",
      mpd("").replace(">v/<", ">https://a.example/<"),
      "inside a Period is absolute",
    ],
  ])("refuses %s", (_what, text, problem) => {
    expect(tagged(text)).toContain(problem);
  });
});
