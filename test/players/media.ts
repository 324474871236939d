import type { ChildProcess } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "../scenarios/wait.ts";
import { startChild } from "./edge.ts";

/** A live stream of a test picture and a tone: `live/master.m3u8` and `live/manifest.mpd`, segments of 1 s. */
export async function startMedia(folder: string): Promise<ChildProcess> {
  const live = join(folder, "live");
  mkdirSync(live, { recursive: true });
  const picture = "testsrc=size=160x90:rate=12,format=yuv420p";
  const tone = "sine=frequency=220:sample_rate=44100";
  const inputs = [picture, tone].flatMap((input) => ["-re", "-f", "lavfi", "-i", input]);
  const options = [
    "-hide_banner -loglevel error -map 0:v -map 0:v -map 1:a -c:v libx264 -preset ultrafast -tune zerolatency",
    "-g 12 -keyint_min 12 -sc_threshold 0 -b:v:0 120k -b:v:1 60k -c:a aac -b:a 32k",
    "-f dash -seg_duration 1 -window_size 15 -extra_window_size 15 -hls_playlist 1 -adaptation_sets",
  ];
  const words = options.join(" ").split(" ");
  const output = ["id=0,streams=v id=1,streams=a", join(live, "manifest.mpd")];
  const ffmpeg = startChild("ffmpeg", [...inputs, ...words, ...output], live);
  const isThere = (): boolean =>
    existsSync(join(live, "master.m3u8")) && existsSync(join(live, "manifest.mpd"));
  await waitFor(isThere, 20_000, "the first segments");
  return ffmpeg;
}
