/** Real programs with configurations of their own in folders of their own, on free ports; each ends with `stop`. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

export interface Program {
  readonly folder: string;
  readonly process: ChildProcess;
  /** The end of what it wrote to stderr. */
  said(): string;
  stop(): Promise<void>;
}

/** Outside CI the tests are left out where a program is not installed. */
export function lacks(...programs: string[]): boolean {
  return process.env["CI"] === undefined && programs.some((program) => !isThere(program));
}

function isThere(program: string): boolean {
  if (program.startsWith("/")) return existsSync(program);
  return spawnSync("sh", ["-c", `PATH=$PATH:/usr/sbin command -v ${program}`]).status === 0;
}

export function takeServerFolder(): string {
  return mkdtempSync(join(tmpdir(), "edgeward-server-"));
}

/** One that is gone when the test is over. */
export function folderOfTest(): string {
  const folder = takeServerFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

export interface StartProgram {
  readonly command: string;
  readonly folder: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

export function startProgram({ command, folder, files = {}, args }: StartProgram): Program {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { PATH = "" } = process.env;
  const child = spawn(command, args, {
    cwd: folder,
    env: { PATH: `${PATH}:/usr/sbin:/sbin`, TMPDIR: folder, HOME: folder },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said = (said + chunk.toString()).slice(-4000)));
  child.on("error", (error) => (said += String(error)));
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const program: Program = {
    folder,
    process: child,
    said: () => said,
    async stop() {
      child.kill("SIGTERM");
      const timer = setTimeout(kill, 5000);
      await exited;
      clearTimeout(timer);
      process.off("exit", kill);
    },
  };
  return program;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

export const RTMP_MODULE = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/** nginx in one process, with paths in its folder. */
export function startNginx(folder: string, rtmp: string, http: string): Program {
  const configuration = `
daemon off;
master_process off;
${rtmp === "" ? "" : `load_module ${RTMP_MODULE};`}
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 4096; }
${rtmp}
http {
  access_log off;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; text/plain txt; }
  ${http}
}
`;
  const args = ["-c", join(folder, "nginx.conf"), "-p", folder, "-e", join(folder, "error.log")];
  return startProgram({ command: "nginx", folder, files: { "nginx.conf": configuration }, args });
}
