import type { Socket } from "node:net";
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from "fastify";
import type { Log } from "../model/log.ts";
import type { Caller } from "./auth.ts";
import { JSON_TYPE, methodsAt, type Operation } from "./operations.ts";
import {
  ENCODED_BODY,
  PROBLEM_TYPE,
  type ProblemDocument,
  problem,
  problemOf,
  type RequestError,
} from "./problems.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    operation?: Operation;
  }
  interface FastifyRequest {
    /** Who asks; set before any handler runs. */
    caller: Caller;
  }
}

export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "x-content-type-options": "nosniff",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
};

/** How long a connection may be silent: a new process that takes this one's place is waited for meanwhile. */
const SILENCE_MS = 100_000;

/** An HTTP server without routes, bounded in time and size, that says every no as problem+json. */
export function createServer(log: Log): FastifyInstance {
  const app = fastify({
    logger: false,
    requestTimeout: 10_000,
    connectionTimeout: SILENCE_MS,
    keepAliveTimeout: 65_000,
    forceCloseConnections: "idle",
    routerOptions: { maxParamLength: 8192 },
    http: {
      maxHeaderSize: 16 * 1024,
      headersTimeout: 10_000,
      connectionsCheckingInterval: 2000,
      requireHostHeader: false, // who leaves it out is answered in the form of every other no
    },
    // A string is not a number, and an unknown field is a mistake to be told of.
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false } },
    schemaErrorFormatter: (errors, part) =>
      new Error(errors.map((error) => `${part}${error.instancePath} ${expectation(error)}`).join(", ")),
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, _request, reply) => {
      void sendProblem(reply, problemOf(error) ?? problem("internal"));
    },
  });
  app.server.maxConnections = 512;
  takeOnlyJson(app);
  answerErrors(app, log);
  app.decorateRequest("caller");
  return app;
}

export function sendProblem(reply: FastifyReply, document: ProblemDocument): FastifyReply {
  return reply
    .code(document.status)
    .headers(SECURITY_HEADERS)
    .type(PROBLEM_TYPE)
    .send(JSON.stringify(document));
}

export function sendJson(reply: FastifyReply, body: unknown): FastifyReply {
  return reply.headers(SECURITY_HEADERS).type(JSON_TYPE).send(JSON.stringify(body));
}

/** Bodies are taken as they are (RFC 9110 8.4). */
function whyEncoded({ headers }: FastifyRequest): Error | undefined {
  const coding = headers["content-encoding"]?.trim().toLowerCase() ?? "";
  if (coding === "" || coding === "identity") return undefined;
  return Object.assign(new Error("a coding"), { statusCode: 415, code: ENCODED_BODY });
}

/**
 * Keys that would poison a prototype are refused; clients that announce JSON and send nothing are not, where nothing
 * is needed.
 */
function takeOnlyJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    const needed = request.routeOptions.config.operation?.body !== undefined;
    const encoded = whyEncoded(request);
    if (encoded !== undefined) done(encoded);
    else if (body === "" && !needed) done(null);
    else void parse(request, body as string, done);
  });
  app.addContentTypeParser("*", { parseAs: "string" }, (request, body, done) => {
    const encoded = whyEncoded(request);
    if (encoded !== undefined) done(encoded);
    else if (request.routeOptions.config.operation?.anyContentType === true)
      void parse(request, body as string, done);
    else done(Object.assign(new Error("not JSON"), { statusCode: 415 }));
  });
}

function answerErrors(app: FastifyInstance, log: Log): void {
  app.setErrorHandler<RequestError>((error, request, reply) => {
    const document = problemOf(error);
    // Tells what would be taken (RFC 9110 15.5.16).
    if (error.code === ENCODED_BODY) void reply.header("accept-encoding", "identity");
    if (document !== undefined) return sendProblem(reply, document);
    log.error({ error, operation: request.routeOptions.config.operation?.id }, "operators' door");
    return sendProblem(reply, problem("internal"));
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = methodsAt(request.url.split("?")[0] ?? "");
    if (allowed.length === 0) return sendProblem(reply, problem("not-found"));
    const detail = `use ${allowed.join(" or ")}`;
    return sendProblem(reply.header("allow", allowed.join(", ")), problem("method-not-allowed", detail));
  });
}

/** As ajv says it. */
interface SchemaError {
  readonly message?: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** Characters of a key that nobody knows. */
const MOST_REPEATED = 60;

/** What the schema wants there, with the words that the library leaves out. */
function expectation({ message = "is wrong", params }: SchemaError): string {
  const { additionalProperty, allowedValues } = params;
  if (typeof additionalProperty === "string")
    return `${message}, as ${JSON.stringify(additionalProperty.slice(0, MOST_REPEATED))}`;
  return Array.isArray(allowedValues) ? `${message}: ${allowedValues.join(", ")}` : message;
}

/** What the parser of HTTP itself refuses never becomes a request, so it is answered on the socket. */
function answerBrokenRequest(error: { code: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const document = brokenRequestProblem(error.code);
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${document.title}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${body}`, () => socket.destroy());
}

function brokenRequestProblem(code: string): ProblemDocument {
  switch (code) {
    case "HPE_HEADER_OVERFLOW":
      return problem("headers-too-large", "at most 16 KiB");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return problem("request-timeout");
    default:
      return problem("malformed-request");
  }
}
