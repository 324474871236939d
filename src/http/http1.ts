import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { peerOf } from "../base/peer.ts";
import type { ProxyRefusals } from "../base/proxy-refusals.ts";
import type { Address } from "../model/address.ts";
import { type Answer, headersOf } from "./answer.ts";
import {
  type ConnectionRefusal,
  isBehindTheLast,
  refusalOf,
  refuseConnection,
  throwAway,
} from "./client-error.ts";
import { collect, withBody } from "./collect.ts";
import type { Counts } from "./counts.ts";
import type { HttpLimits } from "./limits.ts";
import type { ListenerEvents } from "./listener.ts";
import type { ProxiedConnections } from "./proxied.ts";
import type { Responder, Response } from "./respond.ts";

/** Answers what comes over HTTP/1.1, and refuses connections that cannot be answered on any more. */
export interface Http1 {
  readonly events: ListenerEvents;
  /** Others have read from the connection already, so that its `bytesRead` does not tell. */
  begun(socket: Socket): void;
  /** From now on, each answer is its connection's last. */
  stop(): void;
}

export interface Http1Options {
  readonly respond: Responder["respond"];
  readonly connections: Pick<ProxiedConnections, "of" | "isBalancer">;
  readonly refusals: ProxyRefusals;
  readonly counts: Counts;
  readonly limits: HttpLimits;
}

export function createHttp1({ respond, connections, refusals, counts, limits }: Http1Options): Http1 {
  const latest = new WeakMap<Socket, ServerResponse>();
  const finalized = new WeakSet<Socket>(); // have had their last answer
  const begun = new WeakSet<Socket>();
  const answered = new WeakMap<Socket, number>();
  const atOnce = countsInTurn<Socket>();
  let stopping = false;

  const viewerRequest = ({ method = "", rawHeaders, headers, socket }: IncomingMessage, target: string) => {
    const told = connections.of(socket);
    const isEncrypted = "encrypted" in socket || told?.isEncrypted === true;
    return { method, target, rawHeaders, headers, peer: told?.address ?? peerOf(socket), isEncrypted };
  };

  const answer = (request: IncomingMessage, response: ServerResponse, target: string): void => {
    if (finalized.has(request.socket)) return;
    const startMs = performance.now();
    const made = respond(viewerRequest(request, target));
    const { reads } = made;
    if (reads === undefined) return send(request, response, made, bodyOf(request), startMs);
    if (request.headers.expect !== undefined) response.writeContinue();
    collect(request, reads.most, (octets) => {
      const body = octets === undefined ? "arriving" : "none";
      send(request, response, withBody(made, reads, octets), body, startMs);
    });
  };

  const send = (
    request: IncomingMessage,
    response: ServerResponse,
    { answer, serviceId, rejected }: Response,
    body: Body,
    startMs: number,
  ): void => {
    const count = (answered.get(request.socket) ?? 0) + 1;
    latest.set(request.socket, response);
    answered.set(request.socket, count);
    const areTooMany = atOnce.add(request.socket) >= limits.maxRequestsAtOnce;
    // At its own limit node:http says that it closes, and does not.
    if (stopping || body !== "none" || areTooMany || count === limits.maxRequestsPerConnection) {
      response.setHeader("Connection", "close");
      finalized.add(request.socket);
    }
    if (body === "arriving") answerThenDiscard(request, response, answer, limits);
    else response.writeHead(answer.status, headersOf(answer)).end(answer.body);
    // What else has come is not even parsed, which would cost as much as answers do.
    if (areTooMany) throwAway(request.socket, limits.lingerMs);
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

  return {
    events: {
      request: answer,
      clientError: (error, socket) => {
        if (isBehindTheLast(error)) throwAway(socket, limits.lingerMs);
        else refuse(socket, refusalOf(error, limits.maxTargetLength));
      },
      connect: (socket) => refuse(socket, { status: 405, reason: "bad-request" }),
    },
    begun: (socket) => void begun.add(socket),
    stop() {
      stopping = true;
    },
  };
}

/** Counts that begin anew with each turn of the event loop. */
function countsInTurn<K extends object>(): { add(key: K): number } {
  let counts = new WeakMap<K, number>();
  let isNew = true;
  return {
    add(key) {
      if (isNew) setImmediate(() => ([counts, isNew] = [new WeakMap(), true]));
      isNew = false;
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count;
    },
  };
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
    if (size > limits.lingerOctets) finish();
  });
}
