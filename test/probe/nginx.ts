import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { closedPort } from "./servers.ts";

const RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** Outside CI the tests are left out where the programs are not installed. */
export const hasNginxRtmp =
  existsSync(RTMP_MODULE) &&
  spawnSync("nginx", ["-v"]).error === undefined &&
  spawnSync("ffmpeg", ["-version"]).error === undefined;

export interface NginxRtmp {
  readonly rtmpPort: number;
  readonly httpPort: number;
  readonly process: ChildProcess;
}

/** nginx that takes RTMP at the application `live`, and serves it as HLS of 2 s segments; ends with the test. */
export async function startNginxRtmp(): Promise<NginxRtmp> {
  const folder = await mkdtemp(join(tmpdir(), "edgeward-nginx-"));
  const rtmpPort = await closedPort();
  const httpPort = await closedPort();
  const file = join(folder, "nginx.conf");
  await writeFile(file, configuration(folder, rtmpPort, httpPort));
  const nginx = spawn("nginx", ["-c", file, "-p", folder, "-e", join(folder, "error.log")], {
    stdio: "ignore",
  });
  onTestFinished(async () => {
    await ended(nginx);
    await rm(folder, { recursive: true, force: true });
  });
  return { rtmpPort, httpPort, process: nginx };
}

/** ffmpeg's test picture, a key frame every 2 s; ends with the test. */
export function publish(rtmpPort: number, stream: string): ChildProcess {
  const picture = "testsrc=size=160x90:rate=10";
  const encoding = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "20", "-pix_fmt", "yuv420p"];
  const target = ["-f", "flv", `rtmp://127.0.0.1:${rtmpPort}/live/${stream}`];
  const options = ["-loglevel", "error", "-re", "-f", "lavfi", "-i", picture, ...encoding, ...target];
  const ffmpeg = spawn("ffmpeg", options, { stdio: "ignore" });
  onTestFinished(() => ended(ffmpeg));
  return ffmpeg;
}

export async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

function configuration(folder: string, rtmpPort: number, httpPort: number): string {
  return `
daemon off;
master_process off;
load_module ${RTMP_MODULE};
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
rtmp {
  server {
    listen 127.0.0.1:${rtmpPort};
    application live {
      live on;
      hls on;
      hls_path ${folder}/hls;
      hls_fragment 2s;
      hls_playlist_length 8s;
    }
  }
}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
  server {
    listen 127.0.0.1:${httpPort};
    location /hls { root ${folder}; add_header Access-Control-Allow-Origin *; }
  }
}
`;
}
