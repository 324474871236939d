import type { Address } from "../model/address.ts";
import type { Client } from "../model/client.ts";
import type { Choice, Decision, RefusalReason } from "../model/decision.ts";
import type { Edge } from "../model/edge.ts";
import {
  type Answer,
  choices,
  duplicateLinks,
  type LeftOut,
  redirect,
  RETRY_LATER,
  serverTiming,
  type Target,
} from "./answer.ts";
import { type Locations, printable } from "./location.ts";
import { schemeOf } from "./scheme.ts";
import { sign } from "./signature.ts";
import type { Target as RequestTarget } from "./target.ts";
import { asksForJson, refusal, type ViewerRequest } from "./viewer-request.ts";

/** What of the configuration it is answered by. */
interface RedirectRules {
  readonly locations: Locations;
  readonly isTrusted: (address: Address) => boolean;
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

/** Sends the viewer to an edge, shows whoever asks for JSON the choice, or says why neither is possible. */
export function answerTo(
  request: ViewerRequest,
  target: RequestTarget,
  decided: Decided,
  { locations, isTrusted }: RedirectRules,
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
