import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { matches, probeHttp } from "../../src/probe/http.ts";
import type { ProbeResult } from "../../src/probe/result.ts";
import { authority, certificate, expiredCertificate, privateKey } from "./certificates.ts";
import { address, httpProbe } from "./inventory.ts";
import { answering, closedPort, HTTP_OK, serveTcp, serveTls, silent } from "./servers.ts";

const LOOPBACK = address("127.0.0.1");

function reasonOf(result: ProbeResult): string {
  return result.ok ? "ok" : result.reason;
}

async function probe(
  port: number,
  other: Parameters<typeof httpProbe>[1] = {},
  url = `http://127.0.0.1:${port}/health`,
): Promise<ProbeResult> {
  const context = { clock: systemClock, certificateAuthorities: authority };
  return probeHttp(LOOPBACK, httpProbe(url, other), context);
}

describe("a probe over HTTP", () => {
  it("succeeds on an expected status, and says how long each step took", async () => {
    const { port } = await serveTcp(answering(HTTP_OK));
    const result = await probe(port);
    expect(result).toMatchObject({ ok: true, steps: [{ name: "connect" }, { name: "reply" }] });
  });

  it("asks path and query of the url, with the configured Host, on a connection of its own", async () => {
    let head = "";
    const { port, stats } = await serveTcp((socket) => {
      socket.once("data", (octets) => {
        head = octets.toString();
        socket.write(HTTP_OK);
      });
    });
    await probe(port, { host: "live.example.net" }, `http://edge.example.net:${port}/a/b?c=d`);
    expect(head).toMatch(/^GET \/a\/b\?c=d HTTP\/1\.1\r\n/);
    expect(head).toMatch(/^host: live\.example\.net\r$/im);
    expect(head).toMatch(/^connection: close\r$/im);
    expect(head).toMatch(/^accept-encoding: identity\r$/im);
    await probe(port);
    expect(stats.connections).toBe(2);
  });

  it("takes a redirect as a status and follows none", async () => {
    const { port, stats } = await serveTcp((socket) => {
      const { localPort } = socket;
      answering(
        `HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:${localPort}/\r\nContent-Length: 0\r\n\r\n`,
      )(socket);
    });
    expect(await probe(port)).toMatchObject({ ok: false, reason: "status", detail: "302" });
    expect(await probe(port, { status: [302] })).toMatchObject({ ok: true });
    expect(stats.connections).toBe(2);
  });

  it("fails in time when the server never answers", async () => {
    const { port, open } = await serveTcp(silent);
    const result = await probe(port, { timeoutMs: 100 });
    expect(reasonOf(result)).toBe("timeout");
    expect(result.steps.at(-1)?.name).toBe("reply");
    await expect.poll(() => open.size).toBe(0);
  });

  it("fails in time when the head or the body comes drop by drop", async () => {
    const dripping = (head: string) => (socket: Socket) => {
      socket.once("data", () => {
        socket.write(head);
        const timer = setInterval(() => socket.write("x"), 10);
        socket.on("close", () => clearInterval(timer));
      });
    };
    const slowHead = await serveTcp(dripping("HTTP/1.1 200 OK\r\nX-Slow: "));
    expect(reasonOf(await probe(slowHead.port, { timeoutMs: 100 }))).toBe("timeout");
    const slowBody = await serveTcp(dripping("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"));
    expect(reasonOf(await probe(slowBody.port, { timeoutMs: 100, body: "never" }))).toBe("timeout");
  });

  it("reads 64 KiB of a gigabyte at most, and closes", async () => {
    const chunk = Buffer.alloc(256 * 1024, "x");
    let sent = 0;
    const { port, open } = await serveTcp((socket) => {
      const send = (): void => {
        while (sent < 2 ** 30 && !socket.destroyed) {
          sent += chunk.length;
          if (!socket.write(chunk)) return;
        }
      };
      socket.on("drain", send);
      socket.once("data", () => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${2 ** 30}\r\n\r\n`);
        send();
      });
    });
    expect(reasonOf(await probe(port, { timeoutMs: 5000, body: "needle" }))).toBe("body");
    await expect.poll(() => open.size).toBe(0);
    // What the kernel's buffers swallow is not up to the probe.
    expect(sent).toBeLessThan(64 * 1024 * 1024);
  });

  it("finds a text that stands across two packets, and waits for no more", async () => {
    const { port } = await serveTcp((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n#EXT");
        setTimeout(() => socket.write("M3U\n"), 20);
      });
    });
    expect(await probe(port, { body: "#EXTM3U" })).toMatchObject({ ok: true });
  });

  it("does not look beyond the first 64 KiB", async () => {
    const at = (octets: number) => `${"x".repeat(octets)}needle`;
    const reply = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const within = await serveTcp(answering(reply(at(64 * 1024 - 6))));
    expect(reasonOf(await probe(within.port, { body: "needle" }))).toBe("ok");
    const beyond = await serveTcp(answering(reply(at(64 * 1024 - 5))));
    expect(reasonOf(await probe(beyond.port, { body: "needle" }))).toBe("body");
  });

  it("needs no body when none is asked for, whatever length is promised", async () => {
    const { port } = await serveTcp(answering("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"));
    expect(await probe(port)).toMatchObject({ ok: true });
  });

  it("fails when the body is shorter than its length", async () => {
    const { port } = await serveTcp((socket) => {
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort"));
    });
    // Which of the two depends on whether end and octets arrive together.
    expect(reasonOf(await probe(port, { body: "needle" }))).toMatch(/^(reset|protocol)$/);
  });

  it.each([
    ["reset before the reply", (socket: Socket) => socket.resetAndDestroy(), "reset"],
    ["closed before the reply", (socket: Socket) => socket.end(), "reset"],
    ["another protocol", answering("220 mail.example.net ESMTP\r\n"), "protocol"],
    [
      "contradicting lengths",
      answering("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
      "protocol",
    ],
    ["endless headers", answering(`HTTP/1.1 200 OK\r\nX: ${"x".repeat(20_000)}\r\n\r\n`), "protocol"],
    ["a server error", answering("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"), "status"],
  ])("tells %s", async (_, behave, reason) => {
    const { port } = await serveTcp(behave);
    expect(reasonOf(await probe(port))).toBe(reason);
  });

  it("tells a port where nobody listens", async () => {
    expect(await probe(await closedPort())).toMatchObject({
      ok: false,
      reason: "refused",
      detail: "ECONNREFUSED",
    });
  });

  it("gives up when told to", async () => {
    const { port, open } = await serveTcp(silent);
    const givenUp = new AbortController();
    const running = probeHttp(LOOPBACK, httpProbe(`http://127.0.0.1:${port}/`), {
      clock: systemClock,
      signal: givenUp.signal,
    });
    givenUp.abort();
    expect(reasonOf(await running)).toBe("cancelled");
    await expect.poll(() => open.size).toBe(0);
  });
});

describe("a probe over HTTPS", () => {
  const url = (port: number) => `https://edge.test:${port}/`;
  const good = { cert: certificate, key: privateKey };

  it("connects to the edge's address, with the url's host as SNI and as the certificate's name", async () => {
    let sni: string | false = false;
    const { port } = await serveTls(good, (socket) => {
      sni = (socket as unknown as { servername: string }).servername;
      answering(HTTP_OK)(socket);
    });
    const result = await probe(port, {}, url(port));
    expect(result).toMatchObject({
      ok: true,
      steps: [{ name: "connect" }, { name: "tls" }, { name: "reply" }],
    });
    expect(sni).toBe("edge.test");
  });

  it("tells a wrong name, an unknown issuer and an expired certificate", async () => {
    const server = await serveTls(good, answering(HTTP_OK));
    expect(await probe(server.port, { host: "other.test" }, url(server.port))).toMatchObject({
      reason: "certificate",
      detail: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
    expect(await probe(server.port, { host: "127.0.0.1" }, url(server.port))).toMatchObject({
      reason: "certificate",
    });
    const unknownIssuer = await probeHttp(LOOPBACK, httpProbe(url(server.port)), { clock: systemClock });
    expect(unknownIssuer).toMatchObject({ reason: "certificate", detail: "UNABLE_TO_VERIFY_LEAF_SIGNATURE" });
    const expired = await serveTls({ ...good, cert: expiredCertificate }, answering(HTTP_OK));
    expect(await probe(expired.port, {}, url(expired.port))).toMatchObject({ detail: "CERT_HAS_EXPIRED" });
  });

  it("accepts any certificate when told not to verify", async () => {
    const { port } = await serveTls({ ...good, cert: expiredCertificate }, answering(HTTP_OK));
    const result = await probe(port, { host: "other.test", tls: { verify: false } }, url(port));
    expect(result).toMatchObject({ ok: true });
  });

  it("tells a server that speaks no TLS, and one that hangs in the handshake", async () => {
    const plain = await serveTcp(answering("HTTP/1.1 400 Bad Request\r\n\r\n"));
    expect(reasonOf(await probe(plain.port, {}, url(plain.port)))).toBe("tls");
    const hanging = await serveTcp(silent);
    const result = await probe(hanging.port, { timeoutMs: 100 }, url(hanging.port));
    expect(reasonOf(result)).toBe("timeout");
    expect(result.steps.at(-1)?.name).toBe("tls");
  });
});

describe("the headers that a probe over HTTP expects", () => {
  const replying = (headers: string) => answering(`HTTP/1.1 200 OK\r\n${headers}Content-Length: 0\r\n\r\n`);

  it("must be there, and as expected in any case, one of several", async () => {
    const { port } = await serveTcp(
      replying(
        "Content-Type: Application/VND.Apple.MpegURL; charset=utf-8\r\nX-Cache: MISS\r\nX-Cache: HIT\r\n",
      ),
    );
    const headers = { "content-type": "application/vnd.apple.mpegurl*", "x-cache": "hit" };
    expect(await probe(port, { headers })).toMatchObject({ ok: true });
    expect(await probe(port, { headers: { "content-type": "application/*json*" } })).toMatchObject({
      ok: false,
      reason: "header",
      detail: "content-type",
    });
    expect(await probe(port, { headers: { via: "*" } })).toMatchObject({ reason: "header", detail: "via" });
  });

  it.each([
    ["", "", true],
    ["abc", "abc", true],
    ["abc", "ab", false],
    ["abc", "a*c", true],
    ["abc", "*", true],
    ["", "*", true],
    ["abc", "*b*", true],
    ["abc", "a*b", false],
    ["ab", "ab*b", false],
    ["aXbXc", "a*x*c", true],
    ["aab", "a*a*ab", false],
    ["*", "*", true],
  ])("%o is of the pattern %o: %o", (text, pattern, expected) => {
    expect(matches(text, pattern)).toBe(expected);
  });
});
