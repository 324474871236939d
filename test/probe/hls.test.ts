import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { HlsProbe } from "../../src/model/edge.ts";
import type { ProbeContext } from "../../src/probe/attempt.ts";
import { probeHls } from "../../src/probe/hls.ts";
import type { ProbeResult } from "../../src/probe/result.ts";
import { createFakeClock } from "../base/fake-clock.ts";
import { address, hlsProbe } from "./inventory.ts";
import { answering, serveTcp, silent } from "./servers.ts";

const MASTER = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=2800000\n720p/index.m3u8?token=a%2Fb\n";
const LIVE =
  "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:9\n#EXTINF:2,\na.ts\n#EXTINF:2,\nb.ts\n";
const ENDED = `${LIVE}#EXT-X-ENDLIST\n`;

type Page = string | Buffer | ((request: IncomingMessage, response: ServerResponse) => void);

interface Origin {
  readonly port: number;
  /** Lines like `GET /live/b.ts edge.test:8080`. */
  readonly asked: string[];
  /** May be changed at any time. */
  readonly pages: Record<string, Page>;
}

/** Pages by path and query; ends with the test. */
async function serveHls(pages: Record<string, Page>): Promise<Origin> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const range = request.headers.range === undefined ? "" : ` ${request.headers.range}`;
    asked.push(`${request.url} ${request.headers.host?.replace(/:\d+$/, "")}${range}`);
    const page = pages[request.url ?? ""];
    if (typeof page === "function") page(request, response);
    else response.writeHead(page === undefined ? 404 : 200).end(page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked, pages };
}

function probe(
  port: number,
  path: string,
  other: Partial<HlsProbe> = {},
  context: Partial<ProbeContext> = {},
): Promise<ProbeResult> {
  const url = `http://edge.test:${port}${path}`;
  return probeHls(address("127.0.0.1"), hlsProbe(url, other), { clock: systemClock, ...context });
}

describe("a probe of an HLS stream", () => {
  it("goes from the master to the first variant and to the first octets of its newest segment", async () => {
    const { port, asked } = await serveHls({
      "/live/index.m3u8": MASTER,
      "/live/720p/index.m3u8?token=a%2Fb": LIVE,
      "/live/720p/b.ts": Buffer.alloc(100_000),
    });
    const result = await probe(port, "/live/index.m3u8");
    expect(result).toMatchObject({ ok: true, memory: { position: { nextSequence: 11, parts: 0 } } });
    expect(asked).toEqual([
      "/live/index.m3u8 edge.test",
      "/live/720p/index.m3u8?token=a%2Fb edge.test",
      "/live/720p/b.ts edge.test bytes=0-1023",
    ]);
    const names = result.steps.map(({ name }) => name);
    expect(names.filter((name) => name !== "connect")).toEqual([
      "playlist",
      "body",
      "playlist",
      "body",
      "segment",
      "body",
    ]);
  });

  it("calls it stale when nothing has changed for 1.5 target durations, and live with the next segment", async () => {
    const clock = createFakeClock();
    const origin = await serveHls({ "/index.m3u8": LIVE, "/b.ts": "x", "/c.ts": "x" });
    const look = (context: Partial<ProbeContext>) =>
      probe(origin.port, "/index.m3u8", {}, { clock, ...context });
    const first = await look({});
    expect(first.ok).toBe(true);
    await clock.advance(3000);
    const { memory } = first;
    if (memory === undefined) throw new Error("nothing remembered");
    expect(await look({ memory })).toMatchObject({ ok: false, reason: "stale", memory });
    origin.pages["/index.m3u8"] = `${LIVE}#EXTINF:2,\nc.ts\n`;
    expect(await look({ memory })).toMatchObject({ ok: true, memory: { position: { nextSequence: 12 } } });
  });

  it("leaves an ended playlist alone", async () => {
    const { port } = await serveHls({ "/index.m3u8": ENDED, "/b.ts": "x" });
    const memory = { position: { nextSequence: 11, parts: 0 }, staleAtMs: Number.NEGATIVE_INFINITY };
    const result = await probe(port, "/index.m3u8", {}, { memory });
    expect(result.ok).toBe(true);
    expect(result.memory).toBeUndefined();
  });

  it("tells a newest segment that is missing, empty or slow although the playlist is there", async () => {
    const missing = await serveHls({ "/index.m3u8": LIVE, "/a.ts": "x" });
    expect(await probe(missing.port, "/index.m3u8")).toMatchObject({
      ok: false,
      reason: "segment",
      detail: "404",
    });
    const empty = await serveHls({ "/index.m3u8": LIVE, "/b.ts": "" });
    expect(await probe(empty.port, "/index.m3u8")).toMatchObject({ reason: "segment", detail: "empty" });
    const slow = await serveHls({ "/index.m3u8": LIVE, "/b.ts": () => {} });
    const result = await probe(slow.port, "/index.m3u8", { timeoutMs: 200 });
    expect(result).toMatchObject({ reason: "timeout" });
    expect(result.steps.at(-1)?.name).toBe("segment");
  });

  it("follows absolute URIs that name the edge, and takes them with that host", async () => {
    const origin = await serveHls({ "/v/index.m3u8": ENDED, "/v/b.ts": "x" });
    const at = `http://127.0.0.1:${origin.port}`;
    origin.pages["/index.m3u8"] = `#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n${at}/v/index.m3u8\n`;
    const hosts = [`127.0.0.1:${origin.port}`];
    expect(await probe(origin.port, "/index.m3u8", { hosts })).toMatchObject({ ok: true });
    expect(origin.asked.slice(1)).toEqual(["/v/index.m3u8 127.0.0.1", "/v/b.ts 127.0.0.1 bytes=0-1023"]);
  });

  it("never asks another host, port or scheme", async () => {
    const other = await serveTcp(silent);
    const variants = [
      `http://127.0.0.1:${other.port}/v.m3u8`,
      `//127.0.0.1:${other.port}/v.m3u8`,
      "http://169.254.169.254/latest",
      "https://edge.test/v.m3u8",
      "file:///etc/passwd",
      "http://[",
    ];
    const master = variants.map((uri) => `#EXT-X-STREAM-INF:BANDWIDTH=1\n${uri}\n`).join("");
    const elsewhere = `#EXTM3U\n#EXT-X-TARGETDURATION:2\nhttp://127.0.0.1:${other.port}/a.ts\n`;
    const { port, asked } = await serveHls({ "/index.m3u8": `#EXTM3U\n${master}`, "/media.m3u8": elsewhere });
    expect(await probe(port, "/index.m3u8")).toMatchObject({
      ok: false,
      reason: "playlist",
      detail: "other-host",
    });
    expect(await probe(port, "/media.m3u8")).toMatchObject({ ok: true });
    expect(asked.length).toBe(2);
    expect(other.stats.connections).toBe(0);
  });

  it("takes the first variant that is the edge's own", async () => {
    const master = `#EXTM3U\n#EXT-X-STREAM-INF:A=1\nhttp://cdn.test/a.m3u8\n#EXT-X-STREAM-INF:A=2\nown.m3u8\n`;
    const { port } = await serveHls({ "/index.m3u8": master, "/own.m3u8": ENDED, "/b.ts": "x" });
    expect(await probe(port, "/index.m3u8")).toMatchObject({ ok: true });
  });

  it.each<[string, Page, string, string]>([
    ["a page", "<html></html>", "playlist", "not-a-playlist"],
    ["a playlist of nothing", "#EXTM3U\n#EXT-X-TARGETDURATION:2\n", "playlist", "no-segment"],
    ["a master of nothing", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n", "playlist", "no-variant"],
    [
      "a master of itself",
      "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n",
      "playlist",
      "master-in-master",
    ],
    ["a megabyte", `${LIVE}#${"x".repeat(1024 * 1024)}`, "playlist", "too-long"],
    ["a redirect", (_, response) => void response.writeHead(302, { location: "/a" }).end(), "status", "302"],
    ["an error", (_, response) => void response.writeHead(503).end(LIVE), "status", "503"],
  ])("tells %s", async (_, page, reason, detail) => {
    const { port } = await serveHls({ "/index.m3u8": page });
    const result = await probe(port, "/index.m3u8");
    expect(result).toMatchObject({ ok: false, reason, detail });
  });

  it("tells a playlist that is cut short", async () => {
    const { port } = await serveHls({
      "/index.m3u8": (_, response) => {
        response.writeHead(200, { "content-length": "1000" });
        response.write(LIVE, () => response.destroy());
      },
    });
    const result = await probe(port, "/index.m3u8");
    // Which of the two depends on whether end and octets arrive together.
    expect(result.ok ? "ok" : result.reason).toMatch(/^(reset|protocol)$/);
  });

  it("fails in time on a playlist that comes drop by drop, and leaves nothing open", async () => {
    const { port, open } = await serveTcp((socket) => {
      answering("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n#EXTM3U\n")(socket);
      const timer = setInterval(() => socket.bytesRead > 0 && socket.write("x"), 10);
      socket.on("close", () => clearInterval(timer));
    });
    expect(await probe(port, "/", { timeoutMs: 150 })).toMatchObject({ ok: false, reason: "timeout" });
    await expect.poll(() => open.size).toBe(0);
  });
});
