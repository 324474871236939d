/** The recipe of docs/signing.md for Varnish, as it stands there, in a real one. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { request } from "undici";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Signing } from "../../src/model/service.ts";
import { freePort } from "../scenarios/network.ts";
import { ROOT } from "../scenarios/program.ts";
import { waitFor } from "../scenarios/wait.ts";
import { lacks, type Program, removeFolder, startProgram, takeServerFolder } from "../servers/programs.ts";
import { ask, decisionOf, edgeOf, openDoor, serviceOf, type TestDoor } from "./fixture.ts";

const MODULE = "/usr/lib/x86_64-linux-gnu/varnish/vmods/libvmod_digest.so";
const HOST = "127.0.0.1";
const SIGNING: Signing = {
  scheme: "hmac",
  keys: [{ secret: "the secret" }],
  ttlSeconds: 300,
  over: "path",
  bindsAddress: false,
};

const RECIPE = /```vcl\n(.*?)```/s.exec(readFileSync(join(ROOT, "docs/signing.md"), "utf8"))?.[1] ?? "";

describe.skipIf(lacks("varnishd", MODULE)).each([
  ["for anybody", false, RECIPE],
  ["for one address", true, RECIPE.replace("# + client.ip", "+ client.ip")],
])("Varnish with vmod_digest, %s", (_for, bindsAddress, recipe) => {
  let origin: Server;
  let varnish: Program;
  let door: TestDoor;
  let url: string;
  let nowMs = Date.now();

  beforeAll(async () => {
    origin = createServer((_, reply) => reply.end("#EXTM3U\n")).listen(0, HOST);
    await once(origin, "listening");
    const backend = `backend default { .host = "${HOST}"; .port = "${(origin.address() as AddressInfo).port}"; }`;
    const folder = takeServerFolder();
    const port = await freePort(HOST);
    url = `http://${HOST}:${port}`;
    varnish = startProgram({
      command: "varnishd",
      folder,
      files: { "default.vcl": `vcl 4.1;\n${backend}\n${recipe}` },
      args: [
        ..."-F -j none -s malloc,8m -p vsl_space=1M -p thread_pool_min=10 -a".split(" "),
        `${HOST}:${port}`,
        "-n",
        join(folder, "varnish"),
        "-f",
        join(folder, "default.vcl"),
      ],
    });
    const isUp = async (): Promise<boolean> =>
      request(url).then(
        ({ statusCode }) => statusCode === 200,
        () => false,
      );
    await waitFor(isUp, 25_000, () => `Varnish: ${varnish.said()}`);
    door = await openDoor({ nowMs: () => nowMs });
  });
  afterAll(async () => {
    await varnish.stop();
    removeFolder(varnish.folder);
    origin.close();
    await door?.door.stop();
  });

  async function sentTo(path: string, signing: Partial<Signing> = {}): Promise<string> {
    const service = serviceOf({
      http: { stickinessSeconds: 0, url: "{edge.url}{path}{query}" },
      signing: { ...SIGNING, bindsAddress, ...signing },
    });
    door.answerWith(() => decisionOf([edgeOf("ams1", url)], { service }));
    return String((await ask(door.port, `GET ${path} HTTP/1.1`)).headers["location"]);
  }

  async function statusOf(address: string, headers = {}): Promise<number> {
    const reply = await request(address, { headers });
    await reply.body.dump();
    return reply.statusCode;
  }

  it("serves whoever was sent, and nobody else", async () => {
    const location = await sentTo("/live/a.m3u8?x=1");
    expect(location).toContain("/live/a.m3u8?x=1&token=");
    expect(await statusOf(location)).toBe(200);
    expect(await statusOf(`${url}/live/a.ts`), "segments stay open").toBe(200);
    expect(await statusOf(`${url}/live/a.m3u8`)).toBe(403);
    expect(await statusOf(`${url}/live/a.m3u8`, { "X-Token": "", "X-Due": "", "X-Expires": "" })).toBe(403);
    expect(await statusOf(`${url}/live/a.m3u8?token=&expires=`)).toBe(403);
    expect(await statusOf(location.replace("a.m3u8", "b.m3u8"))).toBe(403);
    expect(await statusOf(location.replace(/expires=\d+/, "expires=4102444800"))).toBe(403);
    expect(await statusOf(location.replace("token=", "token=A"))).toBe(403);
  });

  it("takes no other key, and no signature that is for another address", async () => {
    expect(await statusOf(await sentTo("/live/a.m3u8", { keys: [{ secret: "another" }] }))).toBe(403);
    expect(await statusOf(await sentTo("/live/a.m3u8", { bindsAddress: !bindsAddress }))).toBe(403);
  });

  it("goes by the path as it was asked for, whatever is in it", async () => {
    expect(await statusOf(await sentTo("/live/a%20b//c..d.mpd"))).toBe(200);
  });

  it("expires", async () => {
    nowMs = Date.now() - 600_000;
    expect(await statusOf(await sentTo("/live/a.m3u8"))).toBe(410);
    nowMs = Date.now();
  });
});
