import type { Socket } from "node:net";
import { Client, type Dispatcher } from "undici";
import type { Address } from "../model/address.ts";
import type { HttpTarget } from "../model/edge.ts";
import type { Attempt, ProbeContext } from "./attempt.ts";
import { noteCors } from "./player.ts";
import { ProbeError, type Step } from "./result.ts";
import { nameIn, openTcp, openTls } from "./socket.ts";

export type HttpReply = Dispatcher.ResponseData;

const HEADER_LIMIT = 16 * 1024;

/** A player that came through a cross-origin redirect has no origin of its own (Fetch 4.4). */
const REDIRECTED_ORIGIN = "null";

/**
 * A GET to one address, on a new connection, because that is what the next viewer makes: a kept one goes on
 * working after the listener has died. No redirect is followed.
 */
export async function get(
  attempt: Attempt,
  address: Address,
  target: HttpTarget,
  context: ProbeContext,
  { step, headers = {} }: { step: Step["name"]; headers?: { readonly [name: string]: string } },
): Promise<HttpReply> {
  const url = new URL(target.url);
  const socket = await open(attempt, address, url, target, context);
  const origin = context.asPlayer === true ? { origin: REDIRECTED_ORIGIN } : {};
  const reply = await attempt.step(step, () =>
    ask(attempt, socket, url, { host: target.host, ...origin, ...headers }),
  );
  if (context.asPlayer === true) noteCors(attempt, reply.headers["access-control-allow-origin"]);
  return reply;
}

/** A connection, with TLS where the url's scheme says so (https, wss). */
export async function open(
  attempt: Attempt,
  address: Address,
  url: URL,
  { host, tls }: Pick<HttpTarget, "host" | "tls">,
  context: ProbeContext,
): Promise<Socket> {
  const socket = await openTcp(attempt, address, portOf(url));
  if (!isSecure(url)) return socket;
  const settings = { name: nameIn(host), verify: tls.verify, protocol: "http/1.1" } as const;
  return openTls(attempt, socket, settings, context);
}

export function portOf(url: URL): number {
  return url.port === "" ? (isSecure(url) ? 443 : 80) : Number(url.port);
}

/** The first `limit` octets of a body at most; fewer where `isEnough` says so of those so far. */
export async function readHead(
  body: AsyncIterable<Buffer>,
  limit: number,
  isEnough?: (head: Buffer) => boolean,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk.subarray(0, limit - length));
    length = Math.min(limit, length + chunk.length);
    if (length === limit || isEnough?.(Buffer.concat(chunks)) === true) break;
  }
  return Buffer.concat(chunks);
}

function isSecure({ protocol }: URL): boolean {
  return protocol === "https:" || protocol === "wss:";
}

async function ask(
  attempt: Attempt,
  socket: Socket,
  url: URL,
  headers: { readonly [name: string]: string },
): Promise<HttpReply> {
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
    headers: { "user-agent": "edgeward", accept: "*/*", "accept-encoding": "identity", ...headers },
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
