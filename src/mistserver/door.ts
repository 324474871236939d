import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { Tally } from "../base/tally.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import { type BalancerContext, mistReply } from "./balancer.ts";
import type { MistReply } from "./reply.ts";
import { clientAt } from "./request.ts";

export interface MistDoor {
  /** As bound: port 0 is replaced by the one that the system chose. */
  readonly endpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  stop(): Promise<void>;
}

export interface MistDoorOptions {
  readonly endpoints: readonly Endpoint[];
  /** Asked at each request, so that a new configuration counts at once; undefined: it is switched off by now. */
  readonly context: () => BalancerContext | undefined;
  readonly log: Log;
}

const CONNECTIONS_MAX = 1024;

/**
 * Listens where MistServer's balancer would.
 * @throws if an endpoint cannot be bound, with the address and the reason; then none stays open
 */
export async function startMistDoor({ endpoints, context, log }: MistDoorOptions): Promise<MistDoor> {
  const calls = new Tally("call");
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const reply = safely(() => replyTo(request, context()), log);
    calls.add(reply.call);
    send(response, reply, request.method === "HEAD");
  };
  const servers: HttpServer[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map(close));
  };
  const bound: Endpoint[] = [];
  for (const endpoint of endpoints) {
    const server = createServer(
      { maxHeaderSize: 16 * 1024, headersTimeout: 10_000, requestTimeout: 12_000, keepAliveTimeout: 65_000 },
      answer,
    );
    server.maxConnections = CONNECTIONS_MAX;
    try {
      bound.push(await listen(server, endpoint));
    } catch (error) {
      await stop();
      throw error;
    }
    servers.push(server);
  }
  return {
    endpoints: bound,
    metrics: () => [
      calls.family("mistserver_requests_total", "Answers in place of MistServer's balancer, by call"),
    ],
    stop,
  };
}

function replyTo(
  { method = "", url = "/", headers, socket }: IncomingMessage,
  context: BalancerContext | undefined,
): MistReply {
  if (context === undefined) return { status: 404, body: "switched off", call: "refused" };
  return mistReply({ method, target: url, headers, client: clientAt(socket.remoteAddress) }, context);
}

/** A fault of ours leaves whoever asked with his fallback. */
function safely(reply: () => MistReply, log: Log): MistReply {
  try {
    return reply();
  } catch (error) {
    log.error({ error }, "an answer failed in place of MistServer's balancer");
    return { status: 404, body: "", call: "refused" };
  }
}

function send(response: ServerResponse, { status, body, location }: MistReply, isHead: boolean): void {
  response.writeHead(status, {
    "Content-Type": "text/plain",
    "Content-Length": Buffer.byteLength(body),
    "Access-Control-Allow-Origin": "*",
    "Cache-Control": "no-store",
    ...(location === undefined ? {} : { Location: location }),
  });
  response.end(isHead ? undefined : body);
}

function listen(server: HttpServer, { host, port }: Endpoint): Promise<Endpoint> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(`mistserver: cannot listen on ${host} port ${port}: ${error.code ?? error.message}`)),
    );
    server.listen(port, host, () => resolve({ host, port: (server.address() as AddressInfo).port }));
  });
}

function close(server: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
    setTimeout(() => server.closeAllConnections(), 500).unref();
  });
}
