import { once } from "node:events";
import { type IncomingMessage, METHODS, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import fastify, { type FastifyInstance } from "fastify";
import { formatEndpoint, whyNotListening } from "../base/endpoint.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { ClientError } from "./client-error.ts";
import type { HttpLimits } from "./limits.ts";

/** What a listener hands on. */
export interface ListenerEvents {
  /** @param target the request target as received, one character per octet */
  request(request: IncomingMessage, response: ServerResponse, target: string): void;
  clientError(error: ClientError, socket: Socket): void;
  connect(socket: Socket): void;
}

/** One server, on one endpoint. */
export interface Listener {
  /** @throws with one line that tells the address and the reason */
  open(endpoint: Endpoint, ipv6Only: boolean): Promise<Endpoint>;
  /**
   * Connections that wait to be accepted still are. Then idle ones are closed, those with a request on its way after its
   * answer, the rest after `graceMs`.
   */
  readonly close: (graceMs: number) => Promise<void>;
}

/** A server that serves connections which others accepted. */
export interface Foster {
  /** @param input octets that were read from it already */
  take(socket: Socket, input: Uint8Array): void;
  /** As of a `Listener`. */
  readonly close: (graceMs: number) => Promise<void>;
}

export async function createFoster(limits: HttpLimits, events: ListenerEvents): Promise<Foster> {
  const instance = createInstance(limits, events);
  const sockets = new Set<Socket>();
  await instance.ready();
  // From then on it looks after its connections' time limits, though it has no listening socket.
  instance.server.emit("listening");
  return {
    take(socket, input) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      if (input.length > 0) socket.unshift(input);
      instance.server.emit("connection", socket);
    },
    async close(graceMs) {
      const gone = [...sockets].map(async (socket) => await once(socket, "close"));
      const timer = setTimeout(() => instance.server.closeAllConnections(), graceMs);
      instance.server.closeIdleConnections();
      await Promise.allSettled(gone);
      clearTimeout(timer);
      await instance.close();
    },
  };
}

/** @param guard is given the server before it listens */
export function createListener(
  limits: HttpLimits,
  events: ListenerEvents,
  guard: (server: Server) => void,
): Listener {
  const instance = createInstance(limits, events);
  guard(instance.server);
  return {
    open: async (endpoint, ipv6Only) => await open(instance, endpoint, ipv6Only),
    close: async (graceMs) => await close(instance, graceMs),
  };
}

/**
 * fastify with one route that takes every method and every target. The target never reaches its router or its body
 * parsers, which would refuse some; it is handed on as received.
 */
function createInstance(limits: HttpLimits, events: ListenerEvents): FastifyInstance {
  const instance = fastify({
    logger: false,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: "idle",
    requestTimeout: limits.requestTimeoutMs,
    connectionTimeout: limits.silenceTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    maxRequestsPerSocket: limits.maxRequestsPerConnection,
    rewriteUrl: () => "/",
    clientErrorHandler: (error, socket) => events.clientError(error as ClientError, socket),
    http: {
      requestTimeout: limits.requestTimeoutMs,
      headersTimeout: limits.headersTimeoutMs,
      connectionsCheckingInterval: limits.checkIntervalMs,
      maxHeaderSize: limits.maxHeaderSize,
      insecureHTTPParser: false,
      requireHostHeader: false, // `hostOf` demands it, of HTTP/1.0 too, and answers in full
    },
  });
  const methods = METHODS.filter((method) => method !== "CONNECT");
  for (const method of methods) instance.addHttpMethod(method, { hasBody: false, overrideExisting: true });
  instance.route({
    method: methods,
    url: "/",
    handler(request, reply) {
      reply.hijack();
      events.request(request.raw, reply.raw, request.originalUrl);
    },
  });
  handleRest(instance.server, events);
  return instance;
}

/** What node:http would answer by itself, or not at all. */
function handleRest(server: Server, events: ListenerEvents): void {
  const asUsual = (request: IncomingMessage, response: ServerResponse): void => {
    server.emit("request", request, response);
  };
  server.on("checkContinue", asUsual);
  server.on("checkExpectation", asUsual);
  server.on("connect", (_request, socket) => events.connect(socket as Socket));
}

async function open(instance: FastifyInstance, endpoint: Endpoint, ipv6Only: boolean): Promise<Endpoint> {
  const { host, port } = endpoint;
  try {
    await instance.listen({ host, port, ipv6Only, backlog: 4096 });
  } catch (error) {
    const why = whyNotListening(error as NodeJS.ErrnoException);
    throw new Error(`cannot listen for HTTP on ${formatEndpoint(endpoint)}: ${why}`, { cause: error });
  }
  return { host, port: (instance.server.address() as AddressInfo).port };
}

async function close(instance: FastifyInstance, graceMs: number): Promise<void> {
  await acceptWaiting(instance.server);
  const timer = setTimeout(() => instance.server.closeAllConnections(), graceMs);
  await instance.close();
  clearTimeout(timer);
}

/** However many keep coming. */
const ACCEPTING_MS = 250;

/** A turn of the event loop accepts one connection; the kernel resets those that it holds when the listening socket closes. */
async function acceptWaiting(server: Server): Promise<void> {
  const untilMs = performance.now() + ACCEPTING_MS;
  let accepted = false;
  const note = (): void => {
    accepted = true;
  };
  server.on("connection", note);
  do {
    accepted = false;
    await nextTurn(); // ends in this turn, whose sockets may have been looked at already
    await nextTurn();
  } while (accepted && performance.now() < untilMs);
  server.off("connection", note);
}
