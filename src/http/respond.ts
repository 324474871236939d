import { createServiceTable } from "../base/service-table.ts";
import type { Decide, Trace } from "../model/decision.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { Service } from "../model/service.ts";
import type { Steer } from "../model/steering.ts";
import { type Answer, type LeftOut, manifest, preflight } from "./answer.ts";
import { clientOf, compileTrusted } from "./client-address.ts";
import { cmcdRefusal, HEARD, type HearPlayers, type Reads, readsCmcd } from "./cmcd.ts";
import { answerTo } from "./decision-answer.ts";
import { isForPlainHttp, toHttps } from "./https-redirect.ts";
import { createLocations } from "./location.ts";
import { CMCD, isAt, ownAt, RESERVED, STEERING, streamPathOf } from "./own-paths.ts";
import { createReachable } from "./reachable.ts";
import { unwrapped } from "./redirector-php.ts";
import { schemeOf } from "./scheme.ts";
import type { Target } from "./target.ts";
import type { RejectedReason } from "./counts.ts";
import {
  asksForJson,
  type Asked,
  askedFor,
  refusal,
  type RequestLimits,
  type ViewerRequest,
} from "./viewer-request.ts";

/** An answer and what is counted of it. */
export interface Response {
  readonly answer: Answer;
  /** `-` where no service was found. */
  readonly serviceId: string;
  /** Why no service was even looked for. */
  readonly rejected?: RejectedReason;
  /** The body is to be read first; `answer` is for want of one. */
  readonly reads?: Reads;
}

/** The part of an inventory that the door needs. */
export type DoorInventory = Pick<Inventory, "trustedProxies" | "services" | "detailsFor" | "proxyProtocol"> &
  // Left out: decisions are asked for whole, not for their best edge alone.
  Partial<Pick<Inventory, "edges">>;

export interface ResponderOptions extends DoorInventory, RequestLimits {
  readonly decide: Decide;
  readonly steer: Steer;
  /** Left out: nobody listens. */
  readonly hear?: HearPlayers;
  readonly log: Log;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs?: () => number;
}

/** Turns requests into answers. No `await`, no socket. */
export interface Responder {
  readonly respond: (request: ViewerRequest) => Response;
  readonly take: (inventory: DoorInventory) => void;
}

export function createResponder(options: ResponderOptions): Responder {
  const { decide, steer, nowMs = Date.now } = options;
  let rules = rulesOf(options, options.log);

  /** What stands behind the address is the path of a request for the stream. */
  const steering = (request: ViewerRequest, { hostname, port, target }: Asked, service: Service): Answer => {
    if (request.method !== "GET" && request.method !== "HEAD")
      return refusal(request, 405, "steering manifests are read with GET", { Allow: "GET, HEAD, OPTIONS" });
    const { isTrusted } = rules;
    const client = clientOf(request.peer, request.headers, isTrusted);
    const authority = port === "" ? hostname : `${hostname}:${port}`;
    const path = streamPathOf(STEERING, target);
    const address = `${schemeOf(request, isTrusted(request.peer))}://${authority}${target.path}`;
    const call = { service, hostname, client, query: target.query, address };
    const body = steer(path === undefined ? call : { ...call, path });
    return body === undefined ? refusal(request, 410, "this service steers no longer") : manifest(body);
  };

  const cmcd = (request: ViewerRequest, hear: HearPlayers, service: Service): Response => {
    const refused = cmcdRefusal(request.method, request.headers, asksForJson(request));
    if (refused !== undefined) return { serviceId: service.id, answer: refused };
    const client = clientOf(request.peer, request.headers, rules.isTrusted);
    const reads = readsCmcd((body) => hear(service, client, body));
    return { serviceId: service.id, answer: HEARD, reads };
  };

  const isPlain = (request: ViewerRequest): boolean =>
    schemeOf(request, rules.isTrusted(request.peer)) === "http";

  /** What every other path is for: an edge is decided on. */
  const decided = (request: ViewerRequest, hostname: string, target: Target, service: Service): Response => {
    const client = clientOf(request.peer, request.headers, rules.isTrusted);
    const leftOut = rules.maySeeDetails?.(client.address) === true && asksForJson(request) ? [] : undefined;
    const isTimed = service.http.serverTiming === true;
    const startMs = isTimed ? performance.now() : 0;
    const { path } = target;
    const isBestEnough =
      leftOut === undefined && rules.areAllReachable(service) && !needsAll(service, request);
    const needsIpv4 = client.address.family === 4;
    const question = isBestEnough
      ? { hostname, client, path, needsIpv4, most: 1 }
      : { hostname, client, path, needsIpv4 };
    const decision = decide(question, "http", leftOut && collecting(leftOut));
    if (decision === undefined) return unserved(request);
    const durationMs = isTimed ? performance.now() - startMs : 0;
    const context = { client, decision, leftOut, durationMs };
    return { serviceId: decision.service.id, answer: answerTo(request, target, context, rules, nowMs) };
  };

  return {
    take(inventory) {
      rules = rulesOf(inventory, options.log);
    },

    respond(request) {
      const asked = askedFor(request, options);
      if (asked.kind === "rejected") {
        const { status, detail, reason } = asked;
        return { serviceId: "-", answer: refusal(request, status, detail), rejected: reason };
      }
      const { hostname } = asked;
      const own = ownAt(asked.target.path);
      const asksFor = own === undefined ? asked.target.path : streamPathOf(own, asked.target);
      const service = rules.serviceAt(hostname, asksFor);
      if (service === undefined)
        return rules.serviceAt(hostname) === undefined ? unserved(request) : pathless(request);
      if (request.method === "OPTIONS") {
        const wanted = String(request.headers["access-control-request-headers"] ?? "");
        return { serviceId: service.id, answer: preflight(wanted) };
      }
      const { redirectToHttps } = service.http;
      if (redirectToHttps !== undefined && isPlain(request) && !isForPlainHttp(asked.target)) {
        const answer = toHttps(redirectToHttps, request.method, hostname, asked.target);
        return { serviceId: service.id, answer };
      }
      if (own === STEERING) return { serviceId: service.id, answer: steering(request, asked, service) };
      if (own === CMCD && service.experience !== undefined && options.hear !== undefined)
        return cmcd(request, options.hear, service);
      const inner = service.http.redirectorPhp === true ? unwrapped(asked.target) : undefined;
      if (inner?.kind === "malformed")
        return { serviceId: service.id, answer: refusal(request, 400, inner.detail) };
      const target = inner?.target ?? asked.target;
      if (isAt(RESERVED, target.path))
        return { serviceId: service.id, answer: refusal(request, 404, "nothing is here") };
      return decided(request, hostname, target, service);
    },
  };
}

/** What follows from the configuration. */
function rulesOf({ trustedProxies, services, edges = [], detailsFor }: DoorInventory, log: Log) {
  const serviceAt = createServiceTable(services);
  const locations = createLocations((hostname) => serviceAt(hostname) !== undefined, log);
  return {
    isTrusted: compileTrusted(trustedProxies),
    maySeeDetails: detailsFor && compileTrusted(detailsFor),
    serviceAt,
    locations,
    areAllReachable: createReachable(edges, locations),
  };
}

/** Whether the answer names other edges beside the best one. */
function needsAll({ http }: Service, request: ViewerRequest): boolean {
  return http.links === true || asksForJson(request);
}

function unserved(request: ViewerRequest): Response {
  return { serviceId: "-", answer: refusal(request, 421, "no service has this hostname") };
}

function pathless(request: ViewerRequest): Response {
  return { serviceId: "-", answer: refusal(request, 404, "no service of this hostname has this path") };
}

function collecting(leftOut: LeftOut[]): Trace {
  return { reject: (edge, reason, distanceKm) => void leftOut.push({ edge, reason, distanceKm }) };
}
