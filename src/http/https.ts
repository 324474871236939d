/**
 * TLS in front of the door: certificates by name, HTTP/2 and HTTP/1.1 by ALPN.
 *
 * ```
 * viewer ─► TLS (SNI, ALPN) ─┬─ h2 ──────────► node:http2 ─► respond
 *                            └─ http/1.1 ────► the door's node:http ─► respond
 * ```
 */
import { randomBytes } from "node:crypto";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createServer as createHttp2Server, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { cannotListen, formatEndpoint } from "../base/endpoint.ts";
import type { Endpoint } from "../model/inventory.ts";
import { acceptWaiting } from "./accept-waiting.ts";
import { type Certificates, TLS_OPTIONS } from "./certificates.ts";
import { limitSession } from "./http2-limits.ts";
import type { HttpLimits } from "./limits.ts";

export interface HttpsEvents {
  /** An HTTP/1.1 connection. */
  readonly http1: (socket: TLSSocket) => void;
  readonly http2: (request: Http2ServerRequest, response: Http2ServerResponse) => void;
  /** A handshake came to nothing. */
  readonly failed: () => void;
  /** Is given the server before it listens. */
  readonly guard: (server: Server) => void;
}

export interface HttpsListener {
  /**
   * @returns where it really listens
   * @throws with one line that tells the address and the reason
   */
  open(place: HttpsPlace): Promise<Endpoint>;
  /** Serves the certificates as they are now to whoever comes from now on. */
  readonly renew: () => void;
  /** As of a `Listener`, but for HTTP/1.1 connections, which are the door's once their handshake is done. */
  readonly close: (graceMs: number) => Promise<void>;
}

/** Where to listen. */
export interface HttpsPlace {
  readonly endpoint: Endpoint;
  readonly ipv6Only: boolean;
  /** A socket that listens there already, which is the listener's from now on. */
  readonly fd: number | undefined;
}

export function createHttpsListener(
  certificates: Certificates,
  limits: HttpLimits,
  events: HttpsEvents,
): HttpsListener {
  const sessions = new Set<ServerHttp2Session>();
  const unasked = new Set<ServerHttp2Session>();
  let isClosing = false;
  const sockets = new Set<Socket>();
  const http2 = createHttp2Server({
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxSessionMemory: 1,
    settings: { maxConcurrentStreams: 100, maxHeaderListSize: limits.maxHeaderSize, enablePush: false },
    unknownProtocolTimeout: limits.headersTimeoutMs,
  });
  for (const event of ["request", "checkContinue", "checkExpectation"]) http2.on(event, events.http2);
  http2.on("session", (session) => {
    sessions.add(session);
    unasked.add(session);
    session.once("stream", () => {
      unasked.delete(session);
      if (isClosing) session.close();
    });
    session.once("close", () => {
      sessions.delete(session);
      unasked.delete(session);
    });
    limitSession(session, limits);
  });
  http2.on("sessionError", () => {}); // the client's fault, and its connection is gone

  const server = createServer({
    ...TLS_OPTIONS,
    ...certificates.first(),
    ALPNProtocols: ["h2", "http/1.1"],
    handshakeTimeout: limits.headersTimeoutMs,
    sessionTimeout: TICKET_SECONDS,
    SNICallback: (name, done) => done(null, certificates.contextFor(name.toLowerCase())),
  });
  events.guard(server);
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("secureConnection", (socket) => {
    if (socket.alpnProtocol === "h2") http2.emit("connection", socket);
    else events.http1(socket);
  });
  server.on("tlsClientError", (_error, socket) => {
    events.failed();
    socket.destroy(); // after one that took too long, node:tls leaves it open
  });

  let ticketKeys = randomBytes(TICKET_KEY_OCTETS);
  server.setTicketKeys(ticketKeys);
  const rotation = setInterval(() => {
    ticketKeys = randomBytes(TICKET_KEY_OCTETS);
    server.setTicketKeys(ticketKeys);
  }, TICKET_SECONDS * 1000);
  rotation.unref();

  return {
    open: async (place) => await open(server, place),
    renew() {
      server.setSecureContext(certificates.first());
      server.setTicketKeys(ticketKeys);
    },
    async close(graceMs) {
      clearInterval(rotation);
      isClosing = true;
      await acceptWaiting(server, graceMs);
      const timer = setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, graceMs);
      const closed = new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
      // Who has just come may have a request under way.
      for (const session of sessions) if (!unasked.has(session)) session.close();
      await closed;
      clearTimeout(timer);
    },
  };
}

async function open(server: Server, { endpoint, ipv6Only, fd }: HttpsPlace): Promise<Endpoint> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error) => reject(cannotListen("HTTPS", formatEndpoint(endpoint), error)));
    server.listen(
      fd === undefined ? { ...endpoint, ipv6Only, backlog: BACKLOG } : { fd, backlog: BACKLOG },
      resolve,
    );
  });
  return { host: endpoint.host, port: (server.address() as AddressInfo).port };
}

/** Who waits to be accepted; the system grants what it allows. */
const BACKLOG = 4096;
/** How long a session can be taken up again, and how often the key of its tickets changes. */
const TICKET_SECONDS = 12 * 3600;
/** As `setTicketKeys` takes them: a name, and keys for HMAC and AES. */
const TICKET_KEY_OCTETS = 48;
