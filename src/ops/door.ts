/**
 * The operators' door.
 *
 *   request ─► admit (auth) ─► schema (operations) ─► handler ─► api ─► answer
 *                  │               │                    └► metrics · events · page · openapi
 *                  └───────────────┴─► problem+json
 */
import type { AddressInfo } from "node:net";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { cannotListen, formatEndpoint } from "../base/endpoint.ts";
import { Tally } from "../base/tally.ts";
import type { Endpoint, Token } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { MetricSource } from "../model/metrics.ts";
import type { OpsApi } from "./api.ts";
import { type Admission, admit, type Caller, createGuard, type Guard, isLoopback } from "./auth.ts";
import { createEventHub, EVENT_LIMITS, type EventHub, type EventLimits } from "./events.ts";
import { type Answer, type Call, createHandlers, type Handlers, PAGE_ANSWER } from "./handlers.ts";
import { createMetrics } from "./metrics.ts";
import { openapiDocument } from "./openapi.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import { problem } from "./problems.ts";
import { createServer, SECURITY_HEADERS, sendJson, sendProblem } from "./server.ts";

export interface OpsDoorOptions {
  readonly endpoint: Endpoint;
  readonly tokens: readonly Token[];
  readonly api: OpsApi;
  readonly log: Log;
  /** Of edgeward. */
  readonly version: string;
  readonly eventLimits?: EventLimits;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs?: () => number;
}

export interface OpsDoor {
  /** Where it really listens. */
  readonly endpoint: Endpoint;
  /** The door's own; it renders them anyway, so the application may or may not list them among its own. */
  readonly metrics: MetricSource;
  /**
   * Replaces the tokens; open event streams end if they changed. On an address beyond loopback an
   * empty list admits nobody.
   * @throws TypeError if a token's hash is not a SHA-256; the old tokens stay
   */
  take(change: { readonly tokens: readonly Token[] }): void;
  /** Ends event streams, lets answers in flight finish for a second, and frees the address. */
  stop(): Promise<void>;
}

/**
 * Starts to listen. Without tokens it does so on loopback only, and then answers to anyone there.
 * @throws if the address cannot be bound, if it is not loopback and there are no tokens, or if a
 * token's hash is not a SHA-256
 */
export async function startOpsDoor(options: OpsDoorOptions): Promise<OpsDoor> {
  const { endpoint, api, log, version, nowMs = Date.now } = options;
  refuseOpenDoor(endpoint, options.tokens);
  const lock: Lock = { guard: createGuard(endpoint, options.tokens) };
  const requests = new Tally("operation", "code");
  const events = createEventHub(
    api.subscribe.bind(api),
    SECURITY_HEADERS,
    options.eventLimits ?? EVENT_LIMITS,
  );
  const metrics: MetricSource = () => [
    requests.family("ops_requests_total", "Requests at the operators' door"),
    ...events.metrics(),
  ];
  const renderMetrics = createMetrics({ sources: () => new Set([...api.metrics, metrics]), version, log });
  const openapi = openapiDocument(version);
  const handlers = createHandlers({ api, renderMetrics, openapi, log, nowMs });

  const app = createServer(log);
  watchOver(app, lock, requests);
  addRoutes(app, handlers, events);
  await listen(app, endpoint, events);
  app.server.on("error", (error) => log.error({ error }, "operators' door"));
  return {
    endpoint: { host: endpoint.host, port: (app.server.address() as AddressInfo).port },
    metrics,
    take: tokenTaker(options, lock, events),
    stop: () => stop(app, events),
  };
}

/** What holds the guard of the moment. */
interface Lock {
  guard: Guard;
}

const FAREWELL_MS = 1000;
const MAX_TARGET_OCTETS = 8192;
const NOBODY: Caller = { kind: "local" };

function refuseOpenDoor({ host }: Endpoint, tokens: readonly Token[]): void {
  if (tokens.length > 0 || isLoopback(host)) return;
  throw new Error(
    `the operators' door needs ops.tokens to listen on ${host}; without, it may use 127.0.0.1 or ::1`,
  );
}

/** Before a body is read: too long, refused, or on with the name of who asks. */
function watchOver(app: FastifyInstance, lock: Lock, requests: Tally): void {
  app.addHook("onRequest", async (request, reply) => {
    request.caller = NOBODY;
    if (request.url.length > MAX_TARGET_OCTETS) return sendProblem(reply, problem("target-too-long"));
    // RFC 9112 3.2
    if (request.headers.host === undefined && request.raw.httpVersion === "1.1")
      return sendProblem(reply, problem("malformed-request", "there is no Host"));
    const admission = admissionOf(lock.guard, request);
    if (admission.kind === "refused") return sendRefusal(request, reply, admission);
    request.caller = admission.caller;
  });
  app.addHook("onResponse", async (request, reply) => {
    requests.add(operationOf(request)?.id ?? "none", String(reply.statusCode));
  });
}

function admissionOf(guard: Guard, request: FastifyRequest): Admission {
  const { authorization, host, origin, "sec-fetch-site": site } = request.headers;
  const credentials = { method: request.method, authorization, host, origin, site: site?.toString() };
  const { id } = request.params as { id?: string };
  return admit(guard, credentials, operationOf(request)?.access ?? "authenticated", id);
}

/** The page is told no as well, yet comes along: it has no data, and it is where a token is typed in. */
function sendRefusal(
  request: FastifyRequest,
  reply: FastifyReply,
  { code, detail }: Admission & { kind: "refused" },
): FastifyReply {
  if (code !== "unauthorized") return sendProblem(reply, problem(code, detail));
  reply.code(401).header("www-authenticate", "Bearer");
  const wantsPage = operationOf(request)?.id === "page" && request.headers.accept?.includes("text/html");
  return wantsPage === true ? sendAnswer(reply, PAGE_ANSWER) : sendProblem(reply, problem(code));
}

function operationOf(request: FastifyRequest): Operation | undefined {
  return request.routeOptions.config.operation;
}

function addRoutes(app: FastifyInstance, handlers: Handlers, events: EventHub): void {
  for (const operation of OPERATIONS) {
    app.route({
      method: operation.method,
      url: operation.path.replace(/\{(\w+)\}/g, ":$1"),
      config: { operation },
      schema: requestSchema(operation),
      bodyLimit: operation.bodyLimit,
      exposeHeadRoute: operation.id !== "events",
      handler: operation.id === "events" ? eventsRoute(events) : route(handlers[operation.id]),
    });
  }
}

function requestSchema({ params, query, body }: Operation): Record<string, unknown> {
  const parts = { params, querystring: query, body };
  return Object.fromEntries(Object.entries(parts).filter(([, schema]) => schema !== undefined));
}

function route(handler: Handlers[keyof Handlers]) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const { caller, body } = request;
    const params = request.params as Call["params"];
    const query = request.query as Record<string, string>;
    const { accept, "x-api-user": apiUser, "x-api-key": apiKey } = request.headers;
    const credentials = { apiUser: apiUser?.toString() ?? "", apiKey: apiKey?.toString() ?? "" };
    return sendAnswer(reply, await handler({ caller, params, query, body, accept, ...credentials }));
  };
}

function eventsRoute(events: EventHub) {
  return async (_request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> =>
    events.add(reply.raw)
      ? reply.hijack()
      : sendProblem(reply.header("retry-after", "10"), problem("too-many-subscribers"));
}

function sendAnswer(reply: FastifyReply, answer: Answer): FastifyReply {
  switch (answer.kind) {
    case "json":
      return sendJson(reply, answer.body);
    case "text":
      if (answer.policy !== undefined) reply.header("content-security-policy", answer.policy);
      return reply.headers(SECURITY_HEADERS).type(answer.contentType).send(answer.text);
    case "empty":
      return reply.code(204).headers(SECURITY_HEADERS).send();
    case "problem":
      return sendProblem(reply, answer.problem);
  }
}

async function listen(app: FastifyInstance, endpoint: Endpoint, events: EventHub): Promise<void> {
  try {
    await app.listen({ host: endpoint.host, port: endpoint.port });
  } catch (error) {
    events.stop();
    await app.close();
    throw cannotListen("operators", formatEndpoint(endpoint), error as NodeJS.ErrnoException);
  }
}

function tokenTaker({ endpoint, tokens }: OpsDoorOptions, lock: Lock, events: EventHub): OpsDoor["take"] {
  let held = JSON.stringify(tokens);
  return ({ tokens }) => {
    const next = JSON.stringify(tokens);
    if (next === held) return;
    lock.guard = createGuard(endpoint, tokens);
    held = next;
    events.endAll();
  };
}

async function stop(app: FastifyInstance, events: EventHub): Promise<void> {
  events.stop();
  const impatience = setTimeout(() => app.server.closeAllConnections(), FAREWELL_MS);
  await app.close();
  clearTimeout(impatience);
}
