/** HTTP/2 at the door with TLS, by section of RFC 9113: octets on the wire, and what comes back. */
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openCertificates } from "../../src/http/certificates.ts";
import { certificateFolder } from "../http/certificate-files.ts";
import { openDoor, type TestDoor } from "../http/fixture.ts";

const TYPE = {
  DATA: 0,
  HEADERS: 1,
  PRIORITY: 2,
  RST_STREAM: 3,
  SETTINGS: 4,
  PUSH_PROMISE: 5,
  PING: 6,
  GOAWAY: 7,
  WINDOW_UPDATE: 8,
  CONTINUATION: 9,
} as const;
const END_STREAM = 1;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
/** RFC 9113 7 */
const ERRORS = [
  "NO_ERROR",
  "PROTOCOL_ERROR",
  "INTERNAL_ERROR",
  "FLOW_CONTROL_ERROR",
  "SETTINGS_TIMEOUT",
  "STREAM_CLOSED",
  "FRAME_SIZE_ERROR",
  "REFUSED_STREAM",
  "CANCEL",
  "COMPRESSION_ERROR",
  "CONNECT_ERROR",
  "ENHANCE_YOUR_CALM",
] as const;

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | readonly number[] = [],
): Buffer {
  const body = Buffer.from(payload);
  const head = Buffer.alloc(9);
  head.writeUIntBE(body.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, body]);
}

/** Literal fields that are not indexed, without Huffman coding (RFC 7541 6.2.2). Texts below 127 octets. */
function block(...fields: readonly (readonly [string, string])[]): Buffer {
  const text = (value: string): Buffer =>
    Buffer.concat([Buffer.of(value.length), Buffer.from(value, "latin1")]);
  return Buffer.concat(fields.flatMap(([name, value]) => [Buffer.of(0), text(name), text(value)]));
}

const METHOD = [":method", "GET"] as const;
const SCHEME = [":scheme", "https"] as const;
const AUTHORITY = [":authority", "live.example.net"] as const;
const PATH = [":path", "/a"] as const;
const GET = block(METHOD, SCHEME, AUTHORITY, PATH);
const headers = (stream: number, fields = GET, flags = END_STREAM | END_HEADERS): Buffer =>
  frame(TYPE.HEADERS, flags, stream, fields);
const setting = (id: number, value: number): Buffer => {
  const octets = Buffer.alloc(6);
  octets.writeUInt16BE(id);
  octets.writeUInt32BE(value, 2);
  return octets;
};
const SETTINGS = frame(TYPE.SETTINGS, 0, 0);

const certificates = certificateFolder();
let test: TestDoor;
let port: number;
beforeAll(async () => {
  const inUse = openCertificates(
    [certificates.make("live", "live.example.net")],
    { info() {}, warn() {}, error() {} },
    Date.now,
  );
  test = await openDoor({ https: { endpoints: [{ host: "127.0.0.1", port: 0 }], certificates: inUse } });
  port = test.door.httpsEndpoints[0]?.port ?? 0;
});
afterAll(async () => {
  await test.door.stop();
  certificates.remove();
});

async function open(): Promise<TLSSocket> {
  const socket = connect({ port, host: "127.0.0.1", ALPNProtocols: ["h2"], rejectUnauthorized: false });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

/** What comes back, in words: `GOAWAY code`, `RST_STREAM code`, `PING octets`, `HEADERS`, `closed`. */
async function reactionsTo(octets: Buffer, enough: (told: readonly string[]) => boolean): Promise<string[]> {
  const socket = await open();
  const told: string[] = [];
  let pending = Buffer.alloc(0);
  const done = new Promise<void>((resolve) => {
    const note = (word: string): void => {
      told.push(word);
      if (enough(told)) resolve();
    };
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      while (pending.length >= 9 && pending.length >= 9 + pending.readUIntBE(0, 3)) {
        const end = 9 + pending.readUIntBE(0, 3);
        const word = wordFor(pending.readUInt8(3), pending.readUInt8(4), pending.subarray(9, end));
        pending = pending.subarray(end);
        if (word !== undefined) note(word);
      }
    });
    socket.once("close", () => note("closed"));
  });
  socket.write(octets);
  const timer = setTimeout(() => socket.destroy(), 5000);
  await done;
  clearTimeout(timer);
  socket.destroy();
  return told;
}

function wordFor(type: number, flags: number, payload: Buffer): string | undefined {
  switch (type) {
    case TYPE.GOAWAY:
      return `GOAWAY ${ERRORS[payload.readUInt32BE(4)]}`;
    case TYPE.RST_STREAM:
      return `RST_STREAM ${ERRORS[payload.readUInt32BE(0)]}`;
    case TYPE.PING:
      return flags === ACK ? `PING ${payload.toString("latin1")}` : undefined;
    case TYPE.HEADERS:
      return "HEADERS";
    default:
      return undefined;
  }
}

const start = (...frames: Buffer[]): Buffer => Buffer.concat([PREFACE, SETTINGS, ...frames]);
const isOver = (told: readonly string[]): boolean => /^(?:GOAWAY|RST|closed)/.test(told.at(-1) ?? "");
const PING = frame(TYPE.PING, 0, 0, Buffer.from("are you?"));

describe("RFC 9113: what is right is answered", () => {
  it.each<[string, Buffer, string]>([
    ["8.1 a request", start(headers(1)), "HEADERS"],
    ["6.7 a PING", start(PING), "PING are you?"],
    ["4.1 behind a frame of an unknown type", start(frame(0xfe, 0xff, 0, [1, 2]), PING), "PING are you?"],
    [
      "5.5 behind a setting that nobody knows",
      start(frame(TYPE.SETTINGS, 0, 0, setting(0xfeed, 1)), PING),
      "PING are you?",
    ],
    [
      "6.1 a request with padding",
      start(
        headers(1, Buffer.concat([Buffer.of(4), GET, Buffer.alloc(4)]), END_STREAM | END_HEADERS | PADDED),
      ),
      "HEADERS",
    ],
    [
      "6.2 a request in two parts",
      start(
        headers(1, GET.subarray(0, 20), END_STREAM),
        frame(TYPE.CONTINUATION, END_HEADERS, 1, GET.subarray(20)),
      ),
      "HEADERS",
    ],
    [
      "6.3 with a priority, which says nothing any more",
      start(frame(TYPE.PRIORITY, 0, 1, [0, 0, 0, 0, 7]), headers(1)),
      "HEADERS",
    ],
    ["6.9 a window that grows", start(frame(TYPE.WINDOW_UPDATE, 0, 0, [0, 0, 0, 1]), headers(1)), "HEADERS"],
    [
      "8.2.2 with TE: trailers",
      start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, ["te", "trailers"]))),
      "HEADERS",
    ],
    [
      "8.3.1 with Host in place of :authority",
      start(headers(1, block(METHOD, SCHEME, PATH, ["host", "live.example.net"]))),
      "HEADERS",
    ],
  ])("%s", async (_section, octets, word) => {
    expect((await reactionsTo(octets, (told) => told.at(-1) === word || isOver(told))).at(-1)).toBe(word);
  });
});

/** The error that the section names. Where a connection ends by it, Node may call it INTERNAL_ERROR. */
const WRONG: [section: string, octets: Buffer, ...ends: string[]][] = [
  ["3.4 another preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n"), "PROTOCOL_ERROR", "closed"],
  ["3.4 no SETTINGS behind it", Buffer.concat([PREFACE, PING]), "PROTOCOL_ERROR"],
  [
    "4.2 a frame of more than 16,384 octets",
    start(frame(TYPE.DATA, 0, 1, Buffer.alloc(16_385))),
    "FRAME_SIZE_ERROR",
  ],
  ["4.3 fields that are no HPACK", start(headers(1, Buffer.of(0x80))), "COMPRESSION_ERROR"],
  [
    "5.1 DATA on a stream that is idle",
    start(frame(TYPE.DATA, 0, 1, [1])),
    "PROTOCOL_ERROR",
    "STREAM_CLOSED",
  ],
  [
    "5.1 RST_STREAM on a stream that is idle",
    start(frame(TYPE.RST_STREAM, 0, 1, [0, 0, 0, 8])),
    "PROTOCOL_ERROR",
  ],
  [
    "5.1 WINDOW_UPDATE on a stream that is idle",
    start(frame(TYPE.WINDOW_UPDATE, 0, 1, [0, 0, 0, 1])),
    "PROTOCOL_ERROR",
  ],
  ["5.1.1 a stream with an even number", start(headers(2)), "PROTOCOL_ERROR"],
  ["6.1 DATA on stream 0", start(frame(TYPE.DATA, 0, 0, [1])), "PROTOCOL_ERROR"],
  [
    "6.1 more padding than there is",
    start(headers(1, GET, END_HEADERS), frame(TYPE.DATA, PADDED, 1, [9, 1])),
    "PROTOCOL_ERROR",
  ],
  ["6.2 HEADERS on stream 0", start(headers(0)), "PROTOCOL_ERROR"],
  ["6.3 PRIORITY of 4 octets", start(frame(TYPE.PRIORITY, 0, 1, [0, 0, 0, 0])), "FRAME_SIZE_ERROR"],
  ["6.4 RST_STREAM on stream 0", start(frame(TYPE.RST_STREAM, 0, 0, [0, 0, 0, 8])), "PROTOCOL_ERROR"],
  ["6.5 SETTINGS of 5 octets", start(frame(TYPE.SETTINGS, 0, 0, [1, 2, 3, 4, 5])), "FRAME_SIZE_ERROR"],
  ["6.5 SETTINGS on a stream", start(frame(TYPE.SETTINGS, 0, 1)), "PROTOCOL_ERROR"],
  [
    "6.5 an acknowledgement that says something",
    start(frame(TYPE.SETTINGS, ACK, 0, setting(1, 1))),
    "FRAME_SIZE_ERROR",
  ],
  ["6.5.2 ENABLE_PUSH 2", start(frame(TYPE.SETTINGS, 0, 0, setting(2, 2))), "PROTOCOL_ERROR"],
  ["6.5.2 a window of 2^31", start(frame(TYPE.SETTINGS, 0, 0, setting(4, 2 ** 31))), "FLOW_CONTROL_ERROR"],
  ["6.5.2 frames of 1 octet", start(frame(TYPE.SETTINGS, 0, 0, setting(5, 1))), "PROTOCOL_ERROR"],
  [
    "6.6 a PUSH_PROMISE",
    start(frame(TYPE.PUSH_PROMISE, END_HEADERS, 1, [0, 0, 0, 2, ...GET])),
    "PROTOCOL_ERROR",
  ],
  ["6.7 PING of 7 octets", start(frame(TYPE.PING, 0, 0, Buffer.alloc(7))), "FRAME_SIZE_ERROR"],
  ["6.7 PING on a stream", start(frame(TYPE.PING, 0, 1, Buffer.alloc(8))), "PROTOCOL_ERROR"],
  ["6.8 GOAWAY on a stream", start(frame(TYPE.GOAWAY, 0, 1, Buffer.alloc(8))), "PROTOCOL_ERROR"],
  ["6.9 WINDOW_UPDATE by 0", start(frame(TYPE.WINDOW_UPDATE, 0, 0, Buffer.alloc(4))), "PROTOCOL_ERROR"],
  [
    "6.9.1 a window beyond 2^31 - 1",
    start(frame(TYPE.WINDOW_UPDATE, 0, 0, [0x7f, 0xff, 0xff, 0xff])),
    "FLOW_CONTROL_ERROR",
  ],
  ["6.10 CONTINUATION of nothing", start(frame(TYPE.CONTINUATION, END_HEADERS, 1, GET)), "PROTOCOL_ERROR"],
  [
    "6.10 something between the parts of HEADERS",
    start(headers(1, GET.subarray(0, 20), END_STREAM), PING),
    "PROTOCOL_ERROR",
  ],
  [
    "8.1.1 more of a body than was announced",
    start(
      headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, ["content-length", "1"]), END_HEADERS),
      frame(TYPE.DATA, END_STREAM, 1, [1, 2]),
    ),
    "PROTOCOL_ERROR",
    "NO_ERROR",
  ],
  [
    "8.2.1 a name with a capital",
    start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, ["X-Name", "a"]))),
    "PROTOCOL_ERROR",
  ],
  [
    "8.2.2 Connection",
    start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, ["connection", "close"]))),
    "PROTOCOL_ERROR",
  ],
  [
    "8.2.2 Transfer-Encoding",
    start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, ["transfer-encoding", "chunked"]))),
    "PROTOCOL_ERROR",
  ],
  [
    "8.2.2 TE: gzip",
    start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, ["te", "gzip"]))),
    "PROTOCOL_ERROR",
  ],
  [
    "8.3 a pseudo field that there is not",
    start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, [":status", "200"]))),
    "PROTOCOL_ERROR",
  ],
  [
    "8.3 a pseudo field behind others",
    start(headers(1, block(METHOD, SCHEME, ["a", "b"], AUTHORITY, PATH))),
    "PROTOCOL_ERROR",
  ],
  ["8.3.1 no :method", start(headers(1, block(SCHEME, AUTHORITY, PATH))), "PROTOCOL_ERROR"],
  ["8.3.1 no :scheme", start(headers(1, block(METHOD, AUTHORITY, PATH))), "PROTOCOL_ERROR"],
  ["8.3.1 no :path", start(headers(1, block(METHOD, SCHEME, AUTHORITY))), "PROTOCOL_ERROR"],
  [
    "8.3.1 an empty :path",
    start(headers(1, block(METHOD, SCHEME, AUTHORITY, [":path", ""]))),
    "PROTOCOL_ERROR",
  ],
  ["8.3.1 two :path", start(headers(1, block(METHOD, SCHEME, AUTHORITY, PATH, PATH))), "PROTOCOL_ERROR"],
];

describe("RFC 9113: what is wrong ends the connection, or the stream", () => {
  it.each(WRONG)("%s", async (_section, octets, ...ends) => {
    const told = await reactionsTo(octets, isOver);
    const end = told.find((word) => isOver([word])) ?? "";
    const isRight =
      end === "GOAWAY INTERNAL_ERROR" || ends.includes(end.replace(/^(?:GOAWAY|RST_STREAM) /, ""));
    expect(isRight, told.join(", ")).toBe(true);
  });
});

describe("RFC 9113 10.5: floods are not felt by anyone else", () => {
  it.each<[string, Buffer]>([
    [
      "streams that are reset as soon as they are opened",
      Buffer.concat(
        Array.from({ length: 20_000 }, (_, i) =>
          Buffer.concat([headers(2 * i + 1), frame(TYPE.RST_STREAM, 0, 2 * i + 1, [0, 0, 0, 8])]),
        ),
      ),
    ],
    [
      "parts of HEADERS without an end",
      Buffer.concat([
        headers(1, GET, END_STREAM),
        ...Array.from({ length: 20_000 }, () =>
          frame(TYPE.CONTINUATION, 0, 1, block(["a", "b".repeat(100)])),
        ),
      ]),
    ],
    ["settings", Buffer.concat(Array.from({ length: 20_000 }, () => SETTINGS))],
    ["pings", Buffer.concat(Array.from({ length: 20_000 }, () => PING))],
  ])("%s", async (_what, octets) => {
    const socket = await open();
    socket.pause();
    socket.write(start(octets));
    const asked = await reactionsTo(start(headers(1)), (told) => told.at(-1) === "HEADERS" || isOver(told));
    expect(asked).toContain("HEADERS");
    socket.destroy();
  });
});
