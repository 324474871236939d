import { readFileSync, readdirSync } from "node:fs";

/** A finished HLS stream of a few seconds: one media playlist and its segments. */
export interface DemoStream {
  readonly playlist: Buffer;
  /** By the name that the playlist gives them, as `segment0.ts`. */
  readonly segments: ReadonlyMap<string, Buffer>;
}

/** The same place from src/demo and from dist/demo: the media are never compiled or copied. */
const FOLDER = new URL("../../src/demo/media/", import.meta.url);

/** Reads the stream that `media/make.sh` made. Throws where the folder is not beside the program. */
export function readDemoStream(): DemoStream {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".mpegts"));
  return {
    playlist: readFileSync(new URL("stream.m3u8", FOLDER)),
    segments: new Map(names.map((name) => [servedName(name), readFileSync(new URL(name, FOLDER))])),
  };
}

/** On disk a segment does not end in `.ts`, which would make it TypeScript. */
function servedName(fileName: string): string {
  return fileName.replace(/\.mpegts$/, ".ts");
}
