import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { describe, expect, it } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import type { RtmpProbe } from "../../src/model/edge.ts";
import type { ProbeResult } from "../../src/probe/result.ts";
import { probeRtmp } from "../../src/probe/rtmp.ts";
import { authority, certificate, privateKey } from "./certificates.ts";
import { address, rtmpProbe } from "./inventory.ts";
import { answering, serveTcp, serveTls, silent } from "./servers.ts";

const C0_C1_OCTETS = 1537;
const C2_OCTETS = 1536;

function probe(port: number, other: Partial<RtmpProbe> = {}): Promise<ProbeResult> {
  const context = { clock: systemClock, certificateAuthorities: authority };
  return probeRtmp(address("127.0.0.1"), rtmpProbe(port, other), context);
}

/** What a server says to C0 and C1, and to everything after C2. */
interface Speaking {
  readonly hello?: (c1: Buffer) => Buffer;
  /** Sends in pieces of so many octets. */
  readonly pieces?: number;
  readonly afterC2?: (socket: Socket, octets: Buffer) => void;
  /** What came, whole. */
  readonly heard?: Buffer[];
}

/** S1 and S2 both repeat C1, as nginx-rtmp does. */
const echo = (c1: Buffer): Buffer => Buffer.concat([Buffer.of(3), c1, c1]);

/** Says nothing before it has all of C0 and C1, as most servers do. */
function speaking({ hello = echo, pieces, afterC2, heard = [] }: Speaking = {}): (socket: Socket) => void {
  return (socket) => {
    let octets = Buffer.alloc(0);
    let greeted = false;
    socket.on("data", (chunk) => {
      octets = Buffer.concat([octets, chunk]);
      heard.push(chunk);
      if (!greeted && octets.length >= C0_C1_OCTETS) {
        greeted = true;
        sendIn(socket, hello(octets.subarray(1, C0_C1_OCTETS)), pieces);
      }
      const rest = octets.subarray(C0_C1_OCTETS + C2_OCTETS);
      if (rest.length > 0) afterC2?.(socket, rest);
    });
  };
}

function sendIn(socket: Socket, octets: Buffer, size = octets.length): void {
  socket.setNoDelay(true);
  for (let at = 0; at < octets.length; at += size) {
    const piece = octets.subarray(at, at + size);
    setTimeout(() => socket.write(piece), at / size);
  }
}

describe("a probe over RTMP", () => {
  it("shakes hands: 1,537 octets at once with a zero after the time, and the echo of S1 as C2", async () => {
    const heard: Buffer[] = [];
    const s1 = Buffer.concat([Buffer.of(0, 0, 1, 2, 1, 2, 3, 4), randomBytes(1528)]);
    const hello = (c1: Buffer) => Buffer.concat([Buffer.of(3), s1, c1]);
    const { port } = await serveTcp(speaking({ hello, heard }));
    const result = await probe(port);
    expect(result).toMatchObject({ ok: true, steps: [{ name: "connect" }, { name: "handshake" }] });
    await expect.poll(() => Buffer.concat(heard).length).toBe(C0_C1_OCTETS + C2_OCTETS);
    const octets = Buffer.concat(heard);
    expect(octets[0]).toBe(3);
    expect(octets.readUInt32BE(5)).toBe(0);
    const c2 = octets.subarray(C0_C1_OCTETS);
    expect(c2.subarray(0, 4)).toEqual(s1.subarray(0, 4));
    expect(c2.subarray(8)).toEqual(s1.subarray(8));
  });

  it("takes an answer in small pieces", async () => {
    const { port } = await serveTcp(speaking({ pieces: 100 }));
    expect(await probe(port, { timeoutMs: 5000 })).toMatchObject({ ok: true });
  });

  it("takes a server that answers C0 alone first", async () => {
    const { port } = await serveTcp((socket) => {
      socket.write(Buffer.of(3));
      speaking({ hello: (c1) => echo(c1).subarray(1) })(socket);
    });
    expect(await probe(port)).toMatchObject({ ok: true });
  });

  it.each([
    ["a web server", answering("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"), "protocol"],
    ["another version", speaking({ hello: (c1) => Buffer.concat([Buffer.of(6), c1, c1]) }), "protocol"],
    ["an answer that stops", speaking({ hello: (c1) => echo(c1).subarray(0, 1) }), "timeout"],
    ["a close after half of it", closingAfter(1600), "reset"],
    ["a close before anything", (socket: Socket) => socket.resume().end(), "reset"],
    ["a reset", (socket: Socket) => socket.resetAndDestroy(), "reset"],
    ["silence", silent, "timeout"],
  ])("tells %s", async (_, behave, reason) => {
    const { port, open } = await serveTcp(behave);
    expect(await probe(port, { timeoutMs: 200 })).toMatchObject({ ok: false, reason });
    await expect.poll(() => open.size).toBe(0);
  });

  it("fails in time when the answer comes drop by drop", async () => {
    const { port } = await serveTcp((socket) => {
      socket.write(Buffer.of(3));
      const timer = setInterval(() => socket.write("x"), 10);
      socket.on("close", () => clearInterval(timer));
    });
    expect(await probe(port, { timeoutMs: 150 })).toMatchObject({ ok: false, reason: "timeout" });
  });
});

describe("a connect to an RTMP application", () => {
  /** Window acknowledgement size, peer bandwidth, and a chunk size that holds for what follows. */
  const preamble = Buffer.concat([
    message(2, 5, Buffer.of(0, 0x4c, 0x4b, 0x40)),
    message(2, 6, Buffer.of(0, 0x4c, 0x4b, 0x40, 2)),
    message(2, 1, Buffer.of(0, 0, 0x10, 0)),
  ]);

  it("names the application and its url, and succeeds with _result", async () => {
    let command = "";
    const { port } = await serveTcp(
      speaking({
        afterC2: (socket, octets) => {
          command = octets.toString("latin1");
          socket.write(Buffer.concat([preamble, message(3, 20, amf("_result", 1, 300))]));
        },
      }),
    );
    const result = await probe(port, { application: "live" });
    expect(result).toMatchObject({ ok: true });
    expect(result.steps.map(({ name }) => name)).toEqual(["connect", "handshake", "application"]);
    expect(command).toContain("connect");
    expect(command).toContain("rtmp://edge.test/live");
  });

  it("reads an answer that is cut into chunks of 128 octets, other messages between them", async () => {
    const result = message(3, 20, amf("_result", 1, 300));
    const cut = Buffer.concat([
      result.subarray(0, 12 + 128),
      message(2, 5, Buffer.of(0, 0, 1, 0)),
      Buffer.of(0xc3),
      result.subarray(12 + 128, 12 + 256),
      Buffer.of(0xc3),
      result.subarray(12 + 256),
    ]);
    const { port } = await serveTcp(
      speaking({
        afterC2: (socket) => sendIn(socket, Buffer.concat([message(3, 20, amf("onBWDone", 0, 10)), cut]), 50),
      }),
    );
    expect(await probe(port, { application: "live" })).toMatchObject({ ok: true });
  });

  it.each([
    ["_error", Buffer.concat([preamble, message(3, 20, amf("_error", 1, 20))]), "application"],
    ["a length beyond all measure", message(3, 20, amf("_result", 1, 20), 0xfffffe), "protocol"],
    ["messages without end", Buffer.concat(Array.from({ length: 100 }, () => preamble)), "protocol"],
    [
      "messages that are begun and not ended",
      Buffer.concat(Array.from({ length: 28 }, (_, i) => message(3 + i, 20, Buffer.alloc(128), 60_000))),
      "protocol",
    ],
    ["nonsense", Buffer.alloc(400, 0x15), "protocol"],
  ])("tells %s", async (_, reply, reason) => {
    const { port } = await serveTcp(speaking({ afterC2: (socket) => socket.write(reply) }));
    expect(await probe(port, { application: "live" })).toMatchObject({ ok: false, reason });
  });

  it("tells a server that closes instead of answering", async () => {
    const { port } = await serveTcp(speaking({ afterC2: (socket) => socket.end() }));
    expect(await probe(port, { application: "live" })).toMatchObject({
      ok: false,
      reason: "reset",
      steps: [{}, {}, { name: "application" }],
    });
  });
});

describe("a probe over RTMPS", () => {
  it("connects to the address, with the host as SNI and as the certificate's name", async () => {
    let sni: unknown;
    const { port } = await serveTls({ cert: certificate, key: privateKey }, (socket) => {
      sni = (socket as unknown as { servername: string }).servername;
      speaking()(socket);
    });
    expect(await probe(port, { tls: { verify: true } })).toMatchObject({ ok: true });
    expect(sni).toBe("edge.test");
    const other = await probe(port, { tls: { verify: true }, host: "other.test" });
    expect(other).toMatchObject({ ok: false, reason: "certificate" });
    expect(await probe(port, { tls: { verify: false }, host: "other.test" })).toMatchObject({ ok: true });
  });

  it("tells a port without TLS", async () => {
    const { port } = await serveTcp(speaking());
    expect((await probe(port, { tls: { verify: true } })).ok).toBe(false);
  });
});

function closingAfter(octets: number): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", () => socket.end(Buffer.concat([Buffer.of(3), randomBytes(octets - 1)])));
  };
}

/** One message in one chunk of type 0. */
function message(chunkStream: number, type: number, payload: Buffer, length = payload.length): Buffer {
  const head = Buffer.alloc(12);
  head[0] = chunkStream;
  head.writeUIntBE(length, 4, 3);
  head[7] = type;
  return Buffer.concat([head, payload]);
}

/** A command with its name, its transaction, and so many octets more. */
function amf(name: string, transaction: number, more: number): Buffer {
  const number = Buffer.alloc(9);
  number.writeDoubleBE(transaction, 1);
  return Buffer.concat([Buffer.of(2, 0, name.length), Buffer.from(name), number, Buffer.alloc(more, 5)]);
}
