import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { Client } from "undici";
import type { Clock } from "../base/clock.ts";
import type { Reach } from "../base/reach.ts";
import type { Connections } from "./connections.ts";
import { isDisconnection, PullError, pullErrorOf } from "./pull-error.ts";
import type { Session } from "./session.ts";
import type { PullRequest, Reply } from "./source.ts";

const REPLY_LIMIT = 8 * 1024 * 1024;
/** Of a page that will not be read. */
const DUMP_LIMIT = 64 * 1024;

export interface FetchContext {
  readonly reach: Reach;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly session: Session;
  readonly connections: Connections;
}

/**
 * One request with the source's credentials. Redirects are not followed. An optional request that fails has a
 * reply all the same. @throws {PullError}
 */
export async function fetchReply(request: PullRequest, context: FetchContext): Promise<Reply> {
  try {
    const reply = await authorizedReply(request, context);
    if (reply.statusCode !== 200) {
      await reply.body.dump({ limit: DUMP_LIMIT });
      throw new PullError(statusWords(reply.statusCode), reply.statusCode);
    }
    const body = await decoded(await bytesOf(reply.body), reply.headers["content-encoding"]);
    const cookie = cookieIn(reply.headers["set-cookie"]);
    const receivedAtMs = context.clock.monotonicMs();
    return { body: body.toString("utf8"), receivedAtMs, ...(cookie === undefined ? {} : { cookie }) };
  } catch (error) {
    const failure = pullErrorOf(error);
    if (request.optional !== true || context.signal.aborted) throw failure;
    const { message: problem, status } = failure;
    const receivedAtMs = context.clock.monotonicMs();
    return { body: "", receivedAtMs, problem, ...(status === undefined ? {} : { status }) };
  }
}

/** Answers a challenge, once: if the first answer was to an old nonce, the second is to the new one. */
async function authorizedReply(request: PullRequest, context: FetchContext) {
  const first = await connectedReply(request, context);
  if (first.statusCode !== 401 || !context.session.challenged(first.headers["www-authenticate"]))
    return first;
  await first.body.dump({ limit: DUMP_LIMIT });
  return connectedReply(request, context);
}

/** A connection that was kept may have ended meanwhile: then on a new one, once. */
async function connectedReply(request: PullRequest, context: FetchContext) {
  const { origin } = new URL(request.url);
  const { connections, reach, signal } = context;
  const { client, isReused } = connections.to(origin, reach);
  try {
    return await send(request, client, context);
  } catch (error) {
    if (!isReused || signal.aborted || !isDisconnection(error)) throw error;
    connections.drop();
    return send(request, connections.to(origin, reach).client, context);
  }
}

async function send({ url, json, headers }: PullRequest, client: Client, context: FetchContext) {
  const { pathname, search } = new URL(url);
  const method = json === undefined ? "GET" : "POST";
  const authorization = context.session.authorization(method, pathname + search);
  const reply = await client.request({
    method,
    path: pathname + search,
    headers: {
      "user-agent": "edgeward",
      "accept-encoding": "identity",
      ...(authorization === undefined ? {} : { authorization }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
    signal: context.signal,
  });
  reply.body.on("error", ignored);
  return reply;
}

function ignored(): void {}

async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > REPLY_LIMIT) throw new PullError("its reply is longer than 8 MiB");
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof PullError ? error : new PullError("its reply was cut short");
  }
  return Buffer.concat(chunks);
}

/**
 * Nothing but plain text was asked for; gzip is what servers send all the same. Codings have no case (RFC 9110
 * 8.4.1).
 */
async function decoded(body: Buffer, encoding: string | string[] | undefined): Promise<Buffer> {
  const coding = String(encoding ?? "identity").toLowerCase();
  if (coding === "identity") return body;
  if (coding === "gzip" || coding === "x-gzip") return unzipped(body);
  throw new PullError("its reply is compressed in a way that was not asked for");
}

async function unzipped(body: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(body, { maxOutputLength: REPLY_LIMIT });
  } catch {
    throw new PullError("its reply is not valid gzip, or longer than 8 MiB");
  }
}

/** Name and value of each cookie that was set, as they are sent back. */
function cookieIn(header: string | string[] | undefined): string | undefined {
  const pairs = [header ?? []].flat().map((cookie) => cookie.split(";")[0]?.trim());
  return pairs.length === 0 ? undefined : pairs.join("; ");
}

function statusWords(status: number): string {
  if (status === 401 || status === 403) return `it answers ${status}: check the credentials and who may ask`;
  if (status === 404) return "it answers 404: check the path, and whether its status page is switched on";
  if (status >= 300 && status < 400)
    return `it answers ${status}: redirects are not followed, give the final url`;
  return `it answers ${status}`;
}
