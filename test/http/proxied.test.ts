import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openCertificates } from "../../src/http/certificates.ts";
import { version2, FAMILY } from "../base/proxy-headers.ts";
import { lacks, removeFolder, startProgram, takeServerFolder } from "../servers/programs.ts";
import { certificateFolder } from "./certificate-files.ts";
import { counted, LIVE, openDoor, openDoorsInLoops, repliesIn, type TestDoor, trusted } from "./fixture.ts";
import { LIBC } from "./loop-door.ts";

/** The only balancer. */
const BALANCER = "127.0.0.2";
const REQUEST = "GET /a HTTP/1.1\r\nHost: live.example.net\r\nConnection: close\r\n\r\n";
const LINE = "PROXY TCP4 81.2.69.142 198.51.100.1 56324 443\r\n";
const IPV4 = [81, 2, 69, 142, 198, 51, 100, 1, 0xdc, 4, 1, 0xbb];
const BINARY = version2(0x21, FAMILY.tcp4, IPV4);
const LOCAL = version2(0x20, 0);
const LIMITS = { proxyHeaderTimeoutMs: 200, checkIntervalMs: 50 };

const certificates = certificateFolder();
afterAll(certificates.remove);

/** Writes the pieces one after another and reads until the server closes. */
async function send(port: number, localAddress: string, ...pieces: (string | Buffer)[]): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  let received = "";
  socket.setEncoding("latin1").on("data", (text: string) => (received += text));
  socket.on("error", () => {});
  const closed = once(socket, "close");
  for (const piece of pieces) {
    socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    await sleep(10);
  }
  await closed;
  return received;
}

function door(inLoop: boolean) {
  let test: TestDoor;
  const status = async (...pieces: (string | Buffer)[]): Promise<number | undefined> =>
    repliesIn(await send(test.port, BALANCER, ...pieces))[0]?.status;
  const refusals = (): number => counted(test.door, "http_rejected_total", { reason: "proxy-header" });

  beforeAll(async () => {
    if (inLoop) openDoorsInLoops();
    const proxyProtocol = { from: trusted(`${BALANCER}/32`) };
    test = await openDoor({ proxyProtocol, trustedProxies: trusted("198.51.100.0/24"), limits: LIMITS });
  });
  afterAll(async () => {
    await test.door.stop();
  });

  it.each([
    ["version 1", [LINE + REQUEST], "81.2.69.142/32 source"],
    ["version 1 in pieces", ["PRO", LINE.slice(3, 20), LINE.slice(20), REQUEST], "81.2.69.142/32 source"],
    ["version 2", [Buffer.concat([BINARY, Buffer.from(REQUEST)])], "81.2.69.142/32 source"],
    [
      "version 2 in pieces",
      [
        BINARY.subarray(0, 5),
        BINARY.subarray(5, 17),
        BINARY.subarray(17),
        REQUEST.slice(0, 9),
        REQUEST.slice(9),
      ],
      "81.2.69.142/32 source",
    ],
    ["LOCAL", [LOCAL, REQUEST], `${BALANCER}/32 source`],
    ["UNKNOWN", ["PROXY UNKNOWN\r\n", REQUEST], `${BALANCER}/32 source`],
    ["UNSPEC", [version2(0x21, 0, [1, 2]), REQUEST], `${BALANCER}/32 source`],
  ])("takes the viewer from %s", async (_what, pieces, viewer) => {
    expect(await status(...pieces)).toBe(302);
    expect(test.lastViewer()).toBe(viewer);
  });

  it("holds for every request of the connection, also for those that the main thread answers", async () => {
    const steering = REQUEST.replace("/a", "/.edgeward/steering");
    const kept = REQUEST.replace("Connection: close\r\n", "");
    const replies = repliesIn(
      await send(test.port, BALANCER, LINE + kept + kept + kept.replace("GET", "PUT") + REQUEST),
    );
    expect(replies.map(({ status }) => status)).toEqual([302, 302, 307, 302]);
    expect(test.questions.slice(-4).map(({ client }) => client.address.bytes.join("."))).toEqual(
      Array(4).fill("81.2.69.142"),
    );
    expect(await status(LINE + steering)).toBe(410);
  });

  it("lets a proxy behind the balancer say more", async () => {
    const told = version2(0x21, FAMILY.tcp4, [198, 51, 100, 9, ...IPV4.slice(4)]);
    expect(await status(told, REQUEST.replace("\r\n\r\n", "\r\nX-Forwarded-For: 192.0.2.77\r\n\r\n"))).toBe(
      302,
    );
    expect(test.lastViewer()).toBe("192.0.2.77/32 forwarded");
    expect(await status(BINARY, REQUEST.replace("\r\n\r\n", "\r\nX-Forwarded-For: 192.0.2.78\r\n\r\n"))).toBe(
      302,
    );
    expect(test.lastViewer()).toBe("81.2.69.142/32 source");
  });

  it.each([
    ["none", [REQUEST]],
    ["none, but TLS", ["\x16\x03\x01\x02\x00\x01"]],
    ["a malformed one", ["PROXY TCP4 81.2.69.142\r\n", REQUEST]],
    ["an overlong one", [version2(0x21, FAMILY.tcp4, Array<number>(600).fill(0)), REQUEST]],
    ["an overlong line", [`PROXY UNKNOWN ${"x".repeat(200)}\r\n`, REQUEST]],
    ["half of one", [BINARY.subarray(0, 20)]],
    ["half a line", ["PROXY TCP4 81.2"]],
    ["nothing", []],
  ])("closes a balancer's connection with %s, without a word", async (_what, pieces) => {
    const before = refusals();
    expect(await send(test.port, BALANCER, ...pieces)).toBe("");
    expect(refusals()).toBe(before + 1);
    const told = test.logged.find(({ message }) =>
      message.startsWith("closed a connection from proxyProtocol"),
    );
    expect(told?.fields).toMatchObject({ peer: BALANCER });
  });

  it("answers two headers with 400, and says that the second is too many", async () => {
    const own = await openDoor({ proxyProtocol: { from: trusted(`${BALANCER}/32`) }, limits: LIMITS });
    onTestFinished(() => own.door.stop());
    expect(repliesIn(await send(own.port, BALANCER, LINE + LINE + REQUEST))[0]?.status).toBe(400);
    expect(own.logged).toMatchObject([{ fields: { peer: BALANCER, reason: "a second one follows it" } }]);
  });

  it("lets a balancer look whether anyone is there", async () => {
    const before = refusals();
    const socket = connect({ port: test.port, host: "127.0.0.1", localAddress: BALANCER });
    await once(socket, "connect");
    socket.end();
    await once(socket, "close");
    expect(refusals()).toBe(before);
  });

  it.each([
    ["version 1", LINE],
    ["version 2", BINARY],
    ["LOCAL", LOCAL],
  ])("answers a header of %s from anyone else with 400, and asks nobody", async (_what, header) => {
    const before = [refusals(), test.questions.length];
    const [reply, ...rest] = repliesIn(
      await send(test.port, "127.0.0.3", Buffer.concat([Buffer.from(header), Buffer.from(REQUEST)])),
    );
    expect([reply?.status, rest.length]).toEqual([400, 0]);
    expect([refusals(), test.questions.length]).toEqual([(before[0] ?? 0) + 1, before[1]]);
  });

  it("serves everyone else as ever", async () => {
    expect(repliesIn(await send(test.port, "127.0.0.3", REQUEST))[0]?.status).toBe(302);
    expect(test.lastViewer()).toBe("127.0.0.3/32 source");
  });

  it("follows the configuration", async () => {
    const own = await openDoor({ limits: LIMITS });
    onTestFinished(() => own.door.stop());
    const reply = async (): Promise<string> => (await send(own.port, BALANCER, LINE + REQUEST)).slice(9, 12);
    expect(await reply()).toBe("400");
    own.door.take({ trustedProxies: [], services: [LIVE], proxyProtocol: { from: trusted("127.0.0.0/8") } });
    expect(await reply()).toBe("302");
  });

  behindHaproxy();

  it("stops though a header is waited for", async () => {
    const own = await openDoor({
      proxyProtocol: { from: trusted("127.0.0.0/8") },
      limits: { proxyHeaderTimeoutMs: 60_000 },
    });
    const socket: Socket = connect(own.port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write("PROXY ");
    await sleep(50);
    await Promise.all([once(socket, "close"), own.door.stop()]);
  });
}

describe("PROXY headers at the door alone", () => {
  door(false);
});

describe("PROXY headers in front of TLS", () => {
  let test: TestDoor;
  let port: number;
  beforeAll(async () => {
    const files = certificates.make("live", "live.example.net");
    const inUse = openCertificates([files], { info() {}, warn() {}, error() {} }, Date.now);
    const https = { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse };
    test = await openDoor({ https, proxyProtocol: { from: trusted(`${BALANCER}/32`) }, limits: LIMITS });
    port = test.door.httpsEndpoints[0]?.port ?? 0;
  });
  afterAll(async () => {
    await test.door.stop();
  });

  const through = (header: Buffer | string, ALPNProtocols: string[]) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: BALANCER });
    socket.write(header);
    return connectTls({ socket, rejectUnauthorized: false, ALPNProtocols });
  };

  it.each([
    ["version 1", LINE],
    ["version 2", BINARY],
  ])("tell the viewer by %s over HTTP/1.1", async (_what, header) => {
    const socket = through(header, ["http/1.1"]);
    let received = "";
    socket.setEncoding("latin1").on("data", (text: string) => (received += text));
    socket.write(REQUEST);
    await once(socket, "close");
    expect(repliesIn(received)[0]?.status).toBe(302);
    expect(test.lastViewer()).toBe("81.2.69.142/32 source");
  });

  it("tell the viewer over HTTP/2", async () => {
    const socket = through(BINARY, ["h2"]);
    await once(socket, "secureConnect");
    const session = connectHttp2("https://live.example.net", { createConnection: () => socket });
    const stream = session.request({ ":path": "/a" });
    const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
    session.destroy();
    expect(headers[":status"]).toBe(302);
    expect(test.lastViewer()).toBe("81.2.69.142/32 source");
  });

  it("are demanded of balancers, and taken from no one else", async () => {
    const before = counted(test.door, "http_rejected_total", { reason: "proxy-header" });
    const handshake = "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03";
    expect(await send(port, BALANCER, handshake)).toBe("");
    expect(counted(test.door, "http_rejected_total", { reason: "proxy-header" })).toBe(before + 1);
    await send(port, "127.0.0.3", BINARY, handshake);
    expect(counted(test.door, "http_rejected_total", { reason: "tls" })).toBe(1);
  });
});

function behindHaproxy(): void {
  it
    .skipIf(lacks("haproxy"))
    .each([
      "send-proxy",
      "send-proxy-v2",
      "send-proxy-v2-ssl",
      "send-proxy-v2 proxy-v2-options crc32c,unique-id",
    ])("takes what a real HAProxy sends by %s", async (how) => {
    const test = await openDoor({
      proxyProtocol: { from: trusted("127.0.0.1/32") },
      services: [LIVE],
      steer: ({ address }) => address,
    });
    onTestFinished(() => test.door.stop());
    const folder = takeServerFolder();
    onTestFinished(() => removeFolder(folder));
    const pair = certificates.make("haproxy", "live.example.net");
    const pem = `${folder}/live.pem`;
    writeFileSync(pem, readFileSync(pair.certificate, "utf8") + readFileSync(pair.key, "utf8"));
    const bind = how.includes("ssl") ? `ssl crt ${pem}` : "";
    const port = await freePort();
    const config = `
defaults
  mode tcp
  timeout connect 2s
  timeout client 5s
  timeout server 5s
listen in
  bind 127.0.0.1:${port} ${bind}
  unique-id-format %[src]-%rt
  server us 127.0.0.1:${test.port} ${how}
`;
    const program = startProgram({
      command: "haproxy",
      folder,
      files: { "haproxy.cfg": config },
      args: ["-db", "-f", "haproxy.cfg"],
    });
    onTestFinished(() => program.stop());
    const asked = async (): Promise<string> => {
      const plain = connect({ port, host: "127.0.0.1", localAddress: "127.0.0.9" });
      const socket = bind === "" ? plain : connectTls({ socket: plain, rejectUnauthorized: false });
      plain.on("error", () => {});
      let received = "";
      socket.setEncoding("latin1").on("data", (text: string) => (received += text));
      socket.on("error", () => {});
      socket.write(REQUEST.replace("/a", "/.edgeward/steering"));
      await once(socket, "close");
      return received;
    };
    await expect.poll(asked, { timeout: 5000 }).toContain("HTTP/1.1 200");
    expect(await asked()).toContain(bind === "" ? "http://live.example.net" : "https://live.example.net");
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

describe.skipIf(LIBC.kind === "unavailable")("PROXY headers at the door with a loop in front", () => {
  door(true);
});
