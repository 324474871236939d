import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { readCertificate } from "../../src/base/certificate.ts";
import { openCertificates } from "../../src/http/certificates.ts";
import type { CertificateFiles } from "../../src/model/inventory.ts";
import { certificateFolder } from "./certificate-files.ts";
import { counted, openDoor, repliesIn, type TestDoor } from "./fixture.ts";

const certificates = certificateFolder();
let live: CertificateFiles;
let wild: CertificateFiles;
let test: TestDoor;
let port: number;
let inUse: ReturnType<typeof openCertificates>;
const logged: object[] = [];
const LOG = { info: () => {}, warn: () => {}, error: (fields: object) => void logged.push(fields) };

beforeAll(async () => {
  live = certificates.make("live", "live.example.net");
  wild = certificates.make("wild", "*.wild.example.net", "wild.example.net");
  inUse = openCertificates([live, wild], LOG, Date.now);
  const endpoints = [{ host: "127.0.0.1", port: 0 }];
  test = await openDoor({ https: { endpoints, certificates: inUse } });
  port = test.door.httpsEndpoints[0]?.port ?? 0;
});
afterAll(async () => {
  await test.door.stop();
  certificates.remove();
});

async function shake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, ...options });
  onTestFinished(() => void socket.destroy());
  await once(socket, "secureConnect");
  return socket;
}

async function request(socket: TLSSocket, text: string): Promise<ReturnType<typeof repliesIn>> {
  let received = "";
  socket.setEncoding("latin1").on("data", (more: string) => (received += more));
  socket.write(text);
  await once(socket, "close");
  return repliesIn(received);
}

const nameOf = (socket: TLSSocket): string | undefined => socket.getPeerCertificate().subject["CN"] as string;

describe("the certificate", () => {
  it.each([
    ["live.example.net", "live"],
    ["LIVE.example.net", "live"],
    ["wild.example.net", "wild"],
    ["a.wild.example.net", "wild"],
    ["a.b.wild.example.net", "live"],
    ["unknown.example", "live"],
    [undefined, "live"],
  ])("for %s is that of %s", async (servername, expected) => {
    expect(nameOf(await shake(servername === undefined ? {} : { servername }))).toBe(expected);
  });

  it("changes with its files, and no connection is dropped", async () => {
    const pair = certificates.make("first", "live.example.net");
    const own = openCertificates([pair], LOG, Date.now);
    const other = await openDoor({
      https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: own },
    });
    onTestFinished(() => other.door.stop());
    const at = { port: other.door.httpsEndpoints[0]?.port ?? 0 };
    const before = await shake(at);
    const second = certificates.make("second", "live.example.net");
    copyFileSync(second.certificate, pair.certificate);
    own.read([pair]); // half of it is there
    other.door.renewCertificates();
    expect(logged.at(-1)).toEqual({ file: pair.key, reason: "is not the key of the certificate" });
    expect(nameOf(await shake(at))).toBe("first");
    expect(own.metrics().map(({ samples }) => (samples[0] as { value: number }).value)[1]).toBe(0);
    copyFileSync(second.key, pair.key);
    own.read([pair]);
    other.door.renewCertificates();
    expect(nameOf(await shake({ ...at, servername: "live.example.net" }))).toBe("second");
    expect(nameOf(await shake(at))).toBe("second");
    const replies = await request(
      before,
      "GET /a HTTP/1.1\r\nHost: live.example.net\r\nConnection: close\r\n\r\n",
    );
    expect(replies).toMatchObject([{ status: 302 }]);
  });

  it("is refused at the start with its file and why", () => {
    expect(() => openCertificates([{ ...live, key: wild.key }], LOG, Date.now)).toThrow(
      `${wild.key} is not the key of the certificate`,
    );
  });

  it.each([
    ["a file that is not there", () => ({ ...live, certificate: "/none" }), 0, "cannot be read (ENOENT)"],
    ["what is no certificate", () => ({ ...live, certificate: live.key }), 0, "is not a certificate in PEM"],
    ["what is no key", () => ({ ...live, key: live.certificate }), 0, "is not a private key in PEM"],
    ["the key of another", () => ({ ...live, key: wild.key }), 0, "is not the key of the certificate"],
    ["one that has expired", () => live, 2, "has expired on "],
    ["one that is not valid yet", () => live, -2, "is not valid before "],
  ])("cannot be %s", (_what, files, days, reason) => {
    const read = readCertificate(files(), Date.now() + days * 86_400_000);
    expect(read).toMatchObject({ kind: "unusable" });
    expect((read as { reason: string }).reason).toContain(reason);
  });

  it.each([
    ["is what is no file", () => ({ ...live, certificate: "/dev/null" }), "certificate", "is not a file"],
    ["is a named pipe", () => ({ ...live, certificate: unreadPipe() }), "certificate", "is not a file"],
    ["has a named pipe for its key", () => ({ ...live, key: unreadPipe() }), "key", "is not a file"],
    [
      "is too large",
      () => ({ ...live, certificate: largeFile() }),
      "certificate",
      "is larger than 1048576 octets",
    ],
  ])("that %s holds nobody up", (_what, files, of, reason) => {
    expect(readCertificate(files(), Date.now())).toEqual({ kind: "unusable", of, reason });
  });
});

/** Whoever waits for a writer meets one that says nothing. */
function unreadPipe(): string {
  const pipe = join(certificates.folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const writer = spawn("sh", ["-c", ': > "$1"', "sh", pipe]);
  onTestFinished(() => {
    writer.kill();
    rmSync(pipe);
  });
  return pipe;
}

/** The right one, with more behind it. */
function largeFile(): string {
  const file = join(certificates.folder, "large.crt");
  writeFileSync(file, Buffer.concat([readFileSync(live.certificate), Buffer.alloc(2 ** 20, "\n")]));
  return file;
}

describe("the handshake", () => {
  it("takes TLS 1.2 and 1.3, and nothing older", async () => {
    expect((await shake({ maxVersion: "TLSv1.2" })).getProtocol()).toBe("TLSv1.2");
    expect((await shake()).getProtocol()).toBe("TLSv1.3");
    const old = shake({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
    await expect(old).rejects.toThrow(/protocol version/);
  });

  it.each(["TLSv1.2", "TLSv1.3"] as const)("is not repeated by who has a ticket, %s", async (maxVersion) => {
    const first = await shake({ maxVersion, servername: "a.wild.example.net" });
    const session = first.getSession();
    const ticket = maxVersion === "TLSv1.2" ? session : ((await once(first, "session"))[0] as Buffer);
    const again = await shake({ maxVersion, servername: "a.wild.example.net", session: ticket });
    expect(again.isSessionReused()).toBe(true);
  });

  it("that is none is counted, and ends", async () => {
    const other = await openDoor({
      https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse },
    });
    onTestFinished(() => other.door.stop());
    const socket = connectPlain(other.door.httpsEndpoints[0]?.port ?? 0, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET / HTTP/1.1\r\nHost: live.example.net\r\n\r\n");
    await once(socket.resume(), "close");
    await expect.poll(() => counted(other.door, "http_rejected_total", { reason: "tls" })).toBe(1);
  });

  it.each([
    ["does not begin", ""],
    ["stops in the middle", "\x16\x03\x01\x02\x00\x01"],
  ])("that %s ends in time, and is counted", async (_what, octets) => {
    const other = await openDoor({
      https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse },
      limits: { headersTimeoutMs: 200 },
    });
    onTestFinished(() => other.door.stop());
    const socket = connectPlain(other.door.httpsEndpoints[0]?.port ?? 0, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.write(octets, "latin1");
    await once(socket.resume(), "close");
    expect(counted(other.door, "http_rejected_total", { reason: "tls" })).toBe(1);
  });
});

describe("HTTP/1.1 over TLS", () => {
  it("is answered as without", async () => {
    const socket = await shake({ ALPNProtocols: ["http/1.1"] });
    const replies = await request(
      socket,
      "GET /a?b HTTP/1.1\r\nHost: live.example.net\r\n\r\nGET /c HTTP/1.1\r\nHost: live.example.net\r\nConnection: close\r\n\r\n",
    );
    expect(replies.map(({ headers }) => headers["location"])).toEqual([
      "http://127.0.0.11:8081/a?b",
      "http://127.0.0.11:8081/c",
    ]);
    expect(test.lastViewer()).toBe("127.0.0.1/32 source");
  });

  it("is refused as without", async () => {
    const replies = await request(
      await shake(),
      "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n",
    );
    expect(replies).toMatchObject([{ status: 400 }]);
  });
});

describe("HTTP/2", () => {
  async function ask(
    fields: object,
    body?: string,
  ): Promise<{ headers: Record<string, unknown>; body: string }> {
    const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false });
    onTestFinished(() => session.destroy());
    const stream = session.request(
      { ":authority": "live.example.net", ":path": "/a?b", ...fields },
      { endStream: body === undefined },
    );
    if (body !== undefined) stream.write(body); // and no end
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    let text = "";
    for await (const chunk of stream.setEncoding("utf8")) text += String(chunk);
    return { headers, body: text };
  }

  it("gets the same redirect", async () => {
    const { headers, body } = await ask({});
    expect(headers).toMatchObject({
      ":status": 302,
      location: "http://127.0.0.11:8081/a?b",
      "cache-control": "no-store",
      "access-control-allow-origin": "*",
    });
    expect(headers).not.toHaveProperty("connection");
    expect(body).toBe("302 Found\n");
  });

  it("HEAD has no body, a body is not waited for, an unknown name is misdirected", async () => {
    expect(await ask({ ":method": "HEAD" })).toMatchObject({ headers: { ":status": 302 }, body: "" });
    expect(await ask({ ":method": "POST" }, "hello")).toMatchObject({ headers: { ":status": 307 } });
    expect(await ask({ ":authority": "x.example" })).toMatchObject({ headers: { ":status": 421 } });
  });

  it("has as much room for a header as HTTP/1.1", async () => {
    expect(await ask({ cookie: "c".repeat(12_000) })).toMatchObject({ headers: { ":status": 302 } });
    expect(await ask({ cookie: "c".repeat(17_000) })).toMatchObject({ headers: { ":status": 431 } });
  });

  it("cannot say two hosts", async () => {
    expect(await ask({ host: "evil.example" })).toMatchObject({ headers: { ":status": 400 } });
  });
});

describe("stop", () => {
  it("ends idle connections of either kind, and one without a handshake after the grace", async () => {
    const other = await openDoor({
      https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse },
      limits: { stopGraceMs: 200 },
    });
    const at = { port: other.door.httpsEndpoints[0]?.port ?? 0 };
    const session = connectHttp2(`https://127.0.0.1:${at.port}`, { rejectUnauthorized: false });
    await once(session, "connect");
    const idle = await shake(at);
    const mute = connectPlain(at.port, "127.0.0.1");
    await once(mute, "connect");
    const all = [once(session, "close"), once(idle.resume(), "close"), once(mute.resume(), "close")];
    await other.door.stop();
    await Promise.all(all);
  });
});

it("a file of certificates that is torn is not taken", () => {
  const pair = certificates.make("torn", "live.example.net");
  writeFileSync(pair.certificate, "-----BEGIN CERTIFICATE-----\nMIIB");
  expect(readCertificate(pair, Date.now())).toMatchObject({ kind: "unusable", of: "certificate" });
});

it("a certificate in use tells when it ends, and that its files are others or none by now", () => {
  const pair = certificates.make("kept", "live.example.net");
  const opened = openCertificates([pair], LOG, Date.now);
  const expiresMs = expect.toSatisfy((ms: number) => ms > Date.now()) as number;
  expect(opened.states()).toEqual([{ file: pair.certificate, expiresMs, isLatest: true }]);
  writeFileSync(pair.certificate, "-----BEGIN CERTIFICATE-----\nMIIB");
  opened.read([pair]);
  expect(opened.states()).toEqual([{ file: pair.certificate, expiresMs, isLatest: false }]);
});
