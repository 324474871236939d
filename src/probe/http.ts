import type { Socket } from "node:net";
import { Client, type Dispatcher } from "undici";
import type { Address } from "../model/address.ts";
import type { HttpProbe } from "../model/edge.ts";
import { type Attempt, attempt, type ProbeContext } from "./attempt.ts";
import { ProbeError, type ProbeResult } from "./result.ts";
import { openTcp, openTls } from "./socket.ts";

const BODY_LIMIT = 64 * 1024;
const HEADER_LIMIT = 16 * 1024;

/**
 * Success: the edge answers with an expected status, and where a text is asked for, it stands within the
 * first 64 KiB of the body. No redirect is followed. Every probe opens a new connection, because that is
 * what the next viewer does: a kept one goes on working after the listener has died.
 */
export function probeHttp(address: Address, probe: HttpProbe, context: ProbeContext): Promise<ProbeResult> {
  return attempt(probe.timeoutMs, context, async (attempt) => {
    const url = new URL(probe.url);
    const socket = await open(attempt, address, url, probe, context);
    const reply = await attempt.step("reply", () => ask(attempt, socket, url, probe.host));
    if (!probe.status.includes(reply.statusCode)) throw new ProbeError("status", String(reply.statusCode));
    const { body: text } = probe;
    if (text !== undefined) await attempt.step("body", () => expectText(reply.body, text));
  });
}

async function open(
  attempt: Attempt,
  address: Address,
  url: URL,
  probe: HttpProbe,
  context: ProbeContext,
): Promise<Socket> {
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const socket = await openTcp(attempt, address, port);
  if (!isTls) return socket;
  const { certificateAuthorities } = context;
  const name = withoutPort(probe.host);
  return openTls(attempt, socket, {
    name,
    verify: probe.tls.verify,
    protocol: "http/1.1",
    certificateAuthorities,
  });
}

function withoutPort(host: string): string {
  return host.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}

async function ask(
  attempt: Attempt,
  socket: Socket,
  url: URL,
  host: string,
): Promise<Dispatcher.ResponseData> {
  const client = new Client(url.origin, {
    connect: connectOnceWith(socket),
    maxHeaderSize: HEADER_LIMIT,
    // The attempt's own deadline covers the whole.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  attempt.atEnd(() => void client.destroy());
  const reply = await client.request({
    method: "GET",
    path: url.pathname + url.search,
    headers: { host, "user-agent": "edgeward", accept: "*/*" },
    reset: true,
  });
  reply.body.on("error", () => {});
  return reply;
}

/** A client that lost its connection would open another one. */
function connectOnceWith(socket: Socket): NonNullable<Client.Options["connect"]> {
  let isTaken = false;
  return (_, callback) => {
    // undici's client does not notice a connection that is there before it has asked for it.
    queueMicrotask(() => {
      if (isTaken) return callback(new ProbeError("reset"), null);
      isTaken = true;
      callback(null, socket);
    });
  };
}

async function expectText(body: AsyncIterable<Buffer>, text: string): Promise<void> {
  let head = Buffer.alloc(0);
  for await (const chunk of body) {
    head = Buffer.concat([head, chunk.subarray(0, BODY_LIMIT - head.length)]);
    if (head.includes(text)) return;
    if (head.length === BODY_LIMIT) break;
  }
  throw new ProbeError("body");
}
