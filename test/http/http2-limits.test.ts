import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect as connectHttp2 } from "node:http2";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { openCertificates } from "../../src/http/certificates.ts";
import type { HttpLimits } from "../../src/http/limits.ts";
import { certificateFolder } from "./certificate-files.ts";
import { openDoor } from "./fixture.ts";

const certificates = certificateFolder();
const inUse = openCertificates(
  [certificates.make("live", "live.example.net")],
  { info() {}, warn() {}, error() {} },
  Date.now,
);
afterAll(certificates.remove);

/** Limits that nobody comes upon but those of the test. */
const FAR: Partial<HttpLimits> = {
  headersTimeoutMs: 600_000,
  requestTimeoutMs: 600_000,
  keepAliveTimeoutMs: 600_000,
  silenceTimeoutMs: 600_000,
};

async function openWith(limits: Partial<HttpLimits>): Promise<number> {
  const { door } = await openDoor({
    https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse },
    limits: { ...FAR, lingerMs: 50, stopGraceMs: 50, ...limits },
  });
  onTestFinished(() => door.stop());
  return door.httpsEndpoints[0]?.port ?? 0;
}

async function shake(port: number): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], rejectUnauthorized: false });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket.resume();
}

/** @param window octets of each answer that it takes */
async function clientOf(port: number, window: number): Promise<ClientHttp2Session> {
  const session = connectHttp2(`https://127.0.0.1:${port}`, {
    rejectUnauthorized: false,
    settings: { initialWindowSize: window },
  });
  onTestFinished(() => session.destroy());
  await once(session, "localSettings");
  return session;
}

async function ask(session: ClientHttp2Session): Promise<ClientHttp2Stream> {
  const stream = session.request({ ":authority": "live.example.net", ":path": "/a" });
  stream.on("error", () => {});
  await once(stream, "response");
  return stream.resume();
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0", "latin1");
/** Without END_HEADERS (RFC 9113 6.2): `:method: GET`, and others are to follow. */
const HALF_HEADERS = Buffer.from("\0\0\x01\x01\x01\0\0\0\x01\x82", "latin1");

describe("a connection over HTTP/2 ends in time", () => {
  it.each([
    ["says nothing", Buffer.alloc(0)],
    ["breaks off in its preface", PREFACE.subarray(0, 12)],
    ["asks nothing", PREFACE],
    ["breaks off in its first header", Buffer.concat([PREFACE, HALF_HEADERS])],
  ])("that %s", async (_what, octets) => {
    const socket = await shake(await openWith({ headersTimeoutMs: 200 }));
    socket.write(octets);
    await once(socket, "close");
  });

  it("that asks nothing more", async () => {
    const session = await clientOf(await openWith({ keepAliveTimeoutMs: 200 }), 65_535);
    const closed = once(session, "close");
    await once(await ask(session), "close");
    await closed;
  });
});

describe("an answer over HTTP/2 that is not taken", () => {
  it("is given up, and others on the connection are answered", async () => {
    const session = await clientOf(await openWith({ silenceTimeoutMs: 200 }), 0);
    const streams = await Promise.all(Array.from({ length: 90 }, () => ask(session)));
    await expect.poll(() => streams.every(({ closed }) => closed), { timeout: 30_000 }).toBe(true);
    expect(streams.map(({ rstCode }) => rstCode)).toEqual(streams.map(() => 8));
    expect((await ask(session)).sentHeaders[":path"]).toBe("/a");
  });

  it("holds up no connection longer than one that asks nothing", async () => {
    const limits = { silenceTimeoutMs: 200, keepAliveTimeoutMs: 200 };
    const session = await clientOf(await openWith(limits), 0);
    const closed = once(session, "close");
    await ask(session);
    await closed;
  });
});

/** `HEADERS` with END_STREAM and END_HEADERS: GET https://live.example.net/ */
function request(stream: number): Buffer {
  const name = "live.example.net";
  const fields = Buffer.concat([Buffer.of(0x82, 0x87, 0x84, 0x41, name.length), Buffer.from(name)]);
  const head = Buffer.of(0, 0, fields.length, 1, 5, 0, 0, 0, 0);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, fields]);
}

function reset(stream: number, code: number): Buffer {
  const frame = Buffer.of(0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 0, code);
  frame.writeUInt32BE(stream, 5);
  return frame;
}

describe("a connection over HTTP/2 whose requests are reset", () => {
  it.each([
    ["CANCEL", 8],
    ["NO_ERROR", 0],
  ])("by %s ends after 200 of them", async (_name, code) => {
    let decisions = 0;
    const decide = (): undefined => void decisions++;
    const { door } = await openDoor({
      https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse },
      limits: FAR,
      decide,
    });
    onTestFinished(() => door.stop());
    const socket = await shake(door.httpsEndpoints[0]?.port ?? 0);
    socket.on("error", () => {}); // reset, for what it has not read
    const pairs = Array.from({ length: 900 }, (_, i) => [request(2 * i + 1), reset(2 * i + 1, code)]);
    socket.write(Buffer.concat([PREFACE, ...pairs.flat()]));
    await once(socket, "close");
    expect(decisions).toBe(201);
  });

  it("ends in time after a few, too", async () => {
    const limits = { silenceTimeoutMs: 200, keepAliveTimeoutMs: 200 };
    const socket = await shake(await openWith(limits));
    socket.write(Buffer.concat([PREFACE, request(1), reset(1, 0)]));
    await once(socket, "close");
  });

  it.each(["GET", "HEAD", "OPTIONS", "POST"])("lasts where answers to %s are taken", async (method) => {
    const session = await clientOf(await openWith({}), 65_535);
    for (let i = 0; i < 400; i++) {
      const stream = session.request({ ":method": method, ":authority": "live.example.net", ":path": "/a" });
      const closed = once(stream, "close");
      if (method === "POST" || method === "OPTIONS") stream.end("body");
      if (i % 2 === 0) stream.close(8);
      else stream.resume();
      await closed;
    }
    expect(session.destroyed).toBe(false);
  });
});
