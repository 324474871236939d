import { onTestFinished } from "vitest";
import {
  folderOfTest,
  lacks,
  type Program,
  RTMP_MODULE,
  startNginx,
  startProgram,
} from "../servers/programs.ts";
import { closedPort } from "./servers.ts";

export const isNginxRtmpMissing = lacks("nginx", "ffmpeg", RTMP_MODULE);

/** nginx that takes RTMP at the application `live`, and serves it as HLS of 2 s segments; ends with the test. */
export async function startNginxRtmp(): Promise<{ readonly rtmpPort: number; readonly httpPort: number }> {
  const folder = folderOfTest();
  const rtmpPort = await closedPort();
  const httpPort = await closedPort();
  const nginx = startNginx(
    folder,
    `rtmp { server {
      listen 127.0.0.1:${rtmpPort};
      application live { live on; hls on; hls_path ${folder}/hls; hls_fragment 2s; hls_playlist_length 8s; }
    } }`,
    `server {
      listen 127.0.0.1:${httpPort};
      location /hls { root ${folder}; add_header Access-Control-Allow-Origin *; }
    }`,
  );
  onTestFinished(() => nginx.stop());
  return { rtmpPort, httpPort };
}

/** ffmpeg's test picture, a key frame every 2 s; ends with the test. */
export function publish(rtmpPort: number, stream: string): Program {
  const picture = "testsrc=size=160x90:rate=10";
  const encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p"];
  const target = ["-f", "flv", `rtmp://127.0.0.1:${rtmpPort}/live/${stream}`];
  const args = [
    "-nostdin",
    "-loglevel",
    "error",
    "-re",
    "-f",
    "lavfi",
    "-i",
    picture,
    ...encoding,
    ...target,
  ];
  const ffmpeg = startProgram({ command: "ffmpeg", folder: folderOfTest(), args });
  onTestFinished(() => ffmpeg.stop());
  return ffmpeg;
}
