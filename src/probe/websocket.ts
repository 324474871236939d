import { createHash, randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import type { Address } from "../model/address.ts";
import type { WebSocketProbe } from "../model/edge.ts";
import { attempt, type ProbeContext } from "./attempt.ts";
import { type Octets, octetsOf } from "./octets.ts";
import { open } from "./request.ts";
import { ProbeError, type ProbeResult } from "./result.ts";

const HEADER_LIMIT = 16 * 1024;
const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const OPCODE_CLOSE = 0x8;
const NORMAL_CLOSURE = 1000;
/** The longest that the server is given to answer our close; it owes us nothing more. */
const CLOSE_MS = 250;

/**
 * Success: the edge completes the opening handshake of RFC 6455 4.1, with the right `Sec-WebSocket-Accept`
 * and, where one is asked for, the subprotocol. The connection is closed as 7.1.2 has it.
 */
export function probeWebSocket(
  address: Address,
  probe: WebSocketProbe,
  context: ProbeContext,
): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    const startMs = context.clock.monotonicMs();
    const socket = await open(attempt, address, new URL(probe.url), probe, context);
    const octets = octetsOf(socket);
    const key = randomBytes(16).toString("base64");
    await attempt.step("handshake", async () => {
      socket.write(requestHead(probe, key));
      const head = await octets.takeThrough("\r\n\r\n", HEADER_LIMIT);
      expectUpgrade(replyIn(head.toString("latin1")), acceptOf(key), probe.protocol);
    });
    const leftMs = probe.timeoutMs - (context.clock.monotonicMs() - startMs);
    await attempt.step("close", () => close(socket, octets, Math.min(CLOSE_MS, leftMs / 2), context));
  });
}

/** RFC 6455 4.2.2, 5.4. */
export function acceptOf(key: string): string {
  return createHash("sha1")
    .update(key + ACCEPT_SUFFIX)
    .digest("base64");
}

function requestHead({ url, host, protocol, origin }: WebSocketProbe, key: string): string {
  const { pathname, search } = new URL(url);
  const lines = [
    `GET ${pathname}${search} HTTP/1.1`,
    `Host: ${host}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Key: ${key}`,
    "Sec-WebSocket-Version: 13",
    "User-Agent: edgeward",
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
    ...(protocol === undefined ? [] : [`Sec-WebSocket-Protocol: ${protocol}`]),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

interface Reply {
  readonly status: number;
  /** By lower-case name; of several the values with commas between. */
  readonly headers: ReadonlyMap<string, string>;
}

function replyIn(head: string): Reply {
  const [statusLine = "", ...lines] = head.trimEnd().split("\r\n");
  const status = /^HTTP\/1\.1 (\d{3})(?: |$)/.exec(statusLine)?.[1];
  if (status === undefined) throw new ProbeError("protocol", "not-http");
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, padded] = /^([!#$%&'*+.^_`|~\w-]+):(.*)$/.exec(line) ?? [];
    if (name === undefined || padded === undefined) throw new ProbeError("protocol", "not-http");
    const value = padded.trim();
    const before = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), before === undefined ? value : `${before}, ${value}`);
  }
  return { status: Number(status), headers };
}

/** The checks of RFC 6455 4.1, "the client MUST validate the server's response". */
function expectUpgrade({ status, headers }: Reply, accept: string, protocol: string | undefined): void {
  if (status !== 101) throw new ProbeError("status", String(status));
  const has = (name: string, token: string): boolean =>
    (headers.get(name) ?? "").split(",").some((each) => each.trim().toLowerCase() === token);
  if (!has("upgrade", "websocket")) throw new ProbeError("header", "upgrade");
  if (!has("connection", "upgrade")) throw new ProbeError("header", "connection");
  if (headers.get("sec-websocket-accept") !== accept) throw new ProbeError("header", "sec-websocket-accept");
  if (headers.has("sec-websocket-extensions")) throw new ProbeError("header", "sec-websocket-extensions");
  if (headers.get("sec-websocket-protocol") !== protocol)
    throw new ProbeError("header", "sec-websocket-protocol");
}

/** The handshake has shown all there is to see: a server that does not answer the close has not failed. */
async function close(
  socket: Socket,
  octets: Octets,
  patienceMs: number,
  { clock }: ProbeContext,
): Promise<void> {
  socket.write(closeFrame());
  let cancel: (() => void) | undefined;
  const patience = new Promise<void>((resolve) => {
    cancel = clock.after(patienceMs, resolve);
  });
  await Promise.race([untilClosed(octets), patience]);
  cancel?.();
}

/** A client's frames are masked (RFC 6455 5.3). */
function closeFrame(): Buffer {
  const mask = randomBytes(4);
  const code = Buffer.alloc(2);
  code.writeUInt16BE(NORMAL_CLOSURE);
  const masked = code.map((octet, i) => octet ^ (mask[i] as number));
  return Buffer.concat([Buffer.of(0x80 | OPCODE_CLOSE, 0x80 | code.length), mask, masked]);
}

/** Frames that the server sent before it saw our close are passed over. */
async function untilClosed(octets: Octets): Promise<void> {
  try {
    for (;;) {
      const [first = 0, second = 0] = await octets.take(2);
      if ((first & 0x0f) === OPCODE_CLOSE) return;
      await octets.take(await payloadLength(octets, second & 0x7f));
    }
  } catch {
    // The connection has ended, which is as good.
  }
}

async function payloadLength(octets: Octets, short: number): Promise<number> {
  if (short < 126) return short;
  const long = await octets.take(short === 126 ? 2 : 8);
  const length = short === 126 ? long.readUInt16BE() : Number(long.readBigUInt64BE());
  if (length > 64 * 1024) throw new ProbeError("protocol");
  return length;
}
