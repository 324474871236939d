import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judgeLive, type LiveMemory } from "../../src/probe/live.ts";
import { type MediaPlaylist, parsePlaylist } from "../../src/probe/playlist.ts";

const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n";

function media(text: string): MediaPlaylist {
  const playlist = parsePlaylist(text);
  if (playlist?.kind !== "media") throw new Error("not a media playlist");
  return playlist;
}

function segments(first: number, count: number): string {
  const lines = Array.from({ length: count }, (_, i) => `#EXTINF:2.000,\ncam1-${first + i}.ts\n`);
  return `${head}#EXT-X-MEDIA-SEQUENCE:${first}\n${lines.join("")}`;
}

describe("a media playlist", () => {
  it("has its position behind the last segment, whichever way it grows", () => {
    expect(media(segments(9, 4)).position).toEqual({ nextSequence: 13, parts: 0 });
    expect(media(`${head}#EXT-X-PLAYLIST-TYPE:EVENT\na.ts\nb.ts\n`).position.nextSequence).toBe(2);
  });

  it("names its newest segment, gaps left out", () => {
    expect(media(segments(9, 4)).newest).toBe("cam1-12.ts");
    expect(media(`${segments(9, 2)}#EXT-X-GAP\n#EXTINF:2,\nlost.ts\n`).newest).toBe("cam1-10.ts");
    expect(media(head).newest).toBeUndefined();
  });

  it("counts the parts after the last segment only", () => {
    const part = (i: number) => `#EXT-X-PART:DURATION=0.5,INDEPENDENT=YES,URI="p,${i}.m4s"\n`;
    const text = `${segments(9, 1)}${part(1)}${part(2)}#EXTINF:2,\nb.m4s\n${part(3)}#EXT-X-PRELOAD-HINT:TYPE=PART,URI="p4"\n`;
    expect(media(text).position).toEqual({ nextSequence: 11, parts: 1 });
    expect(media(`${head}${part(1)}`).newest).toBe("p,1.m4s");
  });

  it("may have CRLF, a byte order mark, spaces and a decimal target duration", () => {
    const text = `\uFEFF#EXTM3U\r\n#EXT-X-TARGETDURATION:2.5 \r\n\r\n#EXT-X-MEDIA-SEQUENCE:7\r\na.ts\r\n#EXT-X-ENDLIST\r\n`;
    expect(media(text)).toEqual({
      kind: "media",
      targetDurationSeconds: 2.5,
      isEnded: true,
      position: { nextSequence: 8, parts: 0 },
      newest: "a.ts",
    });
  });

  it.each([
    ["nothing", ""],
    ["a page", "<html>"],
    ["a later first line", `\n${head}`],
    ["no target duration", "#EXTM3U\na.ts\n"],
    ["a target duration of 0", "#EXTM3U\n#EXT-X-TARGETDURATION:0\na.ts\n"],
    ["a target duration in words", "#EXTM3U\n#EXT-X-TARGETDURATION:two\na.ts\n"],
  ])("is not %s", (_, text) => {
    expect(parsePlaylist(text)).toBeUndefined();
  });

  it("never throws, and takes time in proportion", () => {
    const line = fc.oneof(
      fc.constantFrom("#EXTM3U", "#EXT-X-STREAM-INF:A=1", "#EXT-X-PART:URI=", "#EXT-X-ENDLIST", "a.ts"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), (lines) => {
        parsePlaylist(["#EXTM3U", "#EXT-X-TARGETDURATION:2", ...lines].join("\n"));
      }),
    );
    for (const word of ["A=", "A", "A,", '"', " ,", ",URI"]) {
      const hostile = `${head}#EXT-X-PART:${word.repeat(400_000)}\n`;
      expect(media(hostile).position.parts).toBe(1);
    }
  });
});

describe("a master playlist", () => {
  it("lists its variants, and no other renditions", () => {
    const text = `#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,URI="audio.m3u8"\n#EXT-X-STREAM-INF:BANDWIDTH=1\n# comment\n720p/index.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=2\n\n360p/index.m3u8\n`;
    expect(parsePlaylist(text)).toEqual({
      kind: "master",
      variants: ["720p/index.m3u8", "360p/index.m3u8"],
    });
  });
});

describe("liveness", () => {
  /** The verdicts of looks at these times, each with what the one before left. */
  function looks(...seen: readonly (readonly [atMs: number, text: string])[]): string[] {
    let memory: LiveMemory | undefined;
    return seen.map(([atMs, text]) => {
      const liveness = judgeLive(memory, media(text), atMs);
      if (liveness.kind !== "ended") memory = liveness.memory;
      return liveness.kind;
    });
  }

  it("lasts for 1.5 target durations after the last change, and not longer", () => {
    expect(looks([0, segments(9, 4)], [2999, segments(9, 4)], [3000, segments(9, 4)])).toEqual([
      "live",
      "live",
      "stale",
    ]);
  });

  it("comes back with the first change, and starts the count anew", () => {
    const verdicts = looks(
      [0, segments(9, 4)],
      [5000, segments(9, 4)],
      [6000, segments(10, 4)],
      [8999, segments(10, 4)],
      [9000, segments(10, 4)],
    );
    expect(verdicts).toEqual(["live", "stale", "live", "live", "stale"]);
  });

  it("sees an event playlist grow whose media sequence stays 0", () => {
    expect(looks([0, segments(0, 2)], [3500, segments(0, 3)])).toEqual(["live", "live"]);
  });

  it("counts an advancing part", () => {
    const part = `#EXT-X-PART:DURATION=0.5,URI="p.m4s"\n`;
    const text = segments(9, 1);
    expect(looks([0, text], [2000, text + part], [4900, text + part], [5000, text + part])).toEqual([
      "live",
      "live",
      "live",
      "stale",
    ]);
  });

  it("takes an encoder that starts anew for a change", () => {
    expect(looks([0, segments(900, 4)], [3500, segments(0, 1)])).toEqual(["live", "live"]);
  });

  it("does not miss what has ended", () => {
    const ended = `${segments(9, 4)}#EXT-X-ENDLIST\n`;
    expect(looks([0, segments(9, 4)], [60_000, ended], [120_000, ended])).toEqual(["live", "ended", "ended"]);
  });
});
