/** A real edge: nginx that serves what ffmpeg makes, and that can be killed, brought back and broken. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { waitFor } from "../scenarios/wait.ts";

/** whole: as it should be; failing: 500 to everything; without-cors: no Access-Control-Allow-Origin. */
export type EdgeMode = "whole" | "failing" | "without-cors";

export interface NginxEdge {
  readonly host: string;
  readonly url: string;
  start(): Promise<void>;
  kill(): Promise<void>;
  become(mode: EdgeMode): Promise<void>;
  /** Puts tags into every MPD below a folder, in front of its first Period. */
  tag(folder: string, tags: string): void;
  /** Targets that were answered in whole or in part to programs that name themselves so. */
  served(userAgent: string): string[];
}

export interface EdgeOptions {
  readonly host: string;
  readonly port: number;
  /** For its configuration and logs. */
  readonly folder: string;
  /** What it serves. */
  readonly media: string;
}

export async function startNginxEdge(options: EdgeOptions): Promise<NginxEdge> {
  const { host, port, folder } = options;
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "nginx.conf");
  let nginx: ChildProcess | undefined;
  const tags = new Map<string, string>();
  let mode: EdgeMode = "whole";
  const write = (): void => writeFileSync(file, configuration(options, mode, tags));
  const edge: NginxEdge = {
    host,
    url: `http://${host}:${port}`,
    async start() {
      nginx = startChild("nginx", ["-c", file, "-p", folder, "-e", join(folder, "error.log")], folder);
      await waitFor(() => accepts(host, port), 5000, `nginx on ${host}`);
    },
    async kill() {
      await end(nginx);
      nginx = undefined;
    },
    async become(next) {
      mode = next;
      write();
      nginx?.kill("SIGHUP");
      await waitFor(async () => (await modeOf(edge.url)) === mode, 5000, `nginx on ${host} to be ${mode}`);
    },
    tag(folder, mpdTags) {
      tags.set(folder, mpdTags);
      write();
      nginx?.kill("SIGHUP");
    },
    served: (userAgent) =>
      readFileSync(join(folder, "access.log"), "utf8")
        .split("\n")
        .map((line) => line.split("\t"))
        .filter(
          ([status = "", agent]) => ["200", "206"].includes(status) && agent?.startsWith(userAgent) === true,
        )
        .map(([, , target = ""]) => target),
  };
  write();
  await edge.start();
  return edge;
}

/** A program that says nothing, and does not outlast this process. */
export function startChild(command: string, args: readonly string[], cwd: string): ChildProcess {
  const child = spawn(command, args, { cwd, stdio: "ignore" });
  const kill = (): void => void child.kill("SIGTERM");
  process.once("exit", kill);
  child.once("exit", () => process.off("exit", kill));
  return child;
}

export async function end(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

async function modeOf(url: string): Promise<EdgeMode> {
  const { status, headers } = await fetch(`${url}/health`, { headers: { connection: "close" } });
  if (status !== 200) return "failing";
  return headers.has("access-control-allow-origin") ? "whole" : "without-cors";
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

/** Workers of a master that is root would not be let into the folder. */
const USER = process.getuid?.() === 0 ? "user root;\n" : "";

function configuration(
  { host, port, folder, media }: EdgeOptions,
  mode: EdgeMode,
  tags: ReadonlyMap<string, string>,
): string {
  const cors = mode === "without-cors" ? "" : "add_header Access-Control-Allow-Origin * always;";
  const tagged = [...tags].map(
    ([path, mpdTags]) =>
      `location /${path}/ { alias ${media}/live/; sub_filter '<Period' '${mpdTags}<Period'; }`,
  );
  return `
daemon off;
${USER}worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 256; }
http {
  log_format said "$status\\t$http_user_agent\\t$request_uri";
  access_log ${folder}/access.log said;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  types { application/vnd.apple.mpegurl m3u8; application/dash+xml mpd; video/mp4 mp4 m4s; video/mp2t ts; }
  sub_filter_once on;
  sub_filter_types application/dash+xml;
  server {
    listen ${host}:${port};
    keepalive_timeout 5;
    ${cors}
    add_header Cache-Control no-cache always;
    location = /health { ${mode === "failing" ? "return 500;" : "return 200 ok;"} }
    ${mode === "failing" ? "location / { return 500; }" : `location / { root ${media}; } ${tagged.join("\n    ")}`}
  }
}
`;
}
