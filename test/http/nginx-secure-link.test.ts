import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Signing } from "../../src/model/service.ts";
import { ask, decisionOf, edgeOf, openDoor, serviceOf, type TestDoor } from "./fixture.ts";

/** Outside CI it is left out where nginx is not installed. */
const isMissing = spawnSync("nginx", ["-v"]).error !== undefined && process.env["CI"] !== "true";

const SIGNING: Signing = {
  scheme: "secure-link",
  keys: [
    { id: "k1", secret: "first secret" },
    { id: "k2", secret: "second secret", fromMs: 4e12 },
  ],
  ttlSeconds: 300,
  over: "path",
  bindsAddress: true,
};
const ODD = "/live/a%20b//c..d.m3u8";

/** The recipes of docs/signing.md. */
const configuration = (folder: string, port: number): string => `
daemon off;
master_process off;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log;
events { worker_connections 64; }
http {
  access_log off;
  client_body_temp_path ${folder}/t; proxy_temp_path ${folder}/t; fastcgi_temp_path ${folder}/t;
  uwsgi_temp_path ${folder}/t; scgi_temp_path ${folder}/t;
  map $request_uri $asked_path { "~^(?<asked>[^?]*)" $asked; }
  map $arg_key $edgeward_secret { k1 "first secret"; k2 "second secret"; default ""; }
  server {
    listen 127.0.0.1:${port};
    root ${folder};
    location ~ ^/s/(?<signature>[\\w-]+)/(?<expires>\\d+)(?<folder>/.*/)[^/]+$ {
      secure_link $signature,$expires;
      secure_link_md5 "$secure_link_expires$folder first secret";
      if ($secure_link = "") { return 403; }
      if ($secure_link = "0") { return 410; }
      rewrite ^/s/[^/]+/[^/]+(/.*)$ $1 break;
    }
    location / {
      if ($edgeward_secret = "") { return 403; }
      secure_link $arg_md5,$arg_expires;
      secure_link_md5 "$secure_link_expires$asked_path$remote_addr $edgeward_secret";
      if ($secure_link = "") { return 403; }
      if ($secure_link = "0") { return 410; }
    }
  }
}
`;

describe.skipIf(isMissing)("nginx with secure_link", () => {
  let folder: string;
  let nginx: ChildProcess;
  let door: TestDoor;
  let url: string;
  let nowMs = Date.now();

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "edgeward-secure-link-"));
    await mkdir(join(folder, "live/a b"), { recursive: true });
    await writeFile(join(folder, "live/a.m3u8"), "#EXTM3U\n");
    await writeFile(join(folder, "live/a.ts"), "segment");
    await writeFile(join(folder, "live/a b/c..d.m3u8"), "#EXTM3U\n");
    const port = await freePort();
    await writeFile(join(folder, "nginx.conf"), configuration(folder, port));
    nginx = spawn("nginx", ["-c", join(folder, "nginx.conf"), "-p", folder, "-e", join(folder, "error.log")]);
    url = `http://127.0.0.1:${port}`;
    while ((await request(url).catch(() => undefined)) === undefined) await sleep(50);
    door = await openDoor({ nowMs: () => nowMs });
  });
  afterAll(async () => {
    nginx.kill("SIGTERM");
    await door.door.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function sentTo(path: string, signing: Partial<Signing> = {}, template = "{edge.url}{path}{query}") {
    const service = serviceOf({
      http: { stickinessSeconds: 0, url: template },
      signing: { ...SIGNING, ...signing },
    });
    door.answerWith(() => decisionOf([edgeOf("ams1", url)], { service }));
    return String((await ask(door.port, `GET ${path} HTTP/1.1`)).headers["location"]);
  }

  async function statusOf(address: string): Promise<number> {
    const reply = await request(address);
    await reply.body.dump();
    return reply.statusCode;
  }

  it("serves whoever was sent, and nobody else", async () => {
    const location = await sentTo("/live/a.m3u8?token=x");
    expect(location).toContain("/live/a.m3u8?token=x&md5=");
    expect(await statusOf(location)).toBe(200);
    expect(await statusOf(`${url}/live/a.m3u8`)).toBe(403);
    expect(await statusOf(location.replace("a.m3u8", "a.ts"))).toBe(403);
    expect(await statusOf(location.replace("key=k1", "key=k2"))).toBe(403);
    expect(await statusOf(location.replace(/&key=.*/, ""))).toBe(403);
    expect(await statusOf(location.replace(/expires=\d+/, "expires=4102444800"))).toBe(403);
  });

  it("signs the path as it was asked for, whatever is in it", async () => {
    expect(await statusOf(await sentTo(ODD))).toBe(200);
  });

  it("is bound to the address", async () => {
    const elsewhere = await sentTo("/live/a.m3u8", { bindsAddress: false });
    expect(await statusOf(elsewhere)).toBe(403);
  });

  it("expires", async () => {
    nowMs = Date.now() - 600_000;
    expect(await statusOf(await sentTo("/live/a.m3u8"))).toBe(410);
    nowMs = Date.now();
  });

  it("goes over to the next key", async () => {
    nowMs = 4e12;
    const location = await sentTo("/live/a.m3u8");
    expect(location).toContain("key=k2");
    expect(await statusOf(location)).toBe(200);
    nowMs = Date.now();
  });

  it("in the path covers what the playlist names", async () => {
    const template = "{edge.url}/s/{signature}/{expires}{path}{query}";
    const location = await sentTo("/live/a.m3u8?x", { over: "folder", bindsAddress: false }, template);
    expect(location).toMatch(/\/s\/[\w-]+\/\d+\/live\/a\.m3u8\?x$/);
    expect(await statusOf(location)).toBe(200);
    expect(await statusOf(new URL("a.ts", location).href)).toBe(200);
    expect(await statusOf(new URL("../other/a.ts", location).href)).toBe(403);
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  return await new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
