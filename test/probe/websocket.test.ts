import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { WebSocketProbe } from "../../src/model/edge.ts";
import type { ProbeResult } from "../../src/probe/result.ts";
import { acceptOf, probeWebSocket } from "../../src/probe/websocket.ts";
import { authority, certificate, privateKey } from "./certificates.ts";
import { address, webSocketProbe } from "./inventory.ts";
import { answering, serveTcp, serveTls, silent } from "./servers.ts";

function probe(
  port: number,
  other: Partial<WebSocketProbe> = {},
  url = `ws://edge.test:${port}/signal?app=live`,
): Promise<ProbeResult> {
  const context = { clock: systemClock, certificateAuthorities: authority };
  return probeWebSocket(address("127.0.0.1"), webSocketProbe(url, other), context);
}

interface Upgrading {
  /** Header lines in place of those of a right answer. */
  readonly lines?: (accept: string) => readonly string[];
  readonly heard?: Buffer[];
  /** To what comes after the request. */
  readonly onFrame?: (socket: Socket, frame: Buffer) => void;
}

const RIGHT = (accept: string): string[] => [
  "HTTP/1.1 101 Switching Protocols",
  "Upgrade: WebSocket",
  "Connection: keep-alive, Upgrade",
  `Sec-WebSocket-Accept: ${accept}`,
];

function upgrading({ lines = RIGHT, heard = [], onFrame }: Upgrading = {}): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", (head) => {
      heard.push(head);
      const key = /^sec-websocket-key: (.*)\r$/im.exec(head.toString())?.[1] ?? "";
      socket.write(`${lines(acceptOf(key)).join("\r\n")}\r\n\r\n`);
      socket.on("data", (frame) => {
        heard.push(frame);
        onFrame?.(socket, frame);
      });
    });
  };
}

describe("a probe over a WebSocket", () => {
  it("computes the accept of RFC 6455 1.3", () => {
    expect(acceptOf("dGhlIHNhbXBsZSBub25jZQ==")).toBe("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  });

  it("asks path and query with the Host, and succeeds on a right answer in any case", async () => {
    const heard: Buffer[] = [];
    const { port } = await serveTcp(upgrading({ heard, onFrame: (socket) => socket.end() }));
    const result = await probe(port, { host: "live.example.net", origin: "https://player.example.net" });
    expect(result).toMatchObject({
      ok: true,
      steps: [{ name: "connect" }, { name: "handshake" }, { name: "close" }],
    });
    const head = heard[0]?.toString() ?? "";
    expect(head).toMatch(/^GET \/signal\?app=live HTTP\/1\.1\r\nHost: live\.example\.net\r\n/);
    expect(head).toMatch(/^Upgrade: websocket\r$/m);
    expect(head).toMatch(/^Connection: Upgrade\r$/m);
    expect(head).toMatch(/^Sec-WebSocket-Version: 13\r$/m);
    expect(head).toMatch(/^Origin: https:\/\/player\.example\.net\r$/m);
    const key = /^Sec-WebSocket-Key: (.*)\r$/m.exec(head)?.[1] ?? "";
    expect(Buffer.from(key, "base64").length).toBe(16);
  });

  it("ends with a masked close frame of code 1000, and waits for the server's", async () => {
    const heard: Buffer[] = [];
    const frame = Buffer.concat([Buffer.of(0x81, 2), Buffer.from("hi"), Buffer.of(0x88, 2, 3, 0xe8)]);
    const { port, open } = await serveTcp(upgrading({ heard, onFrame: (socket) => socket.write(frame) }));
    const result = await probe(port, { timeoutMs: 60_000 });
    expect(result.ok).toBe(true);
    const close = heard[1] ?? Buffer.alloc(0);
    expect([close.length, close[0], close[1]]).toEqual([8, 0x88, 0x82]);
    const code = [6, 7].map((at) => (close[at] as number) ^ (close[at - 4] as number));
    expect(code).toEqual([0x03, 0xe8]);
    await expect.poll(() => open.size).toBe(0);
  });

  it("succeeds also where the server does not answer the close", async () => {
    const { port } = await serveTcp(upgrading());
    expect(await probe(port, { timeoutMs: 100 })).toMatchObject({ ok: true });
  });

  it("asks for a subprotocol, which the server must choose", async () => {
    const choosing = (chosen: string) => (accept: string) => [
      ...RIGHT(accept),
      `Sec-WebSocket-Protocol: ${chosen}`,
    ];
    const heard: Buffer[] = [];
    const right = await serveTcp(upgrading({ lines: choosing("chat.v1"), heard }));
    expect(await probe(right.port, { protocol: "chat.v1" })).toMatchObject({ ok: true });
    expect(heard[0]?.toString()).toMatch(/^Sec-WebSocket-Protocol: chat\.v1\r$/m);
    const failure = { ok: false, reason: "header", detail: "sec-websocket-protocol" };
    expect(await probe(right.port, { protocol: "chat.v2" })).toMatchObject(failure);
    expect(await probe(right.port)).toMatchObject(failure);
    const none = await serveTcp(upgrading());
    expect(await probe(none.port, { protocol: "chat.v1" })).toMatchObject(failure);
  });

  it.each([
    ["a wrong accept", () => RIGHT("AAAAAAAAAAAAAAAAAAAAAAAAAAA="), "header", "sec-websocket-accept"],
    ["no accept", () => RIGHT("").slice(0, 3), "header", "sec-websocket-accept"],
    [
      "no upgrade",
      (accept: string) => RIGHT(accept).filter((line) => !line.startsWith("Upgrade")),
      "header",
      "upgrade",
    ],
    [
      "no connection",
      (accept: string) => RIGHT(accept).filter((line) => !line.startsWith("Connection")),
      "header",
      "connection",
    ],
    [
      "an extension nobody asked for",
      (accept: string) => [...RIGHT(accept), "Sec-WebSocket-Extensions: x"],
      "header",
      "sec-websocket-extensions",
    ],
    ["a page", () => ["HTTP/1.1 200 OK", "Content-Length: 0"], "status", "200"],
    ["a redirect", () => ["HTTP/1.1 302 Found", "Location: ws://127.0.0.1:1/"], "status", "302"],
    ["a protected server", () => ["HTTP/1.1 403 Forbidden"], "status", "403"],
    ["a server that wants another version", () => ["HTTP/1.1 426 Upgrade Required"], "status", "426"],
    ["another protocol", () => ["220 mail.example.net ESMTP"], "protocol", "not-http"],
    ["a broken header", () => ["HTTP/1.1 101 Switching Protocols", "no colon"], "protocol", "not-http"],
    ["endless headers", () => [RIGHT("")[0] ?? "", `X: ${"x".repeat(20_000)}`], "protocol", "too-long"],
  ])("tells %s", async (_, lines, reason, detail) => {
    const { port, stats } = await serveTcp(upgrading({ lines }));
    expect(await probe(port)).toMatchObject({ ok: false, reason, detail });
    expect(stats.connections).toBe(1);
  });

  it("tells silence, drops, and an early end", async () => {
    const hanging = await serveTcp(silent);
    expect(await probe(hanging.port, { timeoutMs: 100 })).toMatchObject({ reason: "timeout" });
    const dripping = await serveTcp((socket) => {
      answering("HTTP/1.1 101 Switching Protocols\r\nX: ")(socket);
      const timer = setInterval(() => socket.bytesRead > 0 && socket.write("x"), 10);
      socket.on("close", () => clearInterval(timer));
    });
    expect(await probe(dripping.port, { timeoutMs: 150 })).toMatchObject({ reason: "timeout" });
    const ending = await serveTcp((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 101 Switching Protocols\r\n"));
    });
    expect(await probe(ending.port)).toMatchObject({ reason: "reset" });
  });

  it("goes over TLS as wss, with the host as SNI and as the certificate's name", async () => {
    let sni: unknown;
    const { port } = await serveTls({ cert: certificate, key: privateKey }, (socket) => {
      sni = (socket as unknown as { servername: string }).servername;
      upgrading({ onFrame: (socket) => socket.end() })(socket);
    });
    const url = `wss://edge.test:${port}/`;
    expect(await probe(port, {}, url)).toMatchObject({ ok: true });
    expect(sni).toBe("edge.test");
    expect(await probe(port, { host: "other.test" }, url)).toMatchObject({ reason: "certificate" });
  });
});
