import { createServiceTable } from "../base/service-table.ts";
import type { Address } from "../model/address.ts";
import type { Client } from "../model/client.ts";
import type { Choice, Decide, Decision, RefusalReason, Trace } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import type { Inventory } from "../model/inventory.ts";
import type { Log } from "../model/log.ts";
import type { Service } from "../model/service.ts";
import type { Steer } from "../model/steering.ts";
import { prefersJson } from "./accept.ts";
import {
  type Answer,
  choices,
  duplicateLinks,
  type LeftOut,
  manifest,
  preflight,
  problem,
  redirect,
  serverTiming,
  type Target,
} from "./answer.ts";
import { cmcdRefusal, HEARD, type HearPlayers, type Reads, readsCmcd } from "./cmcd.ts";
import { clientOf, compileTrusted, type HeaderFields } from "./client-address.ts";
import { hostOf } from "./host.ts";
import { isForPlainHttp, toHttps } from "./https-redirect.ts";
import { createLocations, printable } from "./location.ts";
import { createReachable } from "./reachable.ts";
import { unwrapped } from "./redirector-php.ts";
import { schemeOf } from "./scheme.ts";
import { sign } from "./signature.ts";
import { parseTarget, type Target as RequestTarget } from "./target.ts";

/** A request as received; what lies behind it, socket or test, does not matter here. */
export interface ViewerRequest {
  readonly method: string;
  /** The request target byte for byte, one character per octet. */
  readonly target: string;
  readonly rawHeaders: readonly string[];
  readonly headers: HeaderFields;
  /** Left out: as many as there are in `rawHeaders`. */
  readonly fieldCount?: number;
  /** The socket's other end. */
  readonly peer: Address;
  /** Whether the request came encrypted; left out: it did not. */
  readonly isEncrypted?: boolean;
}

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

export type RejectedReason =
  | "bad-host"
  | "header-overflow"
  | "uri-too-long"
  | "bad-request"
  | "timeout"
  | "tls"
  | "proxy-header";

/** The part of an inventory that the door needs. */
export type DoorInventory = Pick<Inventory, "trustedProxies" | "services" | "detailsFor" | "proxyProtocol"> &
  // Left out: decisions are asked for whole, not for their best edge alone.
  Partial<Pick<Inventory, "edges">>;

export interface ResponderOptions extends DoorInventory {
  readonly decide: Decide;
  readonly steer: Steer;
  /** Left out: nobody listens. */
  readonly hear?: HearPlayers;
  readonly log: Log;
  /** Octets of the longest request target. */
  readonly maxTargetLength: number;
  readonly maxHeaderFields: number;
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
      const isSteering = own === STEERING;
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
      if (isSteering) return { serviceId: service.id, answer: steering(request, asked, service) };
      if (own === CMCD && service.experience !== undefined && options.hear !== undefined)
        return cmcd(request, options.hear, service);
      const inner = service.http.redirectorPhp === true ? unwrapped(asked.target) : undefined;
      if (inner?.kind === "malformed")
        return { serviceId: service.id, answer: refusal(request, 400, inner.detail) };
      const target = inner?.target ?? asked.target;
      if (isAt(RESERVED, target.path))
        return { serviceId: service.id, answer: refusal(request, 404, "nothing is here") };

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
    },
  };
}

/** What follows from the configuration. */
type Rules = ReturnType<typeof rulesOf>;

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

/** What a request is for. */
interface Asked {
  readonly kind: "asked";
  readonly hostname: string;
  /** As the viewer knows it; empty where none is told. */
  readonly port: string;
  readonly target: RequestTarget;
}

/** Why it cannot be told. */
interface NotAsked {
  readonly kind: "rejected";
  readonly status: 400 | 414 | 431;
  readonly reason: RejectedReason;
  readonly detail: string;
}

function askedFor(
  { method, target: raw, headers, rawHeaders, fieldCount = rawHeaders.length / 2 }: ViewerRequest,
  { maxTargetLength, maxHeaderFields }: ResponderOptions,
): Asked | NotAsked {
  if (raw.length > maxTargetLength)
    return rejected(414, "uri-too-long", `the target is longer than ${maxTargetLength} octets`);
  const target = parseTarget(raw);
  if (target === undefined || (target.path === "*" && method !== "OPTIONS"))
    return rejected(400, "bad-request", "a malformed request target");
  if (fieldCount > maxHeaderFields)
    return rejected(431, "header-overflow", `more than ${maxHeaderFields} header fields`);
  if (!hasKnownLength(headers["transfer-encoding"]))
    return rejected(400, "bad-request", "a Transfer-Encoding that does not end in chunked");
  const host = hostOf(rawHeaders, target.authority);
  if (host.kind === "malformed") return rejected(400, "bad-host", host.detail);
  const { hostname, port } = host;
  return { kind: "asked", hostname, port, target };
}

function rejected(status: 400 | 414 | 431, reason: RejectedReason, detail: string): NotAsked {
  return { kind: "rejected", status, reason, detail };
}

/** RFC 9112 6.3: otherwise nobody knows where the request ends. */
function hasKnownLength(transferEncoding: string | readonly string[] | undefined): boolean {
  return transferEncoding === undefined || /(?:^|,)[ \t]*chunked$/i.test(String(transferEncoding));
}

function refusal(request: ViewerRequest, status: number, detail: string, more?: Answer["headers"]): Answer {
  return problem(status, detail, asksForJson(request), more);
}

function asksForJson({ headers }: ViewerRequest): boolean {
  const { accept } = headers;
  return prefersJson(typeof accept === "string" ? accept : accept?.join(","));
}

/** Paths of our own, on every service's hostname. */
const RESERVED = "/.edgeward";
const STEERING = `${RESERVED}/steering`;

const CMCD = `${RESERVED}/cmcd`;

/** Those of our own paths behind which a stream may be named. */
function ownAt(path: string): typeof STEERING | typeof CMCD | undefined {
  if (!path.startsWith(RESERVED)) return undefined;
  if (isAt(STEERING, path)) return STEERING;
  return isAt(CMCD, path) ? CMCD : undefined;
}

/** What stands behind an address of ours. */
function streamPathOf(own: string, { path }: RequestTarget): string | undefined {
  return path.length > own.length + 1 ? path.slice(own.length) : undefined;
}

function isAt(prefix: string, path: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path[prefix.length] === "/");
}

function collecting(leftOut: LeftOut[]): Trace {
  return { reject: (edge, reason, distanceKm) => void leftOut.push({ edge, reason, distanceKm }) };
}

/** A decision, and what may be told of it. */
interface Decided {
  readonly client: Client;
  readonly decision: Decision;
  /** For those who may see it. */
  readonly leftOut: readonly LeftOut[] | undefined;
  /** 0 where nobody wants to know. */
  readonly durationMs: number;
}

function answerTo(
  request: ViewerRequest,
  target: RequestTarget,
  decided: Decided,
  { locations, isTrusted }: Rules,
  nowMs: () => number,
): Answer {
  const { client, decision, leftOut } = decided;
  const { service, outcome } = decision;
  const { path, query } = target;
  const isRead = request.method === "GET" || request.method === "HEAD";
  const status = isRead ? 302 : 307;
  const asJson = isRead && asksForJson(request);

  switch (outcome.kind) {
    case "edges":
    case "overload":
    case "fail-open": {
      const signed = service.signing && sign(service.signing, path, client.address, nowMs());
      // How the viewer comes matters to templates alone.
      const scheme = service.http.templates ? schemeOf(request, isTrusted(request.peer)) : "http";
      const urlAt: UrlAt = ({ edge }) => locations.of(service, edge, scheme)?.(path, query, signed);
      if (!asJson) return redirectTo(decided, status, urlAt) ?? refusal(request, 503, NO_URL, RETRY_LATER);
      const targets = targetsOf(decision, urlAt);
      if (targets.length === 0) return refusal(request, 503, NO_URL, RETRY_LATER);
      const withUrls = targets.map(({ choice, url }): Target => {
        const others = [...locations.others(service, choice.edge)];
        const urls = Object.fromEntries(others.map(([name, build]) => [name, build(path, query, signed)]));
        const known = othersOf(choice.edge, path, query);
        return { choice, url, ...known, ...(others.length > 0 && { urls: { ...known.urls, ...urls } }) };
      });
      return choices(decision, client, withUrls, undefined, leftOut);
    }
    case "fallback": {
      const url = locations.ofFallback(service)?.(path, query);
      if (url === undefined) return refusal(request, 503, NO_FALLBACK_URL, RETRY_LATER);
      return asJson ? choices(decision, client, [], url, leftOut) : redirect(status, url, NO_STORE);
    }
    case "refused": {
      const { status, detail } = REFUSALS[outcome.reason];
      return refusal(request, status, detail, status === 503 ? RETRY_LATER : undefined);
    }
  }
}

/** Where a redirect to an edge goes; `undefined` if it can go nowhere there. */
type UrlAt = (choice: Choice) => string | undefined;

/** To the best edge that has somewhere to go; `undefined` if none has. */
function redirectTo({ decision, durationMs }: Decided, status: 302 | 307, urlAt: UrlAt): Answer | undefined {
  const { edges, service } = decision;
  const caching = status === 302 ? cachingOf(decision) : NO_STORE;
  for (const choice of edges) {
    const url = urlAt(choice);
    if (url === undefined) continue;
    const { links, serverTiming: isTimed } = service.http;
    if (links !== true && isTimed !== true) return redirect(status, url, caching);
    return redirect(status, url, caching, {
      ...(links === true ? linksTo(targetsOf(decision, urlAt)) : {}),
      ...(isTimed === true ? serverTiming(choice.edge.id, durationMs) : {}),
    });
  }
  return undefined;
}

/** The edges that redirects can go to, best first. */
function targetsOf({ edges }: Decision, urlAt: UrlAt): Target[] {
  const targets: Target[] = [];
  for (const choice of edges) {
    const url = urlAt(choice);
    if (url !== undefined) targets.push({ choice, url });
  }
  return targets;
}

/** Behind each of them goes what was asked for. */
function othersOf({ urls }: Edge, path: string, query: string): Pick<Target, "urls"> {
  if (urls === undefined) return {};
  const behind = printable(path) + printable(query);
  return { urls: Object.fromEntries(Object.entries(urls).map(([word, url]) => [word, url + behind])) };
}

/** More mirrors than this are of no use. */
const LINKS_MAX = 4;

/** All but the first, which is where the redirect goes. */
function linksTo(targets: readonly Target[]): Answer["headers"] {
  const urls = targets.slice(1, 1 + LINKS_MAX).map(({ url }) => url);
  return urls.length === 0 ? {} : { Link: duplicateLinks(urls) };
}

const NO_STORE = "no-store";

/** A viewer may stay only with an edge that was chosen in full health. */
function cachingOf({ outcome, isInDoubt, service }: Decision): string {
  const { stickinessSeconds } = service.http;
  return outcome.kind === "edges" && isInDoubt !== true && stickinessSeconds > 0
    ? `private, max-age=${stickinessSeconds}`
    : NO_STORE;
}

const RETRY_LATER = { "Retry-After": "10" };
const NO_URL = "no edge of this service has a url that viewers can be redirected to";
const NO_FALLBACK_URL = "no edge of this service is available, and its fallback has no url to redirect to";

const REFUSALS: { readonly [reason in RefusalReason]: { readonly status: number; readonly detail: string } } =
  {
    full: { status: 503, detail: "every edge of this service is full" },
    down: { status: 503, detail: "every edge of this service is down" },
    "no-edges": { status: 503, detail: "no edge of this service is in service" },
    "no-ipv4": { status: 503, detail: "no edge of this service that would serve you is reached by IPv4" },
    "not-allowed": { status: 451, detail: "this service is not available where you are" },
  };
