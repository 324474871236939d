import { closeSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { constants, type Http2ServerRequest, type Http2ServerResponse } from "node:http2";
import { Socket } from "node:net";
import type { Proxied } from "../base/proxy-header.ts";
import { proxyRefusals } from "../base/proxy-refusals.ts";
import { peerOf } from "../base/peer.ts";
import type { Address } from "../model/address.ts";
import type { Decide } from "../model/decision.ts";
import type { Endpoint } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { Steer } from "../model/steering.ts";
import type { MetricSource } from "../model/metrics.ts";
import { type Answer, headersOf, problem } from "./answer.ts";
import type { Certificates } from "./certificates.ts";
import { collect } from "./collect.ts";
import type { HearPlayers, Reads } from "./cmcd.ts";
import {
  type ConnectionRefusal,
  endSlowly,
  isBehindTheLast,
  refusalOf,
  refuseConnection,
  throwAway,
} from "./client-error.ts";
import { type CountedIn, createCounts, httpMetrics, newCountedIn } from "./counts.ts";
import { DEFAULT_LIMITS, type HttpLimits } from "./limits.ts";
import { fromHttp2 } from "./http2-request.ts";
import { createHttpsListener, type HttpsEvents, type HttpsListener } from "./https.ts";
import { createFoster, createListener, type ListenerEvents } from "./listener.ts";
import { createProxied } from "./proxied.ts";
import { createResponder, type DoorInventory, type Response, type ViewerRequest } from "./respond.ts";

export interface HttpDoorOptions extends DoorInventory {
  readonly endpoints: readonly Endpoint[];
  readonly https?: HttpsOptions;
  readonly decide: Decide;
  readonly steer: Steer;
  /** What players report; left out: nobody listens. */
  readonly hear?: HearPlayers;
  readonly log: Log;
  readonly limits?: Partial<HttpLimits>;
  /** Where to count; of its own if left out. */
  readonly counted?: CountedIn;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs?: () => number;
}

export interface HttpsOptions {
  readonly endpoints: readonly Endpoint[];
  readonly certificates: Certificates;
  /** Sockets that listen there, which are the door's from now on; left out or empty: it opens its own. */
  readonly fds?: readonly number[];
}

export interface HttpDoor {
  /** As bound: port 0 is replaced by the one that the system chose. */
  readonly endpoints: readonly Endpoint[];
  readonly httpsEndpoints: readonly Endpoint[];
  readonly metrics: MetricSource;
  /** For a new configuration, in the same turn in which `decide` got it. */
  readonly take: (inventory: DoorInventory) => void;
  /** Serves the certificates as they are now to whoever comes from now on. */
  readonly renewCertificates: () => void;
  /** Serves a connection that someone else accepted. */
  readonly adopt: (adopted: Adopted) => void;
  /** Accepts no one new, answers what has arrived, and closes. */
  readonly stop: () => Promise<void>;
}

/** A connection that someone else accepted, read from, and maybe answered on. */
export interface Adopted {
  /** Its descriptor, which is ours from now on. */
  readonly fd: number;
  /** Octets that were read and not answered. */
  readonly input: Uint8Array;
  /** Octets of answers that the client has not taken yet. */
  readonly unsent: Uint8Array;
  /** Whether the last answer said that it closes. */
  readonly isEnding: boolean;
  /** As its PROXY header told; left out: there was none. */
  readonly proxied?: Proxied;
}

/**
 * Opens the viewers' HTTP door.
 *
 * ```
 * viewer ─► node:http ─► listener ─► respond ─► decide
 *               │                                 │
 *               └─► client-error                  └─► answer: 302 · 307 · 204 · 200 · 4xx · 503
 * ```
 *
 * @throws if an endpoint cannot be bound, with the address and the reason; then none stays open
 */
export async function startHttpDoor(options: HttpDoorOptions): Promise<HttpDoor> {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const counted = options.counted ?? newCountedIn();
  const counts = createCounts(counted);
  const responder = createResponder({ ...options, ...limits });
  const { respond } = responder;
  const refusals = proxyRefusals(options.log);
  const connections = createProxied({
    ...options,
    timeoutMs: limits.proxyHeaderTimeoutMs,
    onRefused: () => counts.rejected("proxy-header"),
  });
  const report = atMostEachSecond((error) => options.log.error({ err: error }, "an answer failed"));
  const latest = new WeakMap<Socket, ServerResponse>();
  const finalized = new WeakSet<Socket>(); // have had their last answer
  const begun = new WeakSet<Socket>(); // of which others have read already, so that `bytesRead` does not tell
  let stopping = false;

  const viewerRequest = ({ method = "", rawHeaders, headers, socket }: IncomingMessage, target: string) => {
    const told = connections.of(socket);
    const isEncrypted = "encrypted" in socket || told?.isEncrypted === true;
    return { method, target, rawHeaders, headers, peer: told?.address ?? peerOf(socket), isEncrypted };
  };

  const answer = (request: IncomingMessage, response: ServerResponse, target: string): void => {
    const startMs = performance.now();
    const made = respondSafely(respond, viewerRequest(request, target), report);
    const { reads } = made;
    if (reads === undefined) return send(request, response, made, bodyOf(request), startMs);
    if (request.headers.expect !== undefined) response.writeContinue();
    collect(request, reads.most, (octets) =>
      send(
        request,
        response,
        withBody(made, reads, octets),
        octets === undefined ? "arriving" : "none",
        startMs,
      ),
    );
  };

  const send = (
    request: IncomingMessage,
    response: ServerResponse,
    { answer, serviceId, rejected }: Response,
    body: Body,
    startMs: number,
  ): void => {
    latest.set(request.socket, response);
    if (stopping || body !== "none") {
      response.setHeader("Connection", "close");
      finalized.add(request.socket);
    }
    if (body === "arriving") answerThenDiscard(request, response, answer, limits);
    else response.writeHead(answer.status, headersOf(answer)).end(answer.body);
    if (rejected !== undefined) counts.rejected(rejected);
    counts.answered(answer.status, serviceId, (performance.now() - startMs) / 1000);
  };

  const refuse = (socket: Socket, refusal: ConnectionRefusal | undefined): void => {
    if (refusal === undefined) socket.destroy();
    else if (finalized.has(socket)) socket.destroySoon();
    else if (refusal.reason === "timeout" && socket.bytesRead === 0 && !begun.has(socket)) {
      counts.rejected(refusal.reason);
      socket.destroy(); // opened in advance, never used: an answer would be taken for that of a later request
    } else {
      finalized.add(socket);
      if (refusal.reason === "proxy-header") tellProxyHeader(peerOf(socket));
      counts.refused(refusal.status, refusal.reason);
      refuseConnection(socket, latest.get(socket), refusal.status, limits.lingerMs);
    }
  };

  const tellProxyHeader = (peer: Address): void => {
    if (connections.isBalancer(peer)) refusals.refused(peer, "a second one follows it");
    else refusals.uncalledFor(peer);
  };

  const events: ListenerEvents = {
    request: answer,
    clientError: (error, socket) => {
      if (isBehindTheLast(error)) throwAway(socket, limits.lingerMs);
      else refuse(socket, refusalOf(error, limits.maxTargetLength));
    },
    connect: (socket) => refuse(socket, { status: 405, reason: "bad-request" }),
  };
  const listeners = options.endpoints.map(() => createListener(limits, events, connections.guard));
  const foster = createFoster(limits, events);

  const answerHttp2 = (request: Http2ServerRequest, response: Http2ServerResponse): void => {
    const startMs = performance.now();
    const { stream } = request;
    const socket = stream.session?.socket;
    const asked = { ...fromHttp2(request), peer: connections.of(socket)?.address ?? peerOf(socket) };
    const made = respondSafely(respond, asked, report);
    const { reads } = made;
    if (reads === undefined) return sendHttp2(response, made, startMs);
    collect(request, reads.most, (octets) => sendHttp2(response, withBody(made, reads, octets), startMs));
  };

  const sendHttp2 = (
    response: Http2ServerResponse,
    { answer, serviceId, rejected }: Response,
    startMs: number,
  ): void => {
    const { stream } = response;
    // A body is not waited for (RFC 9113 8.1).
    if (!stream.endAfterHeaders) response.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
    response.writeHead(answer.status, headersOf(answer)).end(answer.body);
    if (rejected !== undefined) counts.rejected(rejected);
    counts.answered(answer.status, serviceId, (performance.now() - startMs) / 1000);
  };
  const https = createHttpsListeners(options.https, limits, {
    http1: (socket) => foster.take(socket, NOTHING),
    http2: answerHttp2,
    failed: () => counts.rejected("tls"),
    guard: connections.guard,
  });

  const stop = async (): Promise<void> => {
    stopping = true;
    connections.stop();
    const closing = [...listeners, foster, ...https];
    await Promise.all(closing.map(async ({ close }) => await close(limits.stopGraceMs)));
  };
  const adopt = ({ fd, input, unsent, isEnding, proxied }: Adopted): void => {
    const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
    if (proxied !== undefined) connections.note(socket, proxied);
    if (input.length > 0) begun.add(socket);
    if (unsent.length > 0) socket.write(unsent);
    if (isEnding) endSlowly(socket, limits.lingerMs);
    else foster.take(socket, input);
  };

  const openAll = async (): Promise<readonly PromiseSettledResult<Endpoint>[]> => {
    const { endpoints } = options;
    const { endpoints: encrypted = [], fds = [] } = options.https ?? {};
    return await Promise.allSettled([
      ...listeners.map(async (listener, i) => {
        const endpoint = endpoints[i] as Endpoint;
        return await listener.open(endpoint, hasIpv4Twin(endpoint, endpoints));
      }),
      ...https.map(async (listener, i) => {
        const endpoint = encrypted[i] as Endpoint;
        return await listener.open({ endpoint, ipv6Only: hasIpv4Twin(endpoint, encrypted), fd: fds[i] });
      }),
    ]);
  };
  const opened = await openAll();
  const failed = opened.find((one) => one.status === "rejected");
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const endpoints = opened.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  return {
    endpoints: endpoints.slice(0, listeners.length),
    httpsEndpoints: endpoints.slice(listeners.length),
    renewCertificates: () => https.forEach(({ renew }) => renew()),
    metrics: () => httpMetrics([counted]),
    take(inventory) {
      responder.take(inventory);
      connections.take(inventory);
    },
    adopt,
    stop,
  };
}

const NOTHING = new Uint8Array();

/** @throws what a listener cannot be made for; then the sockets that were to be its own are closed */
function createHttpsListeners(
  https: HttpsOptions | undefined,
  limits: HttpLimits,
  events: HttpsEvents,
): readonly HttpsListener[] {
  if (https === undefined) return [];
  try {
    return https.endpoints.map(() => createHttpsListener(https.certificates, limits, events));
  } catch (error) {
    for (const fd of https.fds ?? []) closeSync(fd);
    throw error;
  }
}

/** `::` takes IPv4 too, unless IPv4 has an endpoint of its own at that port. */
export function hasIpv4Twin({ host, port }: Endpoint, endpoints: readonly Endpoint[]): boolean {
  return host === "::" && endpoints.some((other) => other.host === "0.0.0.0" && other.port === port);
}

export function atMostEachSecond(report: (error: unknown) => void): (error: unknown) => void {
  let lastMs = Number.NEGATIVE_INFINITY;
  return (error) => {
    const nowMs = performance.now();
    if (nowMs - lastMs < 1000) return;
    lastMs = nowMs;
    report(error);
  };
}

/** A fault of ours is not the viewer's: the viewer may come back. */
export function respondSafely(
  respond: (request: ViewerRequest) => Response,
  request: ViewerRequest,
  report: (error: unknown) => void,
): Response {
  try {
    return respond(request);
  } catch (error) {
    report(error);
    const answer = problem(503, "no decision could be made", false, { "Retry-After": "10" });
    return { serviceId: "-", answer };
  }
}

/** @param octets `undefined`: it is too long */
function withBody(made: Response, { take }: Reads, octets: Buffer | undefined): Response {
  if (octets !== undefined) return { ...made, answer: take(octets.toString("latin1")) };
  return { ...made, answer: problem(413, "more events than are read at once", false) };
}

/** held-back: announced, but not sent before we ask for it, which we never do (RFC 9110 10.1.1). */
type Body = "none" | "arriving" | "held-back";

function bodyOf({ headers }: IncomingMessage): Body {
  if (headers["transfer-encoding"] === undefined && Number(headers["content-length"] ?? 0) === 0)
    return "none";
  return headers.expect === undefined ? "arriving" : "held-back";
}

/**
 * Sends the whole answer, throws away what still arrives of the body up to the limits, and only then closes: closing
 * with unread octets would reset the connection and could destroy the answer (RFC 9112 9.6).
 */
function answerThenDiscard(
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  limits: HttpLimits,
): void {
  const { status, body } = answer;
  response.writeHead(status, headersOf(answer));
  if (body === "") response.flushHeaders();
  else response.write(body);

  let size = 0;
  const finish = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(finish, limits.lingerMs);
  request.once("end", finish);
  request.once("close", finish);
  request.on("data", (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.lingerSize) finish();
  });
}
