import { execFile, spawnSync } from "node:child_process";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { promisify } from "node:util";
import { request } from "undici";
import { afterEach, describe, expect, it } from "vitest";
import { type DemoEdges, startDemoEdges, whySkipped } from "../../src/demo/edges.ts";
import type { Edge } from "../../src/model/edge.ts";
import type { Log } from "../../src/model/log.ts";
import { plainEdge } from "../inventory.ts";

const run = promisify(execFile);
const quiet: Log = { info() {}, warn() {}, error() {} };

const toStop: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of toStop.splice(0)) await stop();
});

describe("a demo edge", () => {
  it("answers its health check and names itself", async () => {
    const [origin] = await start(["ams1", "http://127.0.0.11"]);
    const { statusCode, headers, body } = await request(`${origin}/health`);
    expect(statusCode).toBe(200);
    expect(headers["x-edge"]).toBe("ams1");
    expect(await body.text()).toBe("ok\n");
  });

  it("serves a finished playlist at any .m3u8 path, and every segment it names beside it", async () => {
    const [origin] = await start(["ams1", "http://127.0.0.11"]);
    const playlist = await request(`${origin}/some/where/channel.m3u8?token=a.b`);
    expect(playlist.headers["content-type"]).toBe("application/vnd.apple.mpegurl");
    expect(playlist.headers["access-control-allow-origin"]).toBe("*");
    const lines = (await playlist.body.text()).trimEnd().split("\n");
    expect(lines[0]).toBe("#EXTM3U");
    expect(lines.at(-1)).toBe("#EXT-X-ENDLIST");
    const segments = lines.filter((line) => !line.startsWith("#"));
    expect(segments.length).toBeGreaterThan(1);
    for (const name of segments) {
      const segment = await request(`${origin}/some/where/${name}`);
      expect(segment.headers["content-type"]).toBe("video/mp2t");
      const octets = Buffer.from(await segment.body.arrayBuffer());
      expect(octets.length).toBe(Number(segment.headers["content-length"]));
      // ISO/IEC 13818-1 2.4.3.2: packets of 188 octets that begin with 0x47.
      expect(octets.length % 188).toBe(0);
      expect(octets[0]).toBe(0x47);
    }
  });

  it("allows any page to read it, answers HEAD without a body, and knows no other paths or methods", async () => {
    const [origin] = await start(["ams1", "http://127.0.0.11"]);
    const preflight = await request(`${origin}/live/stream.m3u8`, { method: "OPTIONS" });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe("*");
    const head = await request(`${origin}/live/stream.m3u8`, { method: "HEAD" });
    expect(Number(head.headers["content-length"])).toBeGreaterThan(0);
    expect(await head.body.text()).toBe("");
    expect((await request(`${origin}/live/segment99.ts`)).statusCode).toBe(404);
    expect((await request(`${origin}/../../package.json`)).statusCode).toBe(404);
    expect((await request(`${origin}/live/stream.m3u8`, { method: "POST" })).statusCode).toBe(405);
  });

  it("serves the same media as its neighbours, each under its own name", async () => {
    const origins = await start(["ams1", "http://127.0.0.11"], ["sin1", "http://127.0.0.12"]);
    const answers = await Promise.all(origins.map((origin) => request(`${origin}/live/segment0.ts`)));
    expect(answers.map(({ headers }) => headers["x-edge"])).toEqual(["ams1", "sin1"]);
    const [a, b] = await Promise.all(answers.map(({ body }) => body.arrayBuffer()));
    expect(a).toEqual(b);
  });

  it("closes its socket when stopped", async () => {
    const port = await freePort("127.0.0.1");
    const edges = await startDemoEdges([edgeWith("ams1", `http://127.0.0.1:${port}`)], quiet);
    await request(`http://127.0.0.1:${port}/health`).then(({ body }) => body.dump());
    await edges.stop();
    await expect(request(`http://127.0.0.1:${port}/health`)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("playing it", () => {
  it.skipIf(without("ffprobe"))("ffprobe finds H.264 and AAC", async () => {
    const [origin] = await start(["ams1", "http://127.0.0.11"]);
    expect(await probed([`${origin}/live/stream.m3u8`])).toEqual(WHOLE_STREAM);
  });

  it.skipIf(without("ffprobe"))(
    "ffprobe follows a redirect with the Host header of the printed line",
    async () => {
      const [origin] = await start(["ams1", "http://127.0.0.11"]);
      const hosts: unknown[] = [];
      const door = createServer((request, response) => {
        hosts.push(request.headers.host);
        response.writeHead(302, { location: `${origin}${request.url}` }).end();
      });
      const url = `http://127.0.0.1:${await listening(door)}/live/stream.m3u8`;
      expect(await probed(["-headers", "Host: live.cdn.example.net", url])).toEqual(WHOLE_STREAM);
      expect(new Set(hosts)).toEqual(new Set(["live.cdn.example.net"]));
    },
  );

  it.skipIf(without("curl"))("curl reads the playlist", async () => {
    const [origin] = await start(["nyc1", "http://127.0.0.13"]);
    const { stdout } = await run("curl", ["-sSi", `${origin}/live/stream.m3u8`]);
    expect(stdout).toMatch(/^HTTP\/1\.1 200 /);
    expect(stdout).toMatch(/^x-edge: nyc1\r$/im);
    expect(stdout).toContain("#EXTM3U");
  });
});

describe("an edge that cannot be started", () => {
  it("is skipped where its address is missing, with the command that adds it on macOS", () => {
    const error = Object.assign(new Error("listen"), { code: "EADDRNOTAVAIL" });
    expect(whySkipped(error, { host: "127.0.0.11", port: 8081 })).toEqual({
      reason: "this machine has no address 127.0.0.11",
      remedy: "sudo ifconfig lo0 alias 127.0.0.11 up",
    });
  });

  it("is skipped where its url leads off this machine, or is not plain http", async () => {
    const urls = ["http://192.0.2.77:8081", "http://localhost:8081", "https://127.0.0.11:8443", undefined];
    const edges = await startDemoEdges(
      urls.map((url, i) => edgeWith(`edge${i}`, url)),
      quiet,
    );
    toStop.push(edges.stop);
    expect(edges.started).toEqual([]);
    expect(edges.skipped.map(({ reason }) => reason)).toEqual(
      urls.map(() => "its url is not plain http on a loopback address"),
    );
  });

  it("says so when the port is taken", async () => {
    const taken = createTcpServer();
    const port = await listening(taken);
    const edges = await startDemoEdges([edgeWith("ams1", `http://127.0.0.1:${port}`)], quiet);
    toStop.push(edges.stop);
    expect(edges.started).toEqual([]);
    expect(edges.skipped[0]?.reason).toMatch(new RegExp(`^127\\.0\\.0\\.1:${port} is in use`));
  });

  it("does not keep the others from starting", async () => {
    const port = await freePort("127.0.0.1");
    const url = `http://127.0.0.1:${port}`;
    const edges = await startDemoEdges(
      [edgeWith("ams1", url), edgeWith("twin", url), edgeWith("dns-only")],
      quiet,
    );
    toStop.push(edges.stop);
    expect(edges.started).toEqual([{ edgeId: "ams1", host: "127.0.0.1", port }]);
    expect(edges.skipped.map(({ edgeId }) => edgeId)).toEqual(["twin", "dns-only"]);
  });
});

const WHOLE_STREAM = {
  codecs: ["aac", "h264"],
  width: 320,
  height: 180,
  seconds: 8,
};

async function probed(args: string[]): Promise<typeof WHOLE_STREAM> {
  const show = "format=duration:stream=codec_name,width,height";
  const { stdout } = await run("ffprobe", ["-v", "error", "-of", "json", "-show_entries", show, ...args]);
  const found = JSON.parse(stdout) as {
    streams: { codec_name: string; width?: number; height?: number }[];
    format: { duration: string };
  };
  const video = found.streams.find(({ codec_name }) => codec_name === "h264");
  return {
    codecs: [...new Set(found.streams.map(({ codec_name }) => codec_name))].sort(),
    width: video?.width ?? 0,
    height: video?.height ?? 0,
    seconds: Math.round(Number(found.format.duration)),
  };
}

/** Starts edges on free ports; returns their origins. */
async function start(...wanted: [id: string, origin: string][]): Promise<string[]> {
  const origins = await Promise.all(
    wanted.map(async ([, origin]) => `${origin}:${await freePort(new URL(origin).hostname)}`),
  );
  const edges: DemoEdges = await startDemoEdges(
    wanted.map(([id], i) => edgeWith(id, origins[i])),
    quiet,
  );
  toStop.push(edges.stop);
  expect(edges.skipped).toEqual([]);
  return origins;
}

function edgeWith(id: string, url?: string): Edge {
  return plainEdge(id, url === undefined ? {} : { url });
}

async function listening(
  server: Server | ReturnType<typeof createTcpServer>,
  host = "127.0.0.1",
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  toStop.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function freePort(host: string): Promise<number> {
  const server = createTcpServer();
  const port = await listening(server, host);
  await toStop.pop()?.();
  return port;
}

/** Outside CI a machine may lack the program; in CI the test then fails. */
function without(program: string): boolean {
  return !process.env["CI"] && spawnSync(program, ["-version"]).error !== undefined;
}
