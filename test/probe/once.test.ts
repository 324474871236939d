import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Probe } from "../../src/model/edge.ts";
import { probeEdge } from "../../src/probe/once.ts";
import { noteExpiry } from "../../src/probe/player.ts";
import type { ProbeResult } from "../../src/probe/result.ts";
import { createFakeClock } from "../base/fake-clock.ts";
import { authority, certificate, privateKey } from "./certificates.ts";
import { edge, hlsProbe, httpProbe, inventoryOf } from "./inventory.ts";
import { answering, HTTP_OK, serveTcp, serveTls } from "./servers.ts";

type Headers = { readonly [name: string]: string };

async function probeOnce(probe: Probe, options: Parameters<typeof probeEdge>[2] = {}): Promise<ProbeResult> {
  const only = edge("ams1", { probe });
  const [probed] = await probeEdge(only, inventoryOf([only]), {
    certificateAuthorities: authority,
    ...options,
  });
  if (probed === undefined) throw new Error("nothing was probed");
  return probed.result;
}

function reply(headers: Headers): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 200 OK\r\n${lines.join("")}Content-Length: 2\r\n\r\nok`;
}

describe("the notes of a single probe", () => {
  it("tell that players in browsers are left out, asking as one that was redirected", async () => {
    let head = "";
    const none = await serveTcp((socket) => {
      socket.once("data", (octets) => {
        head = octets.toString();
        socket.write(HTTP_OK);
      });
    });
    const url = (port: number) => httpProbe(`http://127.0.0.1:${port}/`);
    expect((await probeOnce(url(none.port))).notes?.[0]).toMatch(/^no Access-Control-Allow-Origin/);
    expect(head).toMatch(/^origin: null\r$/im);
    const some = await serveTcp(answering(reply({ "Access-Control-Allow-Origin": "https://a.test" })));
    expect((await probeOnce(url(some.port))).notes?.[0]).toMatch(/leaves out players that were redirected/);
    const all = await serveTcp(answering(reply({ "Access-Control-Allow-Origin": "*" })));
    const right = await probeOnce(url(all.port));
    expect(right.ok).toBe(true);
    expect(right.notes).toBeUndefined();
  });

  it("tell a certificate that ends within 14 days", async () => {
    const { port } = await serveTls(
      { cert: certificate, key: privateKey },
      answering(reply({ "Access-Control-Allow-Origin": "*" })),
    );
    const probe = httpProbe(`https://edge.test:${port}/`);
    expect((await probeOnce(probe)).notes).toBeUndefined();
    const notes: string[] = [];
    const note = (text: string) => void notes.push(text);
    const end = "Jan  1 00:00:00 2027 GMT";
    noteExpiry({ note }, end, Date.UTC(2026, 11, 18));
    expect(notes).toEqual([]);
    noteExpiry({ note }, end, Date.UTC(2026, 11, 18, 1));
    noteExpiry({ note }, end, Date.UTC(2026, 11, 30, 12));
    noteExpiry({ note }, end, Date.UTC(2027, 0, 1, 1));
    noteExpiry({ note }, "", 0);
    expect(notes).toEqual([
      "the certificate expires in 13 days",
      "the certificate expires in 1 day",
      "the certificate has expired",
    ]);
  });

  it("tell playlists and segments of the wrong type, once each, and show no odd octets", async () => {
    const page = "#EXTM3U\n#EXT-X-TARGETDURATION:2\na.ts\n#EXT-X-ENDLIST\n";
    const types: Headers = { "/i.m3u8": "text/plain; charset=utf-8", "/a.ts": 'text/"html"' };
    const { port } = await serveWith(() => page, types);
    expect((await probeOnce(hlsProbe(`http://127.0.0.1:${port}/i.m3u8`))).notes).toEqual([
      "playlist with Content-Type text/plain: some players refuse it; send application/vnd.apple.mpegurl",
      "segment with Content-Type unreadable: some players refuse it; send video/mp2t",
    ]);
    const right = await serveWith(() => page, { "/i.m3u8": "application/x-mpegURL", "/a.ts": "video/MP2T" });
    expect((await probeOnce(hlsProbe(`http://127.0.0.1:${right.port}/i.m3u8`))).notes).toBeUndefined();
  });
});

describe("a single probe of a live stream", () => {
  const playlist = (segments: number) =>
    `#EXTM3U\n#EXT-X-TARGETDURATION:1\n${Array.from({ length: segments }, (_, i) => `${i}.ts\n`).join("")}`;

  it("waits until it advances", async () => {
    let looks = 0;
    const { port } = await serveWith(() => playlist(++looks > 2 ? 3 : 2), {});
    const result = await probeOnce(hlsProbe(`http://127.0.0.1:${port}/i.m3u8`));
    expect(result.ok).toBe(true);
    expect(result.steps.at(-1)?.name).toBe("advance");
    expect(result).not.toHaveProperty("memory");
  });

  it("says so when it does not", async () => {
    const { port } = await serveWith(() => playlist(2), {});
    const result = await probeOnce(hlsProbe(`http://127.0.0.1:${port}/i.m3u8`));
    expect(result).toMatchObject({ ok: false, reason: "stale" });
  });

  it("does not wait where that would take too long", async () => {
    const { port } = await serveWith(() => playlist(2).replace("DURATION:1", "DURATION:60"), {});
    const result = await probeOnce(hlsProbe(`http://127.0.0.1:${port}/i.m3u8`), { clock: createFakeClock() });
    expect(result.ok).toBe(true);
    expect(result.notes?.at(-1)).toMatch(/too long to wait/);
  });
});

/** The same page everywhere, with a type by path; ends with the test. */
async function serveWith(page: () => string, types: Headers): Promise<{ port: number }> {
  const server = createServer((request, response) => {
    const type = types[request.url ?? ""] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "access-control-allow-origin": "*" });
    response.end(request.url?.endsWith("m3u8") ? page() : "x");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port };
}
