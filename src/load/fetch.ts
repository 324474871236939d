import type { LookupAddress, LookupOptions } from "node:dns";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Client } from "undici";
import { formatAddress } from "../base/address.ts";
import type { Clock } from "../base/clock.ts";
import { type Reach, resolveReachable } from "../base/reach.ts";
import type { PolledLoad, PullRequest, Reply } from "./source.ts";

const REPLY_LIMIT = 8 * 1024 * 1024;

/** Why a source could not be read; in words, for people, without url, credentials or text from the network. */
export class PullError extends Error {}

export interface FetchContext {
  readonly reach: Reach;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** One GET with the source's credentials. Redirects are not followed. @throws {PullError} */
export async function fetchReply(
  request: PullRequest,
  source: PolledLoad,
  context: FetchContext,
): Promise<Reply> {
  const url = new URL(request.url);
  const client = await clientTo(url, context.reach);
  try {
    const reply = await client.request({
      method: "GET",
      path: url.pathname + url.search,
      headers: { "user-agent": "edgeward", ...authorization(source), ...request.headers },
      signal: context.signal,
      reset: true,
    });
    reply.body.on("error", () => {});
    if (reply.statusCode !== 200) throw new PullError(statusWords(reply.statusCode));
    const body = await bytesOf(reply.body);
    const text = reply.headers["content-encoding"] === "gzip" ? await unzipped(body) : body;
    return { body: text.toString("utf8"), receivedAtMs: context.clock.monotonicMs() };
  } catch (error) {
    throw pullErrorOf(error);
  } finally {
    void client.destroy();
  }
}

/** A client that connects to allowed addresses only, whatever the name resolves to by then. */
async function clientTo(url: URL, reach: Reach): Promise<Client> {
  const port = url.port === "" ? (url.protocol === "https:" ? 443 : 80) : Number(url.port);
  const resolved = await resolveReachable(url.hostname, port, reach);
  if (resolved.kind === "refused")
    throw new PullError(`its address is refused (${resolved.refusal}); allowedProbeNetworks can allow it`);
  if (resolved.kind === "not-found") throw new PullError(`its name does not resolve (${resolved.code})`);
  const found = resolved.addresses.map((address) => ({
    address: formatAddress(address),
    family: address.family,
  }));
  return new Client(url.origin, {
    connect: { lookup: (_, options, callback) => answer(found, options, callback) },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

function answer(
  found: readonly LookupAddress[],
  options: LookupOptions,
  callback: (error: null, address: string | LookupAddress[], family?: number) => void,
): void {
  const [first] = found;
  if (options.all === true || first === undefined) callback(null, [...found]);
  else callback(null, first.address, first.family);
}

function authorization({ username, password }: PolledLoad): { authorization?: string } {
  if (username === undefined && password === undefined) return {};
  const pair = Buffer.from(`${username ?? ""}:${password ?? ""}`).toString("base64");
  return { authorization: `Basic ${pair}` };
}

async function bytesOf(body: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > REPLY_LIMIT) throw new PullError("its reply is longer than 8 MiB");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

async function unzipped(body: Buffer): Promise<Buffer> {
  try {
    return await promisify(gunzip)(body, { maxOutputLength: REPLY_LIMIT });
  } catch {
    throw new PullError("its reply is not valid gzip, or longer than 8 MiB");
  }
}

function statusWords(status: number): string {
  if (status === 401 || status === 403) return `it answers ${status}: check the credentials and who may ask`;
  if (status >= 300 && status < 400)
    return `it answers ${status}: redirects are not followed, give the final url`;
  return `it answers ${status}`;
}

function pullErrorOf(error: unknown): PullError {
  if (error instanceof PullError) return error;
  const { code } = error as { code?: unknown };
  const name = typeof code === "string" ? code : "UNKNOWN";
  return new PullError(WORDS_BY_CODE[name] ?? `it cannot be read (${name})`);
}

const WORDS_BY_CODE: { readonly [code: string]: string } = {
  ECONNREFUSED: "it refuses the connection",
  ECONNRESET: "it closed the connection",
  UND_ERR_SOCKET: "it closed the connection",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "its reply was cut short",
  UND_ERR_CONNECT_TIMEOUT: "it does not answer in time",
  EHOSTUNREACH: "it is unreachable",
  ENETUNREACH: "it is unreachable",
};
