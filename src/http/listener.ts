import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { cannotListen, formatEndpoint } from "../base/endpoint.ts";
import type { Endpoint } from "../model/inventory.ts";
import { acceptWaiting } from "./accept-waiting.ts";
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
   * Connections that wait to be accepted still are. Then idle ones are closed, those with a request on its way after
   * its answer, the rest after `graceMs`.
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

export function createFoster(limits: HttpLimits, events: ListenerEvents): Foster {
  const server = createHttpServer(limits, events);
  const sockets = new Set<Socket>();
  // From then on it looks after its connections' time limits, though it has no listening socket.
  server.emit("listening");
  return {
    take(socket, input) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      if (input.length > 0) socket.unshift(input);
      server.emit("connection", socket);
    },
    async close(graceMs) {
      const gone = [...sockets].map(async (socket) => await once(socket, "close"));
      const timer = setTimeout(() => server.closeAllConnections(), graceMs);
      server.closeIdleConnections();
      await Promise.allSettled(gone);
      clearTimeout(timer);
      server.close();
    },
  };
}

/** @param guard is given the server before it listens */
export function createListener(
  limits: HttpLimits,
  events: ListenerEvents,
  guard: (server: Server) => void,
): Listener {
  const server = createHttpServer(limits, events);
  guard(server);
  return {
    open: async (endpoint, ipv6Only) => await open(server, endpoint, ipv6Only),
    close: async (graceMs) => await close(server, graceMs),
  };
}

/** Hands on every method and every target as received: a framework's router and body parsers would refuse some. */
function createHttpServer(limits: HttpLimits, events: ListenerEvents): Server {
  const server = createServer({
    requestTimeout: limits.requestTimeoutMs,
    headersTimeout: limits.headersTimeoutMs,
    keepAliveTimeout: limits.keepAliveTimeoutMs,
    connectionsCheckingInterval: limits.checkIntervalMs,
    maxHeaderSize: limits.maxHeaderSize,
    insecureHTTPParser: false,
    requireHostHeader: false, // `hostOf` demands it, of HTTP/1.0 too, and answers in full
  });
  server.timeout = limits.silenceTimeoutMs;
  server.maxRequestsPerSocket = limits.maxRequestsPerConnection;
  server.on("request", (request, response) => events.request(request, response, request.url ?? ""));
  server.on("clientError", (error: ClientError, socket) => events.clientError(error, socket as Socket));
  handleRest(server, events);
  return server;
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

async function open(server: Server, endpoint: Endpoint, ipv6Only: boolean): Promise<Endpoint> {
  const { host, port } = endpoint;
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen("HTTP", formatEndpoint(endpoint), error)));
    server.listen({ host, port, ipv6Only, backlog: 4096 }, resolve);
  });
  return { host, port: (server.address() as AddressInfo).port };
}

async function close(server: Server, graceMs: number): Promise<void> {
  await acceptWaiting(server, graceMs);
  const timer = setTimeout(() => server.closeAllConnections(), graceMs);
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
  clearTimeout(timer);
}
