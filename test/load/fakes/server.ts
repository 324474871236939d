import { once } from "node:events";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Fake {
  readonly url: string;
  /** Request lines, as `GET /path?query`. */
  readonly asked: string[];
}

/** A server on loopback for as long as the test runs. */
export async function serveFake(answer: RequestListener): Promise<Fake> {
  const asked: string[] = [];
  const server = createServer((request, reply) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, reply);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

export function targetOf(request: IncomingMessage): URL {
  return new URL(request.url ?? "/", "http://localhost");
}

export function send(
  reply: ServerResponse,
  status: number,
  type: string,
  body: string | object,
  headers: { readonly [name: string]: string } = {},
): void {
  reply.writeHead(status, { "content-type": type, ...headers });
  reply.end(typeof body === "string" ? body : JSON.stringify(body));
}

/** Whether a request shows this user with HTTP Basic (RFC 7617). */
export function isBasic(request: IncomingMessage, user: string, password: string): boolean {
  const wanted = Buffer.from(`${user}:${password}`).toString("base64");
  return request.headers.authorization === `Basic ${wanted}`;
}
